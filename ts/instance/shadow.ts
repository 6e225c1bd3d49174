/**
 * The shadow stack of an instance: which global is its pointer, and where calls that wait at the same time have their frames (docs/decisions/0013).
 */
import { every, floor, INFINITE, min, NumberValue, placeOf, some, typedLength, weakAdd, weakIn } from '../base/intrinsics.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import type { Native } from '../link/native.js';
import { indexSpaces } from '../lower/module/spaces.js';
import type { StackHelpers } from '../lower/module/stack_helpers.js';
import type { StackPointer, StackPointerChoice } from '../lower/module/stack_pointer.js';
import { flag, integer, nested, type Reader, text } from '../source/options.js';
import type { ModuleDescription } from '../validate/description.js';
import type { TypeRegistry } from '../validate/registry.js';
import { plainConstant } from './const_expr.js';
import type { ExportedFunctions } from './functions/exports.js';

/** How calls of a C, C++ or Rust module that wait at the same time share its stack in linear memory. */
export interface ShadowStackOptions {
  /** The global that is the stack pointer, a mutable i32 (i64 in a 64-bit memory): its index, or its export or name. Looked for unless given. */
  readonly pointer?: number | string;
  /** Bytes that each call besides the first may use; 16 KiB, or a quarter of the module's stack where that is less, unless given. */
  readonly size?: number;
  /** Exports that the space comes from, of types `[i32] -> [i32]` and `[i32] -> […]` (i64 in a 64-bit memory). Without them it comes from the module's own stack. */
  readonly allocator?: {
    /** The export that is given a number of bytes, and gives the address of so many. */
    readonly allocate: string;
    /** The export that is given that address when the call has ended. */
    readonly free: string;
  };
  /** Lowest address of the module's own stack, where the module does not tell. */
  readonly low?: number;
  /**
   * Calls have no areas: all use the module's own stack, and what a call has on it is moved away while it waits, and back to its addresses when it goes on. Not safe
   * where an import writes through a pointer to such a variable after its promise has settled: another call's lie there by then. Goes with `pointer` only.
   */
  readonly move?: boolean;
}

const DEFAULT_SIZE = 16 * 1024;
const DEFAULT_SHARE = 4;
const ALIGNMENT = 16;
const LAST_NARROW = 2 ** 32 - 1;
/** The bounds of an i64 pointer count in units of 16 bytes, in 31 bits. */
const LAST_ADDRESS = 2 ** 35 - ALIGNMENT;

const address = integer(0, LAST_ADDRESS);
const pointer: Reader<number | string> = (value, name) => (typeof value === 'string' ? value : address(value, name));
const exportsOfAllocator = nested({ allocate: text, free: text });
const allocator: Reader<NonNullable<ShadowStackOptions['allocator']>> = (value, name) => {
  const { allocate, free } = exportsOfAllocator(value, name);
  if (allocate === undefined || free === undefined) throw wrongArgument(`the option ${name} must name two exports, allocate and free`);
  return { allocate, free };
};
const shadow = nested({ pointer, size: integer(ALIGNMENT, LAST_ADDRESS), allocator, low: address, move: flag }, 'an object or false');

/** Reads the option `shadowStack`. @internal */
export const shadowOption: Reader<ShadowStackOptions | false> = (value, name) => {
  if (value === false) return false;
  const options = shadow(value, name);
  if (options.move === true && (options.size ?? options.low ?? options.allocator) !== undefined)
    throw wrongArgument(`the option ${name}.move leaves nothing for ${name}.size, low and allocator to say`);
  return options;
};

/** How the compiler is to find the pointer. @internal */
export function pointerChoice(options: ShadowStackOptions | false | undefined): StackPointerChoice {
  if (options === undefined) return null;
  return options === false ? false : (options.pointer ?? true);
}

/** What an instance says of itself. @internal */
export interface ShadowInstance {
  readonly address: number;
  readonly description: ModuleDescription;
  readonly pointer: StackPointer;
  readonly options: ShadowStackOptions;
  readonly helpers: StackHelpers;
  /** Whether an imported function is JavaScript that cannot wait. */
  isPlain(index: number): boolean;
  /** Address of a global's cell. */
  global(index: number): number;
  /** Address of the VMFunction of a function index. */
  function(index: number): number;
}

/** What is needed of the thread. */
interface ShadowThread {
  readonly native: Native;
  readonly types: TypeRegistry;
  readonly exports: ExportedFunctions;
}

/**
 * Imports of programs whose own glue saves what a call has on the stack when it waits, and puts it back: Pyodide's. Two who do so would be one too many.
 */
const KEEPERS: readonly (readonly [module: string, name: string])[] = [['env', 'syncifyHandler']];

/** Whether a program moves its stack itself. @internal */
export function keepsItsStack({ imports }: ModuleDescription): boolean {
  return some(imports, (entry) => entry.kind === 'func' && some(KEEPERS, (one) => one[0] === entry.module && one[1] === entry.name));
}

/** Of engines that have instances with shadow stacks. */
const sharing = new WeakSet<object>();

/** Whether fibers of an engine may have frames in linear memory that go with them. @internal */
export function mayHaveShadowFrames(native: Native): boolean {
  return weakIn(sharing, native);
}

