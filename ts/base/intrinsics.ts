/**
 * JavaScript's built-in objects as they were when Heddle was loaded. Programs patch these objects: polyfills, shims, mocks, instrumentation. What decides where WebAssembly reads and writes must not
 * depend on that, so it uses only what is here (scripts/check_intrinsics.mjs). The ways of asking a patched object are more than its methods: iterators (`for…of`, spreads, destructuring of lists),
 * species (`map`, `slice`, `subarray`), accessors (`buffer`, the `length` of a typed array), descriptors without `__proto__: null`, setters for indices on Array.prototype.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { types } from 'node:util';

// biome-ignore lint/suspicious/noExplicitAny: each use says the type that it wants
type Method = (...args: any[]) => any;

const { call } = Function.prototype;
/** A method as a function whose first argument is `this`. */
export const uncurried = Function.prototype.bind.bind(call) as (method: Method) => Method;
/** An accessor of a prototype as a function. */
const getter = (prototype: object, name: PropertyKey): Method => uncurried(Object.getOwnPropertyDescriptor(prototype, name)?.get as Method);
const typedPrototype = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

/** A function's text. */
export const functionText: (fn: object) => string = uncurried(Function.prototype.toString);

/** `Reflect`'s functions. */
export const { apply, construct, getPrototypeOf, setPrototypeOf, ownKeys } = Reflect;
export const getProperty: (object: object, name: PropertyKey) => unknown = Reflect.get;
/** Of `Object`. */
export const { freeze, keys, values, hasOwn, getOwnPropertyDescriptors, is: isSame } = Object;
export const createObject: (prototype: object | null) => object = Object.create;
const { defineProperty, getOwnPropertyDescriptor } = Object;

/** Classes. `new` of them looks nothing up; not so `Map` and `Set` with an argument, and typed arrays of lists. */
export const BigIntValue = BigInt;
export const NumberValue = Number;
export const StringValue = String;
export const BooleanValue = Boolean;
export const ObjectValue = Object;
export const PlainError = Error;
/** Notes on an object, as its `stack`, where it is called, up to a function. */
export const captureStackTrace: (object: object, upTo?: abstract new (...args: never[]) => unknown) => void = Error.captureStackTrace;
export const WrongType = TypeError;
export const WrongRange = RangeError;
export const Bytes = Uint8Array;
export const Words = Uint32Array;
export const Integers = Int32Array;
export const Longs = BigInt64Array;
export const Singles = Float32Array;
export const Doubles = Float64Array;
export const Dictionary = Map;
export const Collection = Set;
export const WeakDictionary = WeakMap;
export const WeakCollection = WeakSet;
export const Promised = Promise;
export const WeakReference = WeakRef;
export const ProxyObject = Proxy;
export const Controller = AbortController;
export const SharedBuffer = SharedArrayBuffer;

/** Numbers. */
export const INFINITE = Number.POSITIVE_INFINITY;
export const { floor, ceil, trunc, max, min, fround, imul } = Math;
export const { isFinite: isFiniteNumber, isInteger, isNaN: isNotANumber } = Number;
export const { asIntN, asUintN } = BigInt;
/** The digits of a number to a base. */
export const digits: (value: number, base: number) => string = uncurried(Number.prototype.toString);

/** Text. Only with strings for arguments: regular expressions ask many things. */
export const sliced: (text: string, start: number, end?: number) => string = uncurried(String.prototype.slice);
export const indexOf: (text: string, wanted: string, from?: number) => number = uncurried(String.prototype.indexOf);
export const charCodeAt: (text: string, at: number) => number = uncurried(String.prototype.charCodeAt);
export const codePointAt: (text: string, at: number) => number = uncurried(String.prototype.codePointAt);
export const { fromCharCode, fromCodePoint } = String;
export const charAt: (text: string, at: number) => string = uncurried(String.prototype.charAt);
export const startsWith: (text: string, start: string) => boolean = uncurried(String.prototype.startsWith);
const { parse, stringify } = JSON;
export const quoted = (text: string): string => stringify(text);
export const parsedJson = (text: string): unknown => parse(text) as unknown;

/** Plain data, copied to objects without a prototype: nothing that a program put on Object.prototype is in them. */
function bare(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isArray(value)) return value;
  const copy = createObject(null);
  each(keys(value), (name) => define(copy, name, bare((value as Readonly<Record<string, unknown>>)[name])));
  return copy;
}

