// Which module a number is.
import { hasKind, KIND_ARRAY, KIND_STRUCT } from '../../dist/ts/validate/type_words.js';
import { validateModule } from '../../dist/ts/validate/validate.js';
import { FEATURES, generate } from './generator.mjs';
import { mix, Random } from './random.mjs';

/** What both engines have on this Node. */
export function commonFeatures() {
  const { simd, threads, tailCalls, imports, extendedConst, memory64, multiMemory, exceptions } = FEATURES;
  let features = simd | threads | tailCalls | imports;
  // (memory i64 0), (memory 0) (memory 0), (global i32 (i32.add (i32.const 0) (i32.const 0)))
  if (accepts([5, 3, 1, 4, 0])) features |= memory64;
  if (accepts([5, 5, 2, 0, 0, 0, 0])) features |= multiMemory;
  if (accepts([6, 9, 1, 0x7f, 0, 0x41, 0, 0x41, 0, 0x6a, 0x0b])) features |= extendedConst;
  // (func (try_table))
  if (accepts([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0, 0x1f, 0x40, 0, 0x0b, 0x0b])) features |= exceptions;
  return features;
}

/** Whether V8 has structures and arrays: (type (struct)). */
export const hasObjects = () => accepts([1, 3, 1, 0x5f, 0]);

/** Whether V8 takes a module of these sections. */
function accepts(sections) {
  return WebAssembly.validate(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]));
}

/** Most bytes of randomness that a module is made of. */
const LONGEST = 4096;

/** The randomness of module `index` of a run. */
export function seedOf(seed, index) {
  const random = new Random(mix(seed, index));
  return random.bytes(64 + random.below(LONGEST));
}

/** The number that decides how a module's functions are called. */
export function callSeed(seedBytes) {
  return mix(seedBytes.length, ...seedBytes.subarray(0, 16));
}

/**
 * Whether running a module may take for ever or depends on time: it may sleep on a shared memory. Bytes that look like the operators are enough to leave it
 * out.
 */
export function maySleep(bytes) {
  for (let i = 0; i + 1 < bytes.length; i++) {
    if (bytes[i] === 0xfe && (bytes[i + 1] === 0x01 || bytes[i + 1] === 0x02)) return true;
  }
  return false;
}

/**
 * A module of these bytes of randomness, and what its calls depend on; undefined where there is none that can be compared. `objects`: only modules that may have
 * structures or arrays.
 */
export function moduleOf(seedBytes, features, { objects = false } = {}) {
  // Where V8 has 64-bit memories and no 64-bit tables, most modules that may have them it does not take.
  const possible = (seedBytes[0] ?? 0) % 4 === 0 ? features : features & ~FEATURES.memory64;
  const bytes = generate(seedBytes, objects ? possible | FEATURES.gc : possible);
  if (bytes === undefined || maySleep(bytes) || (objects && !declaresObjects(bytes))) return undefined;
  return { bytes, seed: callSeed(seedBytes) };
}

/** Whether a type is a structure or an array. */
function declaresObjects(bytes) {
  const { types } = validateModule(bytes).description;
  return hasKind(types, KIND_STRUCT) || hasKind(types, KIND_ARRAY);
}
