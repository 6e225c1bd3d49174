/**
 * WebAssembly frames: of an error's stack, in the form that V8 gives its own (name, function index, byte offset in the module), and as data.
 */
import {
  append,
  charAt,
  define,
  defineAccessor,
  digits,
  each,
  hasOwnStack,
  headOf,
  indexOf,
  joined,
  joinedLists,
  mapGet,
  now,
  PlainError,
  PREPARE_STACK_TRACE,
  pieces,
  STACK_IS_VALUE,
  sliced,
  stackOfV8,
  typedLength,
  WeakCollection,
  weakAdd,
  weakIn,
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

/** Runs of lines of Heddle's own. */
function ownRuns(lines: readonly string[]): number {
  let runs = 0;
  let own = false;
  each(lines, (one) => {
    const is = isOwn(one);
    if (is && !own) runs++;
    own = is;
  });
  return runs;
}

/** Whether V8 has left out frames of a stack of so many lines. */
function isCutOff(count: number): boolean {
  try {
    // asks: how many V8 keeps
    const { stackTraceLimit } = PlainError;
    return typeof stackTraceLimit === 'number' && count >= stackTraceLimit;
  } catch {
    return true;
  }
}

/**
 * The lines of an error's JavaScript frames without Heddle's own, in whose places are WebAssembly's: `groups` are those of each entry, innermost first. A trap is made
 * below the innermost, whose frames come first. Another error has gone through that entry; runs of Heddle's own lines that are more than the entries are no entries:
 * a call's argument did not fit, say. Where they are fewer the error was made outside of the innermost entries, or V8 has left out those of the outermost: the frames
 * of these are not shown, as V8's own would not be.
 */
function merged(lines: readonly string[], groups: readonly (readonly string[])[], isTrap: boolean): string[] {
  const all: string[] = [];
  const next = (group: number): void => each(groups[group] ?? [], (one) => append(all, one));
  let own = isTrap;
  let skipped = isTrap ? 0 : ownRuns(lines) - groups.length;
  let group = skipped < 0 && !isCutOff(lines.length) ? -skipped : 0;
  if (isTrap) next(group++);
  each(lines, (one) => {
    const is = isOwn(one);
    if (is && !own && skipped-- <= 0) next(group++);
    if (!is) append(all, one);
    own = is;
  });
  // Those whose place was cut off.
  while (isTrap && group < groups.length) next(group++);
  return all;
}

/** What each frame's line begins with. */
const FRAME = '\n    at ';

/** The text of a stack with WebAssembly's frames in it. */
function withFrames(text: string, frames: Float64Array, codes: ReadonlyMap<number, FrameNames>, isTrap: boolean): string {
  let lines: string[] = [];
  const groups: string[][] = [lines];
  eachFrame(frames, (code, fn, location) => {
    if (code === NEXT_ENTRY) {
      lines = [];
      append(groups, lines);
    } else if (code === OMITTED) append(lines, `    ... ${fn} frames left out ...`);
    else each(expand(code, fn, location, codes), (frame) => append(lines, line(frame)));
  });
  // The head is the lines before the first frame: a message may have several.
  const at = indexOf(text, FRAME);
  const rest = merged(at < 0 ? [] : pieces(sliced(text, at + 1), '\n'), groups, isTrap);
  return joined(joinedLists([at < 0 ? text : sliced(text, 0, at)], rest), '\n');
}

/** Errors whose stacks have WebAssembly's frames, or are not to have them. */
const seen = new WeakCollection<object>();

/** Puts frames among the JavaScript frames of a trap's stack. */
export function backtrace(error: Error, frames: Float64Array, codes: ReadonlyMap<number, FrameNames>): void {
  weakAdd(seen, error);
  const text = withFrames(stackOf(error), frames, codes, true);
  // asks: nothing; else V8 would ask for the old value, which may throw.
  delete error.stack;
  define(error, 'stack', text, true);
}

/** Says in a trap's stack which task it was in, behind all frames. */
export function nameTask(error: Error, task: string): void {
  const stack = stackOf(error);
  define(error, 'stack', `${stack}${FRAME}${oneLine(task)}`, true);
}

/** Whether the program shows stacks its own way since Heddle was loaded. Node has a function of its own there; the property may be an accessor. */
function isShownByProgram(): boolean {
  try {
    // asks: the program's way to show stacks
    return PlainError.prepareStackTrace !== PREPARE_STACK_TRACE;
  } catch {
    return true;
  }
}

/** The text of a stack with the head that the error has now, in the place of the one that it had. */
function withHead(text: string, head: string, error: Error): string {
  try {
    return sliced(text, 0, head.length) === head ? headOf(error) + sliced(text, head.length) : text;
  } catch {
    return text;
  }
}

/**
 * Errors that get frames in a stretch of so many milliseconds. Programs that throw more throw them for control flow: V8's text alone, which Node 20 makes here, takes
 * longer than to throw.
 */
const MOST_AMENDED = 100;
const STRETCH = 100;
let amended = 0;
let stretchBegan = 0;

/** Whether there were too many errors to look at one more. */
function areTooMany(): boolean {
  if (amended++ < MOST_AMENDED) return false;
  const time = now();
  if (time - stretchBegan < STRETCH) return true;
  stretchBegan = time;
  amended = 1;
  return false;
}

/**
 * An error has come from JavaScript to WebAssembly: its stack is to have WebAssembly's frames when somebody reads it. Programs throw errors that nobody reads, so little is
 * done before. What the program has made of its stack, or makes of stacks, stays.
 */
export function amend(error: Error, findFrames: () => Float64Array, codes: ReadonlyMap<number, FrameNames>): void {
  if (weakIn(seen, error)) return;
  weakAdd(seen, error);
  if (areTooMany()) return;
  if ((STACK_IS_VALUE && isShownByProgram()) || !hasOwnStack(error)) return;
  // Once an accessor of ours stands there V8's text cannot be had, where it is a value: it is made now, and its head again later.
  const text = STACK_IS_VALUE ? stackOfV8(error) : undefined;
  const head = STACK_IS_VALUE ? headOf(error) : '';
  const frames = findFrames();
  let found: unknown;
  let known = false;
  const set = (value: unknown): void => {
    found = value;
    known = true;
  };
  const get = (): unknown => {
    if (known) return found;
    const now = STACK_IS_VALUE ? withHead(text as string, head, error) : stackOfV8(error);
    const isList = typeof now === 'string' && indexOf(now, FRAME) >= 0 && !isShownByProgram();
    set(!isList ? now : withFrames(now, frames, codes, false));
    return found;
  };
  defineAccessor(error, 'stack', get, set);
}