/** Plain data without lists as JSON, and back. */
export const jsonOf = (value: unknown): string => stringify(bare(value));
export const fromJson = (text: string): unknown => bare(parse(text));

/** The pieces of a text between separators. */
export function pieces(text: string, separator: string): string[] {
  const list: string[] = [];
  let start = 0;
  for (let at = indexOf(text, separator); at >= 0; at = indexOf(text, separator, start)) {
    append(list, sliced(text, start, at));
    start = at + separator.length;
  }
  append(list, sliced(text, start));
  return list;
}

/** Sets a property of an object's own, whatever stands in its prototypes: writable and configurable, and enumerable unless `hidden`. */
export function define(object: object, name: PropertyKey, value: unknown, hidden = false): void {
  defineProperty(object, name, { __proto__: null, value, writable: true, configurable: true, enumerable: !hidden } as PropertyDescriptor);
}

/** The same, as what the caller cannot write to: configurable, or not, as `fixed` says. */
export function defineConstant(object: object, name: PropertyKey, value: unknown, fixed = false): void {
  defineProperty(object, name, { __proto__: null, value, writable: false, configurable: !fixed, enumerable: fixed } as PropertyDescriptor);
}

/** Defines an accessor that is not enumerable. */
export function defineAccessor(object: object, name: PropertyKey, get: () => unknown, set: (value: unknown) => void): void {
  defineProperty(object, name, { __proto__: null, get, set, configurable: true, enumerable: false } as PropertyDescriptor);
}

/** What made stacks of errors a text when Heddle was loaded. */
export const PREPARE_STACK_TRACE: unknown = Error.prepareStackTrace;
/** The accessor of an error's own `stack`; undefined where V8 has made it a value (before Node 22). */
const stackGetter: (() => unknown) | undefined = Object.getOwnPropertyDescriptor(new Error(), 'stack')?.get;
/** Whether an error's stack is a value: to look at it makes the text. */
export const STACK_IS_VALUE = stackGetter === undefined;
/** Whether an error's `stack` is still V8's. Where it is a value, whether it is a text. */
export function hasOwnStack(error: Error): boolean {
  const found = getOwnPropertyDescriptor(error, 'stack');
  if (found === undefined || !found.configurable) return false;
  return stackGetter === undefined ? typeof found.value === 'string' : found.get === stackGetter;
}
/** What V8 gives as an error's stack, whatever stands there. */
export const stackOfV8 = (error: Error): unknown => (stackGetter === undefined ? error.stack : apply(stackGetter, error, []));
/** The first line or lines of an error's stack. */
export const headOf: (error: Error) => string = uncurried(Error.prototype.toString);

/** Makes a property of an object's own enumerable, or not. */
export function setEnumerable(object: object, name: PropertyKey, enumerable: boolean): void {
  defineProperty(object, name, { __proto__: null, enumerable } as PropertyDescriptor);
}

/** Lists. `length` is an array's own, so that a loop over indices asks nothing else. */
export const { isArray } = Array;
const ArrayPrototype = Array.prototype;

/** Adds a value; returns how many there are then. Where somebody has put a setter for this index on Array.prototype, that gets it first, and the list all the same. */
export function append<T>(list: T[], value: T): number {
  const at = list.length;
  list[at] = value;
  if (list.length === at) define(list, at, value);
  return at + 1;
}

/** The value at a place that a list has. */
export function item<T>(list: readonly T[], index: number): T {
  return list[index] as T;
}

/** Puts a value at a place that a list has, or anywhere in a {@link bareList}: elsewhere a setter on Array.prototype would get it. */
export function setItem<T>(list: T[], index: number, value: T): void {
  list[index] = value;
}

/** An empty list without a prototype: there is none that a program could put a setter on. It may have holes. */
export function bareList<T>(): T[] {
  const list: T[] = [];
  setPrototypeOf(list, null);
  return list;
}

export function each<T>(list: readonly T[], visit: (value: T, index: number) => void): void {
  for (let i = 0; i < list.length; i++) visit(list[i] as T, i);
}

/** Takes the last value away. */
export function takeLast<T>(list: T[]): T | undefined {
  const { length } = list;
  if (length === 0) return undefined;
  const value = list[length - 1];
  list.length = length - 1;
  return value;
}

export function mapped<T, U>(list: readonly T[], make: (value: T, index: number) => U): U[] {
  const made: U[] = [];
  for (let i = 0; i < list.length; i++) append(made, make(list[i] as T, i));
  return made;
}

