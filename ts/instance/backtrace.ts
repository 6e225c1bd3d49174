/**
 * WebAssembly frames in an error's stack, in the form that V8 gives its own: name, function index, byte offset in the module.
 */
import { INLINED_ROW, inlinedRow } from '../lower/locations.js';

/** Names of the functions of one piece of code. */
export interface FrameNames {
  /** The module's name, or what stands for it. */
  readonly module: string;
  /** A function's name; undefined where it has none. */
  functionName(index: number): string | undefined;
  /** Number of functions in the module's index space; higher numbers are trampolines. */
  readonly functions: number;
  /** The frames of functions that were inlined: rows as in lower/locations.ts. */
  readonly inlined: Int32Array;
}

/** The line of a function. */
function line(index: number, offset: number, names: FrameNames | undefined): string {
  const name = names?.functionName(index);
  const place = `${names?.module ?? 'wasm'}:wasm-function[${index}]${offset < 0 ? '' : `:0x${offset.toString(16)}`}`;
  return name === undefined ? `    at ${place}` : `    at ${name} (${place})`;
}

/** The lines of a machine frame: functions that were inlined there, innermost first, then the one whose code it is; none for a trampoline. */
function linesOf(code: number, index: number, location: number, codes: ReadonlyMap<number, FrameNames>): string[] {
  if (code < 0) return [`    ... ${index} frames left out ...`];
  const names = codes.get(code);
  if (names !== undefined && index >= names.functions) return [];
  const lines: string[] = [];
  let at = location;
  for (let row = inlinedRow(at); row !== undefined && names !== undefined; row = inlinedRow(at)) {
    const [callee = 0, offset = -1, call = -1] = names.inlined.subarray(INLINED_ROW * row);
    lines.push(line(callee, offset, names));
    at = call;
  }
  return [...lines, line(index, at, names)];
}

/** Puts frames in front of the JavaScript frames of an error's stack. `frames` are triples: code, function number, location. */
export function backtrace(error: Error, frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): void {
  const lines: string[] = [];
  for (let i = 0; i + 2 < frames.length; i += 3) {
    lines.push(...linesOf(frames[i] ?? 0, frames[i + 1] ?? 0, frames[i + 2] ?? -1, codes));
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
