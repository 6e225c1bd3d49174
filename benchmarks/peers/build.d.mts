/** A tool that builds programs: `missing` says why it is not there. */
export type Tool = { readonly missing?: string };
export function findTools(): { readonly clang: Tool; readonly binaryen: Tool; readonly boost: Tool };
/** Makes a build of a program of C: its file, or a line that says why there is none. */
export function buildWith(
  tools: ReturnType<typeof findTools>,
  kind: 'plain' | 'stacks' | 'asyncify',
  from: string,
  folder: string,
): { readonly file?: string; readonly missing?: string };
