/**
 * WebAssembly frames in an error's stack, in the form that V8 gives its own: name, function index, byte offset in the module.
 */

/** Names of the functions of one piece of code. */
export interface FrameNames {
  /** The module's name, or what stands for it. */
  readonly module: string;
  /** A function's name; undefined where it has none. */
  functionName(index: number): string | undefined;
  /** Number of functions in the module's index space; higher numbers are trampolines. */
  readonly functions: number;
}

/** One line of a stack. */
function line(code: number, index: number, offset: number, codes: ReadonlyMap<number, FrameNames>): string | undefined {
  if (code < 0) return `    ... ${index} frames left out ...`;
  const names = codes.get(code);
  if (names !== undefined && index >= names.functions) return undefined;
  const name = names?.functionName(index);
  const place = `${names?.module ?? 'wasm'}:wasm-function[${index}]${offset < 0 ? '' : `:0x${offset.toString(16)}`}`;
  return name === undefined ? `    at ${place}` : `    at ${name} (${place})`;
}

/** Puts frames in front of the JavaScript frames of an error's stack. `frames` are triples: code, function number, offset. */
export function backtrace(error: Error, frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): void {
  const lines: string[] = [];
  for (let i = 0; i + 2 < frames.length; i += 3) {
    const text = line(frames[i] ?? 0, frames[i + 1] ?? 0, frames[i + 2] ?? -1, codes);
    if (text !== undefined) lines.push(text);
  }
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  // The head is the lines before the first frame: a message may have several.
  const at = stack.search(/\n {4}at /);
  const head = at < 0 ? stack : stack.slice(0, at);
  const rest =
    at < 0
      ? []
      : stack
          .slice(at + 1)
          .split('\n')
          .filter((l) => !/\/(instance\/engine|errors\/catalog)\./.test(l));
  Object.defineProperty(error, 'stack', { value: [head, ...lines, ...rest].join('\n'), configurable: true, writable: true });
}
