export function bundlerProject(): { readonly folder: string; remove(): void };
