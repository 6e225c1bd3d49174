// Values that cross between JavaScript and either engine, and their text.

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
/** The low byte of a reference's type. */
const FUNC = 0x70;

/** A value of a type for either engine. `functions` are that engine's own, in the same order in both. */
export function randomValue(random, type, functions) {
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
      if ((type & 0xff) === FUNC) return choice === 0 || functions.length === 0 ? null : functions[random.below(functions.length)];
      return choice === 0 ? null : OBJECTS[choice];
    }
  }
}

function randomFloat(random) {
  return random.below(3) === 0 ? (random.bits() - 2 ** 31) / 2 ** random.below(40) : random.pick(FLOATS);
}

/** A value as text: the same text, the same value. A function is its name, which both engines make of its index. */
export function show(value) {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return `object ${value.id}`;
  return Object.is(value, -0) ? '-0' : String(value);
}