/** Tells the addon of an instance's shadow stack. To be called before anything of it runs. @internal */
export function shareShadowStack(thread: ShadowThread, instance: ShadowInstance): void {
  const { native } = thread;
  const { pointer, address } = instance;
  if (pointer.kind === 'none') return;
  if (pointer.kind === 'own') return native.refuseShadow(address, LIMIT.shadowOwn);
  if (pointer.kind === 'ambiguous') return native.refuseShadow(address, LIMIT.shadowAmbiguous);
  weakAdd(sharing, native);
  const cell = instance.global(pointer.global);
  if (instance.options.move === true) return native.moveShadow(address, cell, isWide(instance) ? 1 : 0);
  shareSpace(thread, instance, cell);
  const { limits } = instance.helpers;
  if (limits !== undefined) native.limitShadow(address, instance.global(limits.base), instance.global(limits.end));
}

function shareSpace(thread: ShadowThread, instance: ShadowInstance, cell: number): void {
  const { native } = thread;
  const { options, address } = instance;
  const wide = isWide(instance) ? 1 : 0;
  if (wide === 0 && (options.size ?? 0) > LAST_NARROW)
    throw outOfRange(`shadowStack.size is ${options.size}, more than 32-bit addresses reach`);
  if (options.allocator !== undefined) {
    const allocate = exported(thread, instance, options.allocator.allocate, wide, 1);
    const free = exported(thread, instance, options.allocator.free, wide);
    return native.allocateShadow(address, cell, options.size ?? DEFAULT_SIZE, allocate, free, wide);
  }
  const top = NumberValue(native.load(cell, wide === 1 ? 'u64' : 'u32'));
  const low = options.low ?? stackLow(thread, instance, top);
  // The official Go compiler's programs begin with 0 and set the pointer themselves.
  if (low === undefined || (options.low === undefined && low >= top)) return deferShadow(native, instance, cell, wide);
  if (low >= top) throw outOfRange(`the shadow stack ends at ${low}, above its pointer, which is ${top}`);
  const share = align(floor((top - low) / DEFAULT_SHARE));
  native.sliceShadow(address, cell, align(low + ALIGNMENT - 1), align(options.size ?? min(DEFAULT_SIZE, share)), wide);
}

/** Where the size is not known until the program runs: by what it exports, or not at all. */
function deferShadow(native: Native, instance: ShadowInstance, cell: number, wide: number): void {
  const { address, helpers, options } = instance;
  const of = (index: number | undefined): number => (index === undefined ? 0 : instance.function(index));
  // An allocator that asks for more memory, as Emscripten's does, must not wait there.
  const allocates = helpers.allocate !== undefined && every(helpers.asks ?? [], (index) => instance.isPlain(index));
  const { allocate, free } = allocates ? helpers : {};
  if (helpers.end === undefined && allocate === undefined) return native.refuseShadow(address, LIMIT.shadowUnsized);
  native.deferShadow(address, cell, align(options.size ?? 0), of(helpers.end), of(allocate), of(free), wide);
}

function align(value: number): number {
  return floor(value / ALIGNMENT) * ALIGNMENT;
}

const I32 = 0x7f;
const I64 = 0x7e;

/** Whether addresses of the instance's memory 0 are i64, and with them the pointer. */
function isWide({ description }: ShadowInstance): boolean {
  return indexSpaces(description).memories[0]?.memory64 === true;
}

/** An export for the allocator: a function of one address. Throws a TypeError for others. */
function exported(thread: ShadowThread, instance: ShadowInstance, name: string, wide: number, results?: number): number {
  const entry = instance.description.exports[placeOf(instance.description.exports, (one) => one.kind === 'func' && one.name === name)];
  if (entry === undefined) throw wrongArgument(`the option shadowStack.allocator names ${name}, which the module does not export`);
  const address = instance.function(entry.index);
  const type = thread.types.type(thread.exports.typeOf(address));
  const word = wide === 1 ? I64 : I32;
  const fits = type.params.length === 1 && type.params[0] === word;
  const gives = results === undefined || (type.results.length === results && type.results[0] === word);
  if (!fits || !gives) throw wrongArgument(`the option shadowStack.allocator names ${name}, which has another type`);
  return address;
}

/**
 * The lowest address of the stack that ends at `top`, where the module tells: by the linker's `__stack_low`; by its data, all of which lies above the stack where
 * the linker puts that first; or by `__data_end`, behind which data end: they lie below where that does, else above, though none of them may have a value.
 */
function stackLow(thread: ShadowThread, instance: ShadowInstance, top: number): number | undefined {
  const value = (name: string): number | undefined => {
    const index =
      instance.description.exports[placeOf(instance.description.exports, (entry) => entry.kind === 'global' && entry.name === name)]?.index;
    return index === undefined ? undefined : NumberValue(thread.native.load(instance.global(index), isWide(instance) ? 'u64' : 'u32'));
  };
  const low = value('__stack_low');
  if (low !== undefined) return low;
  const lowest = lowestData(instance.description.data);
  if (lowest !== undefined && lowest !== INFINITE && lowest >= top) return 0;
  const end = value('__data_end');
  if (end === undefined) return undefined;
  if (end < top) return end;
  return lowest === INFINITE ? 0 : undefined;
}

/** Where the first of the active segments of memory 0 begins, infinite without any; undefined where a segment does not say. */
function lowestData(words: Uint32Array): number | undefined {
  let lowest = INFINITE;
  const size = typedLength(words);
  for (let i = 0; i < size; ) {
    const mode = words[i];
    const memory = words[i + 1];
    const length = words[i + 2] ?? 0;
    const start = plainConstant(words, i + 3, length);
    i += 3 + length + 2;
    if (mode !== 0 || memory !== 0 || start === undefined) return undefined;
    lowest = min(lowest, start);
  }
  return lowest;
}