export function selected<T, U extends T>(list: readonly T[], test: (value: T, index: number) => value is U): U[];
export function selected<T>(list: readonly T[], test: (value: T, index: number) => boolean): T[];
export function selected<T>(list: readonly T[], test: (value: T, index: number) => boolean): T[] {
  const made: T[] = [];
  for (let i = 0; i < list.length; i++) if (test(list[i] as T, i)) append(made, list[i] as T);
  return made;
}

/** The place of the first value for which `test` holds, -1 where there is none. */
export function placeOf<T>(list: readonly T[], test: (value: T, index: number) => boolean): number {
  for (let i = 0; i < list.length; i++) if (test(list[i] as T, i)) return i;
  return -1;
}

export function some<T>(list: readonly T[], test: (value: T, index: number) => boolean): boolean {
  return placeOf(list, test) >= 0;
}

export function every<T>(list: readonly T[], test: (value: T, index: number) => boolean): boolean {
  return placeOf(list, (value, index) => !test(value, index)) < 0;
}

export function contains<T>(list: readonly T[], value: T): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === value) return true;
  return false;
}

/** A part of a list. */
export function part<T>(list: readonly T[], start: number, end: number = list.length): T[] {
  const made: T[] = [];
  for (let i = start; i < end; i++) append(made, list[i] as T);
  return made;
}

/** Lists one behind the other. */
export function joinedLists<T>(...lists: (readonly T[])[]): T[] {
  const made: T[] = [];
  for (let i = 0; i < lists.length; i++) {
    const list = lists[i] as readonly T[];
    for (let k = 0; k < list.length; k++) append(made, list[k] as T);
  }
  return made;
}

export function joined(list: readonly (string | number)[], separator: string): string {
  let text = '';
  for (let i = 0; i < list.length; i++) text += i === 0 ? list[i] : separator + list[i];
  return text;
}

const sortList: <T>(list: T[], compare: (a: T, b: T) => number) => T[] = uncurried(Array.prototype.sort);

/** A list in the order of a number that each value has. */
export function sortedBy<T>(list: readonly T[], key: (value: T) => number): T[] {
  return sortList(part(list, 0), (a, b) => key(a) - key(b));
}

/** Takes the value at a place out of a list, in which the last one then has that place; undefined where it was the last itself. */
export function takeOut<T>(list: T[], place: number): T | undefined {
  const last = takeLast(list);
  if (last === undefined || list.length === place) return undefined;
  setItem(list, place, last);
  return last;
}

/** Sorts text where it is few. */
export function sorted(list: readonly string[]): string[] {
  const made = part(list, 0);
  for (let i = 1; i < made.length; i++) {
    const value = made[i] as string;
    let at = i;
    for (; at > 0 && (made[at - 1] as string) > value; at--) made[at] = made[at - 1] as string;
    made[at] = value;
  }
  return made;
}

const iteratorSymbol: typeof Symbol.iterator = Symbol.iterator;
const arrayIterator = Array.prototype[Symbol.iterator];

/** Whether JavaScript as it was would give an array's elements one after another. */
function iteratesPlainly(array: readonly unknown[]): boolean {
  if (array[iteratorSymbol] === arrayIterator) return true;
  return getPrototypeOf(array) === ArrayPrototype && !hasOwn(array, iteratorSymbol);
}

/** The values of what a caller gave for a sequence. Its own iterator is asked, but that of arrays is JavaScript's as it was. Throws a TypeError for what has none. */
export function listOf(given: unknown): unknown[] {
  if (isArray(given) && iteratesPlainly(given)) return part(given, 0);
  const made: unknown[] = [];
  // asks: the caller's own object, as Web IDL has it
  for (const value of given as Iterable<unknown>) append(made, value);
  return made;
}

