// Function types to try frames with, and the arithmetic of what functions of them do: what a call must have stored is
// computed here, in JavaScript.

export const TYPES = ['i32', 'i64', 'f32', 'f64', 'v128', 'funcref', 'externref'];
/** Counts of params or results. */
export const COUNTS = [...Array.from({ length: 41 }, (_, n) => n), 64, 100, 250, 500, 999, 1000];
/** Distinct references of a type. */
export const REFERENCES = 3;

/** A generator of numbers below a limit (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** `count` times a type; 'mixed' draws each. */
export function typesOf(count, type, draw) {
  return Array.from({ length: count }, () => (type === 'mixed' ? TYPES[draw(TYPES.length)] : type));
}

/** Of each type: the k-th value in text and in JavaScript, and adding a small number. References are their number. */
const KINDS = {
  i32: { text: (k) => `(i32.const ${k})`, value: (k) => k, add: (text, j) => `(i32.add ${text} (i32.const ${j}))`, plus: (v, j) => v + j },
  i64: {
    text: (k) => `(i64.const ${BigInt(k) << 32n})`,
    value: (k) => BigInt(k) << 32n,
    add: (text, j) => `(i64.add ${text} (i64.const ${j}))`,
    plus: (v, j) => v + BigInt(j),
  },
  f32: { text: (k) => `(f32.const ${k})`, value: (k) => k, add: (text, j) => `(f32.add ${text} (f32.const ${j}))`, plus: (v, j) => v + j },
  f64: {
    text: (k) => `(f64.const ${k}.5)`,
    value: (k) => k + 0.5,
    add: (text, j) => `(f64.add ${text} (f64.const ${j}))`,
    plus: (v, j) => v + j,
  },
  v128: {
    text: (k) => `(v128.const i64x2 ${k} ${k + 7})`,
    value: (k) => (BigInt(k + 7) << 64n) | BigInt(k),
    add: (text, j) => `(i64x2.add ${text} (v128.const i64x2 ${j} 1))`,
    plus: (v, j) => v + (1n << 64n) + BigInt(j),
  },
  funcref: { text: (k) => `(ref.func $n${k % REFERENCES})`, value: (k) => k % REFERENCES, add: (text) => text, plus: (v) => v },
  externref: { text: (k) => `(global.get $e${k % REFERENCES})`, value: (k) => k % REFERENCES, add: (text) => text, plus: (v) => v },
};

/** The k-th constant of a type, in text. */
export const constant = (type, k) => KINDS[type].text(k);

/** For each result: the param it is made from (-1 for none, then it is a constant), and the text that makes it. */
function recipe({ params, results }) {
  const of = Object.fromEntries(TYPES.map((type) => [type, params.flatMap((param, i) => (param === type ? [i] : []))]));
  return results.map((type, j) => {
    const from = of[type];
    return from.length === 0 ? -1 : from[(7 * j + 3) % from.length];
  });
}

/** The function of a shape, in text: its results, given its params as locals. */
export function resultTexts(shape) {
  return recipe(shape).map((from, j) => {
    const type = shape.results[j];
    return from < 0 ? constant(type, 500 + j) : KINDS[type].add(`(local.get ${from})`, j);
  });
}

/** The same function of values. */
export function resultsOf(shape, args) {
  return recipe(shape).map((from, j) => {
    const kind = KINDS[shape.results[j]];
    return from < 0 ? kind.value(500 + j) : kind.plus(args[from], j);
  });
}

/** The arguments that every call passes. */
export const argumentsOf = ({ params }) => params.map((type, i) => KINDS[type].value(i + 1));
export const argumentTexts = ({ params }) => params.map((type, i) => constant(type, i + 1));
