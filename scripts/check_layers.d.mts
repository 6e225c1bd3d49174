/** What is wrong with the imports of a repository, a line each. `order` is as in scripts/layers.mjs. */
export function problemsOf(root: string, order?: Readonly<Record<string, readonly string[]>>): string[];
