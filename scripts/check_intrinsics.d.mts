/** What is wrong in a repository, a line each; `checked` are folders and files under ts/. */
export function problemsOf(root: string, checked?: readonly string[]): readonly string[];
