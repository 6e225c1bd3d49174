// Values that cross between JavaScript and either engine, and their text.
import { abstractHeap } from './companion.mjs';

const WORDS = [
  0, 1, -1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, -0x80000000, -0x7fffffff,
];
const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  1e9,
  -1e9,
  2 ** 31,
  2 ** 32,
  -(2 ** 63),
  2 ** 64,
  1e-45,
  5e-324,
  3.4e38,
  1.7e308,
  Infinity,
  -Infinity,
  NaN,
];

/** Objects that stand for external references. */
const OBJECTS = ['a', 'b', 'c', 'd'].map((id) => Object.freeze({ id }));

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
/** Bytes of heap types. */
const FUNC = 0x70;
const EXTERN = 0x6f;
/** What may be, or may not be, an i31: the type's limits are 2^30. */
const I31 = [0, 1, -1, 5, 2 ** 30 - 1, -(2 ** 30), 2 ** 30, -(2 ** 30) - 1, -0, 1.5];

/** A value of a type, or one that has to be refused, for either engine. `functions` and `objects` are that engine's own, in the same order in both. */
export function randomValue(random, type, { functions = [], objects = [] } = {}) {
  switch (type) {
    case I32:
      return random.below(4) === 0 ? random.bits() | 0 : random.pick(WORDS);
    case I64: {
      if (random.below(4) === 0) return BigInt.asIntN(64, (BigInt(random.bits()) << 32n) | BigInt(random.bits()));
      return BigInt(random.pick(WORDS)) << BigInt(random.below(2) * 32);
    }
    case F32:
      return Math.fround(randomFloat(random));
    case F64:
      return randomFloat(random);
    default: {
      const choice = random.below(4);
      if (choice === 0) return null;
      const heap = abstractHeap(type);
      if (heap === EXTERN) return OBJECTS[choice];
      if (heap === FUNC) return functions.length === 0 ? null : random.pick(functions);
      const among = random.below(8);
      if (among === 0) return OBJECTS[choice];
      if (among < 3 && functions.length > 0) return random.pick(functions);
      return among < 6 && objects.length > 0 ? random.pick(objects) : random.pick(I31);
    }
  }
}

function randomFloat(random) {
  return random.below(3) === 0 ? (random.bits() - 2 ** 31) / 2 ** random.below(40) : random.pick(FLOATS);
}

/** Whether a value is a structure or array of either engine. */
export const isObject = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) === null;

/** A value as text: the same text, the same value. A function is its name, which both engines make of its index; `object` gives the text of a structure or array. */
export function show(value, object = () => 'object') {
  if (Array.isArray(value)) return `[${value.map((each) => show(each, object)).join(', ')}]`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (isObject(value)) return object(value);
  if (typeof value === 'object' && value !== null) return `object ${value.id}`;
  return Object.is(value, -0) ? '-0' : String(value);
}