/** Maps and sets. */
export const mapGet: <K, V>(map: ReadonlyMap<K, V>, key: K) => V | undefined = uncurried(Map.prototype.get);
export const mapHas: <K, V>(map: ReadonlyMap<K, V>, key: K) => boolean = uncurried(Map.prototype.has);
export const mapSet: <K, V>(map: Map<K, V>, key: K, value: V) => void = uncurried(Map.prototype.set);
export const mapDelete: <K, V>(map: Map<K, V>, key: K) => boolean = uncurried(Map.prototype.delete);
export const mapEach: <K, V>(map: ReadonlyMap<K, V>, each: (value: V, key: K) => void) => void = uncurried(Map.prototype.forEach);
export const mapSize: <K, V>(map: ReadonlyMap<K, V>) => number = getter(Map.prototype, 'size');
export const setHas: <K>(set: ReadonlySet<K>, key: K) => boolean = uncurried(Set.prototype.has);
export const setAdd: <K>(set: Set<K>, key: K) => void = uncurried(Set.prototype.add);
export const setDelete: <K>(set: Set<K>, key: K) => boolean = uncurried(Set.prototype.delete);
export const setClear: <K>(set: Set<K>) => void = uncurried(Set.prototype.clear);
export const setEach: <K>(set: ReadonlySet<K>, each: (key: K) => void) => void = uncurried(Set.prototype.forEach);
export const setSize: <K>(set: ReadonlySet<K>) => number = getter(Set.prototype, 'size');
export const weakGet: <K extends object, V>(map: WeakMap<K, V>, key: K) => V | undefined = uncurried(WeakMap.prototype.get);
export const weakSet: <K extends object, V>(map: WeakMap<K, V>, key: K, value: V) => void = uncurried(WeakMap.prototype.set);
export const weakHas: <K extends object, V>(map: WeakMap<K, V>, key: K) => boolean = uncurried(WeakMap.prototype.has);
export const weakAdd: <K extends object>(set: WeakSet<K>, key: K) => void = uncurried(WeakSet.prototype.add);
export const weakIn: <K extends object>(set: WeakSet<K>, key: K) => boolean = uncurried(WeakSet.prototype.has);
export const dereference: <T extends WeakKey>(reference: WeakRef<T>) => T | undefined = uncurried(WeakRef.prototype.deref);
export const registerFinal: <T>(registry: FinalizationRegistry<T>, object: WeakKey, held: T) => void = uncurried(
  FinalizationRegistry.prototype.register,
);

/** A set of a list's values, in their order. */
export function setOf<K>(list: readonly K[]): Set<K> {
  const set = new Collection<K>();
  for (let i = 0; i < list.length; i++) setAdd(set, list[i] as K);
  return set;
}

/** The keys of a set, in their order. */
export function setKeys<K>(set: ReadonlySet<K>): K[] {
  const list: K[] = [];
  setEach(set, (key) => append(list, key));
  return list;
}

/** The keys of a map, in their order. */
export function mapKeys<K>(map: ReadonlyMap<K, unknown>): K[] {
  const list: K[] = [];
  mapEach(map, (_, key) => append(list, key));
  return list;
}

/** The values of a map, in their order. */
export function mapValues<V>(map: ReadonlyMap<unknown, V>): V[] {
  const list: V[] = [];
  mapEach(map, (value) => append(list, value));
  return list;
}

/** Any typed array. */
export type Typed = Uint8Array | Int32Array | Uint32Array | Float64Array | Float32Array | BigInt64Array;

/** Typed arrays and buffers. */
export const typedLength: (array: ArrayLike<unknown>) => number = getter(typedPrototype, 'length');
const typedBytes: (array: Typed) => number = getter(typedPrototype, 'byteLength');
const typedOffset: (array: Typed) => number = getter(typedPrototype, 'byteOffset');
export const typedBuffer: (array: Typed) => ArrayBuffer = getter(typedPrototype, 'buffer');
export const typedSet: (array: Typed, source: Typed, at?: number) => void = uncurried(typedPrototype.set);
export const { isView } = ArrayBuffer;
const plainLength: (buffer: ArrayBuffer) => number = getter(ArrayBuffer.prototype, 'byteLength');
const sharedLength: (buffer: SharedArrayBuffer) => number = getter(SharedArrayBuffer.prototype, 'byteLength');
const viewGetters = {
  buffer: getter(DataView.prototype, 'buffer'),
  offset: getter(DataView.prototype, 'byteOffset'),
  length: getter(DataView.prototype, 'byteLength'),
};
export const { isSharedArrayBuffer, isAnyArrayBuffer } = types;
const { isDataView } = types;

/** Bytes of a buffer of either kind. */
export function bufferLength(buffer: ArrayBufferLike): number {
  return isSharedArrayBuffer(buffer) ? sharedLength(buffer) : plainLength(buffer as ArrayBuffer);
}

/** The bytes that a view of any kind shows. Throws a TypeError where they are beyond a buffer's end. */
export function viewedBytes(view: ArrayBufferView): Uint8Array {
  if (!isDataView(view)) {
    const array = view as Typed;
    return new Bytes(typedBuffer(array), typedOffset(array), typedBytes(array));
  }
  return new Bytes(viewGetters.buffer(view) as ArrayBuffer, viewGetters.offset(view) as number, viewGetters.length(view) as number);
}

