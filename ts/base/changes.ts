/**
 * Whether JavaScript's built-in objects are what they were when Heddle was loaded. What compiles modules uses them everywhere, and would make other code of a module where one of them was changed: so
 * it asks here first, and where something was, a thread of its own compiles, which has built-in objects of its own (ts/source/elsewhere.ts).
 */
import { append, contains, getPrototypeOf, ownKeys, StringValue, setAdd, setHas } from './intrinsics.js';
import { loadedWebAssembly } from './v8_types.js';

/** The global names that count. Not among them is what code has no use for (`Date`, `Intl`), what programs replace all the time (`console`, timers) and `WebAssembly`, in whose place Heddle's may be put. */
const NAMES = [
  'Array',
  'ArrayBuffer',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'Buffer',
  'DataView',
  'Error',
  'FinalizationRegistry',
  'Float32Array',
  'Float64Array',
  'Function',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Iterator',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'Reflect',
  'RegExp',
  'Set',
  'SharedArrayBuffer',
  'String',
  'Symbol',
  'TextDecoder',
  'TextEncoder',
  'TypeError',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'WeakMap',
  'WeakRef',
  'WeakSet',
  'isNaN',
  'parseInt',
  'parseFloat',
];

const MATCHES: PropertyKey[] = [];
for (const key of ownKeys(RegExp)) if (/^(?:\$.|input|last|left|right)/.test(String(key))) MATCHES.push(key);

/** What programs set, or V8 by itself, and no code depends on: how stack traces look, and `RegExp.$1`. */
const IGNORED: readonly (readonly [object: object, keys: readonly PropertyKey[]])[] = [
  [Error, ['stackTraceLimit', 'prepareStackTrace', 'captureStackTrace']],
  [RegExp, MATCHES],
];

/** A property: its value, or its accessors. */
interface Kept {
  readonly object: object;
  readonly key: PropertyKey;
  readonly place: string;
  readonly value: unknown;
  readonly get: unknown;
  readonly set: unknown;
}

/** How many properties an object has of its own. */
interface Count {
  readonly object: object;
  readonly place: string;
  readonly count: number;
}

const properties: Kept[] = [];
const counts: Count[] = [];
const { getOwnPropertyDescriptor, is } = Object;
const hasInstance: typeof Symbol.hasInstance = Symbol.hasInstance;

/** Those of an object's keys that do not count. */
function ignored(object: object): readonly PropertyKey[] {
  for (let i = 0; i < IGNORED.length; i++) if (IGNORED[i]?.[0] === object) return IGNORED[i]?.[1] ?? NONE;
  return NONE;
}
const NONE: readonly PropertyKey[] = [];

function counted(object: object): number {
  const names = ownKeys(object);
  const without = ignored(object);
  let count = 0;
  if (without.length === 0) return names.length;
  for (let i = 0; i < names.length; i++) if (!contains(without, names[i] as PropertyKey)) count++;
  return count;
}

/** A property that is looked for in prototypes. */
function inherited(object: object, key: symbol, place: string): Kept {
  const value = (object as Record<PropertyKey, unknown>)[key];
  return { object, key, place, value, get: undefined, set: undefined };
}

/** Keeps an object's properties, and those of its prototype object. */
function keep(object: object, place: string, seen: Set<object>): void {
  if (setHas(seen, object)) return;
  setAdd(seen, object);
  const names = ownKeys(object);
  for (let i = 0; i < names.length; i++) {
    const key = names[i] as PropertyKey;
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor === undefined || contains(ignored(object), key)) continue;
    const name = typeof key === 'symbol' ? `${place}[${StringValue(key)}]` : `${place}.${StringValue(key)}`;
    const { value, get, set } = descriptor as { value?: unknown; get?: unknown; set?: unknown };
    append(properties, { object, key, place: name, value, get, set });
    if (key === 'prototype' && typeof value === 'object' && value !== null) keep(value, name, seen);
  }
  // What is added to a class or to Math changes nothing, but that another way of `instanceof` does.
  if (typeof object === 'function') append(properties, inherited(object, hasInstance, place));
  else if (place !== 'Math' && place !== 'JSON' && place !== 'Reflect') append(counts, { object, place, count: counted(object) });
}

const seen = new Set<object>();
for (const name of NAMES) {
  const value: unknown = Reflect.get(globalThis, name);
  if (value === undefined) continue; // A later Node has it.
  // After it was read: some of Node's are accessors that then make themselves values.
  const { get, set } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
  append(properties, { object: globalThis, key: name, place: name, value, get, set });
  if (typeof value === 'function' || typeof value === 'object') keep(value as object, name, seen);
}
// The classes of WebAssembly that the code generator's own JavaScript uses. Their functions may be wrapped: nobody here asks for them by name.
for (const name of ['Instance', 'Memory', 'Module', 'Table'] as const)
  keep(loadedWebAssembly[name].prototype, `WebAssembly.${name}.prototype`, seen);
// Prototypes that no global name leads to.
const lists: [string, object][] = [
  ['an iterator of arrays', [][Symbol.iterator]()],
  ['an iterator of maps', new Map()[Symbol.iterator]()],
  ['an iterator of sets', new Set()[Symbol.iterator]()],
  ['an iterator of text', ''[Symbol.iterator]()],
  ['an iterator of matches', 'a'.matchAll(/a/g)],
  ['a generator', (function* () {})()],
  ['a typed array', new Uint8Array()],
  ['a function', async () => {}],
];
for (const [name, object] of lists) {
  for (let one = getPrototypeOf(object); one !== null; one = getPrototypeOf(one)) keep(one, `the prototype of ${name}`, seen);
}

/** What had a value is read, which is faster than to ask for its descriptor: an accessor that gives the same value does no harm. */
function isAsKept({ object, key, value, get, set }: Kept): boolean {
  if (get === undefined && set === undefined) return is((object as Record<PropertyKey, unknown>)[key], value);
  const now = getOwnPropertyDescriptor(object, key);
  // asks: an object that has just been made
  return now !== undefined && now.get === get && now.set === set;
}

/** The first property that is not as it was. */
function changedProperty(): string | undefined {
  let i = 0;
  try {
    for (; i < properties.length; i++) if (!isAsKept(properties[i] as Kept)) return (properties[i] as Kept).place;
  } catch {
    return (properties[i] as Kept).place; // An accessor that throws.
  }
  return undefined;
}

/** What of the built-in objects is other than when Heddle was loaded; undefined where nothing is. Some hundreds of microseconds. */
export function changedIntrinsic(): string | undefined {
  for (let i = 0; i < counts.length; i++) {
    const { object, place, count } = counts[i] as Count;
    if (counted(object) !== count) return place;
  }
  return changedProperty();
}
