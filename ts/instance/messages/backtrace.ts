/**
 * WebAssembly frames: of an error's stack, in the form that V8 gives its own (name, function index, byte offset in the module), and as data.
 */
import { INLINED_ROW, inlinedRow } from '../../lower/function/locations.js';

/** What is known of the functions of one piece of code. */
export interface FrameNames {
  /** The module's name, or what stands for it. */
  readonly module: string;
  /** A function's name; undefined where it has none. */
  functionName(index: number): string | undefined;
  /** A tag's name, or what stands for it. */
  tagName(index: number): string;
  /** Number of functions in the module's index space; higher numbers are trampolines. */
  readonly functions: number;
  /** The frames of functions that were inlined: rows as in lower/locations.ts. */
  readonly inlined: Int32Array;
  /** The module. */
  readonly bytes: Uint8Array;
}

/** One frame of the program. */
export interface ProgramFrame {
  /** The module's name, or what stands for it. */
  readonly module: string;
  /** Function index. */
  readonly function: number;
  /** The function's name, where it has one. */
  readonly name?: string;
  /** Byte offset of the instruction in the module, -1 where it is not known. */
  readonly offset: number;
}

/** The addon's frames: triples of code, function number and location. */
const WORDS = 3;
/** The code of the mark where the middle was cut out; its function number is how many frames are missing. */
const OMITTED = -1;

function programFrame(index: number, offset: number, names: FrameNames | undefined): ProgramFrame {
  const name = names?.functionName(index);
  return { module: names?.module ?? 'wasm', function: index, ...(name === undefined ? {} : { name }), offset };
}

/** The frames of a machine frame: functions that were inlined there, innermost first, then the one whose code it is; none for a trampoline. */
function expand(code: number, index: number, location: number, codes: ReadonlyMap<number, FrameNames>): ProgramFrame[] {
  const names = codes.get(code);
  if (names !== undefined && index >= names.functions) return [];
  const frames: ProgramFrame[] = [];
  let at = location;
  for (let row = inlinedRow(at); row !== undefined && names !== undefined; row = inlinedRow(at)) {
    const [callee = 0, offset = -1, call = -1] = names.inlined.subarray(INLINED_ROW * row);
    frames.push(programFrame(callee, offset, names));
    at = call;
  }
  return [...frames, programFrame(index, at, names)];
}

/** Calls `each` with every triple. */
function eachFrame(frames: Float64Array, each: (code: number, fn: number, location: number) => void): void {
  for (let i = 0; i + WORDS <= frames.length; i += WORDS) each(frames[i] ?? 0, frames[i + 1] ?? 0, frames[i + 2] ?? -1);
}

/** Frames as data, without the mark of those left out. */
export function programFrames(frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): ProgramFrame[] {
  const list: ProgramFrame[] = [];
  eachFrame(frames, (code, fn, location) => {
    if (code === OMITTED) return;
    for (const frame of expand(code, fn, location, codes)) list.push(frame);
  });
  return list;
}

/** How many frames were left out. */
export function omittedFrames(frames: Float64Array): number {
  let omitted = 0;
  eachFrame(frames, (code, fn) => {
    if (code === OMITTED) omitted += fn;
  });
  return omitted;
}

/** A name that makes no further lines, which would look like other frames. */
function oneLine(name: string): string {
  return name.replace(/[\n\r\u2028\u2029]/g, ' ');
}

/** A frame's line in a stack. */
function line({ module, function: index, name, offset }: ProgramFrame): string {
  const place = `${oneLine(module)}:wasm-function[${index}]${offset < 0 ? '' : `:0x${offset.toString(16)}`}`;
  return name === undefined ? `    at ${place}` : `    at ${oneLine(name)} (${place})`;
}

/** Puts frames in front of the JavaScript frames of an error's stack. */
export function backtrace(error: Error, frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): void {
  const lines: string[] = [];
  eachFrame(frames, (code, fn, location) => {
    if (code === OMITTED) lines.push(`    ... ${fn} frames left out ...`);
    else for (const frame of expand(code, fn, location, codes)) lines.push(line(frame));
  });
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
