/** The WebAssembly frames of an error's stack, with those that repeat said once. */

/** Frames that call each other in turns, at most. */
const LONGEST_CYCLE = 8;
/** Fewer lines than this are not worth another that says so. */
const LEAST_SAVED = 3;

/** The lines of an error's stack that are WebAssembly's. A bug of ours shows all. */
export function frameLines(error: unknown, all: boolean): readonly string[] {
  if (!(error instanceof Error) || error.stack === undefined) return [];
  const lines = error.stack.split('\n').filter((line) => /^ {4}at /.test(line) || line.includes('frames left out'));
  return all ? lines : lines.filter((line) => line.includes('wasm-function[') || line.includes('frames left out'));
}

/** The same with lines that repeat, one or a few in turns, written once. */
export function collapsed(lines: readonly string[]): readonly string[] {
  const shown: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const [length, times] = cycleAt(lines, at);
    for (const line of lines.slice(at, at + length)) shown.push(line);
    at += length * times;
    if (times > 1) shown.push(`    ... ${length === 1 ? 'this line' : `these ${length} lines`} ${times} times ...`);
  }
  return shown;
}

/** How many lines from here repeat, and how often they are there: the shortest cycle that saves enough. */
function cycleAt(lines: readonly string[], at: number): readonly [length: number, times: number] {
  for (let length = 1; length <= LONGEST_CYCLE; length++) {
    let end = at + length;
    while (end < lines.length && lines[end] === lines[end - length]) end++;
    const times = Math.floor((end - at) / length);
    if (length * (times - 1) >= LEAST_SAVED) return [length, times];
  }
  return [1, 1];
}

/** A frame as data. */
export interface Frame {
  readonly function: string;
  readonly module: string;
  readonly index: number;
  /** Byte offset in the module. */
  readonly offset?: number;
}

/** What a line of {@link frameLines} says; undefined for one that says how many were left out. */
export function frameOf(line: string): Frame | undefined {
  const match = /^ {4}at (.*?) ?\(?([^()]*):wasm-function\[(\d+)\](?::0x([0-9a-f]+))?\)?$/.exec(line);
  if (match === null) return undefined;
  const [, name = '', module = '', index = '', offset] = match;
  return { function: name, module, index: Number(index), ...(offset !== undefined && { offset: Number.parseInt(offset, 16) }) };
}
