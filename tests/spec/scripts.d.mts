/** See scripts.mjs. */
export function scriptsFolder(): string | undefined;
export const MISSING: string;
