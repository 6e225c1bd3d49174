/**
 * WebAssembly frames: of an error's stack, in the form that V8 gives its own (name, function index, byte offset in the module), and as data.
 */
import {
  append,
  charAt,
  define,
  digits,
  each,
  indexOf,
  joined,
  joinedLists,
  mapGet,
  pieces,
  selected,
  sliced,
  some,
  typedLength,
} from '../../base/intrinsics.js';
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
  const names = mapGet(codes, code);
  if (names !== undefined && index >= names.functions) return [];
  const frames: ProgramFrame[] = [];
  let at = location;
  for (let row = inlinedRow(at); row !== undefined && names !== undefined; row = inlinedRow(at)) {
    const { inlined } = names;
    const place = INLINED_ROW * row;
    append(frames, programFrame(inlined[place] ?? 0, inlined[place + 1] ?? -1, names));
    at = inlined[place + 2] ?? -1;
  }
  return joinedLists(frames, [programFrame(index, at, names)]);
}

/** Calls `visit` with every triple. */
function eachFrame(frames: Float64Array, visit: (code: number, fn: number, location: number) => void): void {
  const size = typedLength(frames);
  for (let i = 0; i + WORDS <= size; i += WORDS) visit(frames[i] ?? 0, frames[i + 1] ?? 0, frames[i + 2] ?? -1);
}

/** Frames as data, without the mark of those left out. */
export function programFrames(frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): ProgramFrame[] {
  const list: ProgramFrame[] = [];
  eachFrame(frames, (code, fn, location) => {
    if (code === OMITTED) return;
    each(expand(code, fn, location, codes), (frame) => append(list, frame));
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

const LINE_ENDS = '\n\r\u2028\u2029';

/** A name that makes no further lines, which would look like other frames. */
function oneLine(name: string): string {
  let line = '';
  for (let i = 0; i < name.length; i++) {
    const letter = charAt(name, i);
    line += indexOf(LINE_ENDS, letter) < 0 ? letter : ' ';
  }
  return line;
}

/** A frame's line in a stack. */
function line({ module, function: index, name, offset }: ProgramFrame): string {
  const place = `${oneLine(module)}:wasm-function[${index}]${offset < 0 ? '' : `:0x${digits(offset, 16)}`}`;
  return name === undefined ? `    at ${place}` : `    at ${oneLine(name)} (${place})`;
}

/** An error's stack. What `Error.prepareStackTrace` makes of it is the program's affair, even an error. */
function stackOf(error: Error): string {
  try {
    // asks: the program's way to show stacks
    const { stack } = error;
    if (typeof stack === 'string') return stack;
  } catch {
    // Then there are WebAssembly's own frames.
  }
  // asks: the error's own
  const { name, message } = error;
  return `${name}: ${message}`;
}

/** Where the files lie that stand between WebAssembly and what called it. */
const OWN_FILES = ['/instance/engine.', '/errors/catalog.'];

/** Puts frames in front of the JavaScript frames of an error's stack. */
export function backtrace(error: Error, frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): void {
  const lines: string[] = [];
  eachFrame(frames, (code, fn, location) => {
    if (code === OMITTED) append(lines, `    ... ${fn} frames left out ...`);
    else each(expand(code, fn, location, codes), (frame) => append(lines, line(frame)));
  });
  const text = stackOf(error);
  // The head is the lines before the first frame: a message may have several.
  const at = indexOf(text, '\n    at ');
  const rest = at < 0 ? [] : selected(pieces(sliced(text, at + 1), '\n'), (one) => !some(OWN_FILES, (file) => indexOf(one, file) >= 0));
  // asks: nothing; else V8 would ask for the old value, which may throw.
  delete error.stack;
  define(error, 'stack', joined(joinedLists([at < 0 ? text : sliced(text, 0, at)], lines, rest), '\n'), true);
}