/** A part of some bytes: a view. */
export function subBytes(bytes: Uint8Array, start: number, end: number = typedLength(bytes)): Uint8Array {
  return new Bytes(typedBuffer(bytes), typedOffset(bytes) + start, end - start);
}

/** A part of some words: a view. */
export function subWords(words: Uint32Array, start: number, end: number): Uint32Array {
  return new Words(typedBuffer(words), typedOffset(words) + 4 * start, end - start);
}

/** A copy of bytes in a buffer of its own. */
export function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const made = new Bytes(typedLength(bytes));
  typedSet(made, bytes);
  return made;
}

/** Words of a list. */
export function wordsOf(list: readonly number[]): Uint32Array<ArrayBuffer> {
  const words = new Words(list.length);
  for (let i = 0; i < list.length; i++) words[i] = list[i] as number;
  return words;
}

/** The same, signed. */
export function integersOf(list: readonly number[]): Int32Array<ArrayBuffer> {
  const words = new Integers(list.length);
  for (let i = 0; i < list.length; i++) words[i] = list[i] as number;
  return words;
}

/** Bytes of a list. */
export function bytesOf(list: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Bytes(list.length);
  for (let i = 0; i < list.length; i++) bytes[i] = list[i] as number;
  return bytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode: (self: typeof encoder, text: string) => Uint8Array<ArrayBuffer> = uncurried(TextEncoder.prototype.encode);
const decode: (self: typeof decoder, bytes: Uint8Array) => string = uncurried(TextDecoder.prototype.decode);

/** Text as UTF-8, and back. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encode(encoder, text);
export const textOf = (bytes: Uint8Array): string => decode(decoder, bytes);

/** Promises. */
const promiseThen: (promise: Promise<unknown>, done: (value: never) => unknown, failed?: (reason: unknown) => unknown) => Promise<unknown> =
  uncurried(Promise.prototype.then);
const { resolve, reject } = Promise;
export const resolved = <T>(value: T): Promise<Awaited<T>> => apply(resolve, Promised, [value]) as Promise<Awaited<T>>;
export const rejected = (reason: unknown): Promise<never> => apply(reject, Promised, [reason]) as Promise<never>;
/** Takes note that somebody handles a promise's failure. */
export function handled(promise: Promise<unknown>): void {
  promiseThen(
    promise,
    () => undefined,
    () => undefined,
  );
}
/** Calls one of two functions when a promise of ours is settled. */
export function whenSettled<T>(promise: Promise<T>, done: (value: T) => void, failed: (reason: unknown) => void): void {
  promiseThen(promise, done, failed);
}

/** JavaScript's `instanceof` as it is without `Symbol.hasInstance`. */
export const isInstance = (value: unknown, type: abstract new (...args: never[]) => unknown): boolean => ordinaryHasInstance(type, value);
const ordinaryHasInstance: (type: unknown, value: unknown) => boolean = uncurried(Function.prototype[Symbol.hasInstance]);

/** Whether a value is an error of JavaScript's, of whichever realm. */
export const isError: (value: unknown) => value is Error = types.isNativeError;

/** A message for people of whatever was thrown. */
export function messageOf(error: unknown): string {
  // asks: an error may say its message as it likes
  return isError(error) ? error.message : typeof error === 'object' && error !== null ? 'an object was thrown' : StringValue(error);
}

/** Aborts; the signal of a controller. */
export const abort: (controller: AbortController, reason: unknown) => void = uncurried(AbortController.prototype.abort);
export const signalOf: (controller: AbortController) => AbortSignal = getter(AbortController.prototype, 'signal');

/** Timers, clocks and turns of the event loop. */
export const { setTimeout, clearTimeout, setImmediate, queueMicrotask } = globalThis;
const hrtime: () => readonly [seconds: number, nanoseconds: number] = process.hrtime;
/** Milliseconds since some moment. Not by `performance`, which Node takes a millisecond to make. */
export function now(): number {
  const time = hrtime();
  return time[0] * 1e3 + time[1] / 1e6;
}

/** `Atomics`. */
export const { wait: atomicWait, notify: atomicNotify } = Atomics;

/** Files. */
const read = readFileSync;
export const readText = (path: string): string => read(path, 'utf8');
export const [isThere, joinPaths, absolutePath] = [existsSync, join, resolvePath];
/** The environment's variables, as they are when they are read. */
export const { env } = process;
