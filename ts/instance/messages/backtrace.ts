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
  sliced,
  typedLength,
} from '../../base/intrinsics.js';
import { INLINED_ROW, inlinedRow } from '../../lower/function/locations.js';
import { isBuilt, packagePath } from '../../source/package_root.js';

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
/** The code of the mark behind which come the frames of the entry around. */
const NEXT_ENTRY = -2;

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
    if (code < 0) return;
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

/** Where Heddle's own files lie, and what Node has between them where a task has its turn. */
const OWN = packagePath(isBuilt() ? 'dist/bundle/' : 'ts/');
const OWN_TESTS = '.test.';
const ASYNC_SCOPE = '.runInAsyncScope (node:async_hooks';

function isOwn(line: string): boolean {
  return (indexOf(line, OWN) >= 0 && indexOf(line, OWN_TESTS) < 0) || indexOf(line, ASYNC_SCOPE) >= 0;
}

/** The lines of an error's JavaScript frames without Heddle's own, in whose places are WebAssembly's: `groups` are those of each entry, innermost first. */
function merged(lines: readonly string[], groups: readonly (readonly string[])[]): string[] {
  const all: string[] = [];
  const next = (group: number): void => each(groups[group] ?? [], (one) => append(all, one));
  let group = 0;
  let own = true;
  // The innermost entry's come first, whatever is there.
  next(group++);
  each(lines, (one) => {
    const is = isOwn(one);
    if (is && !own) next(group++);
    if (!is) append(all, one);
    own = is;
  });
  // Those whose place was cut off.
  while (group < groups.length) next(group++);
  return all;
}

/** Puts frames among the JavaScript frames of an error's stack. */
export function backtrace(error: Error, frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): void {
  let lines: string[] = [];
  const groups: string[][] = [lines];
  eachFrame(frames, (code, fn, location) => {
    if (code === NEXT_ENTRY) {
      lines = [];
      append(groups, lines);
    } else if (code === OMITTED) append(lines, `    ... ${fn} frames left out ...`);
    else each(expand(code, fn, location, codes), (frame) => append(lines, line(frame)));
  });
  const text = stackOf(error);
  // The head is the lines before the first frame: a message may have several.
  const at = indexOf(text, '\n    at ');
  const rest = merged(at < 0 ? [] : pieces(sliced(text, at + 1), '\n'), groups);
  // asks: nothing; else V8 would ask for the old value, which may throw.
  delete error.stack;
  define(error, 'stack', joined(joinedLists([at < 0 ? text : sliced(text, 0, at)], rest), '\n'), true);
}
