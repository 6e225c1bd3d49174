// Mutants of valid modules: deterministic by seed. Half change operators and immediates in place, so that many still validate; half change bytes anyhow.

/** A small generator of random numbers (xorshift32). */
export function random(seed) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/** Opcodes that take and give the same types, as ranges. */
const CLASSES = [
  [0x46, 0x4f],
  [0x51, 0x5a],
  [0x5b, 0x60],
  [0x61, 0x66], // comparisons
  [0x67, 0x69],
  [0x6a, 0x78],
  [0x79, 0x7b],
  [0x7c, 0x8a], // integers
  [0x8b, 0x91],
  [0x92, 0x98],
  [0x99, 0x9f],
  [0xa0, 0xa6], // floats
  [0x2c, 0x2f],
  [0x30, 0x35],
  [0x3a, 0x3b],
  [0x3c, 0x3e], // narrow loads and stores
];
/** Opcodes whose first immediate is a LEB128 number. */
const NUMBERED = new Set([0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x41, 0x42, 0xe0, 0xe2]);

/** Changes 1 to 4 operators. `sites` are [opcode, offset] pairs. */
function structured(bytes, sites, next) {
  for (let n = 1 + next(4); n > 0 && sites.length > 0; n--) {
    const [opcode, offset] = sites[next(sites.length)];
    const range = CLASSES.find(([first, last]) => opcode >= first && opcode <= last);
    if (range !== undefined) bytes[offset] = range[0] + next(range[1] - range[0] + 1);
    else if (NUMBERED.has(opcode) && offset + 1 < bytes.length) {
      // The continuation bit stays, so that what follows is not shifted.
      bytes[offset + 1] = (bytes[offset + 1] & 0x80) | (opcode === 0x41 || opcode === 0x42 ? next(128) : next(4));
    }
  }
  return bytes;
}

/** Changes bytes: flips, overwrites, cuts, repeats. */
function anyhow(bytes, next) {
  let out = bytes;
  for (let n = 1 + next(3); n > 0; n--) {
    const at = 8 + next(Math.max(1, out.length - 8));
    switch (next(5)) {
      case 0:
        out[at] ^= 1 << next(8);
        break;
      case 1:
        out[at] = next(256);
        break;
      case 2:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + 1 + next(4))]);
        break;
      case 3:
        out = Uint8Array.from([...out.subarray(0, at), next(256), ...out.subarray(at)]);
        break;
      default:
        out = out.slice(0, at);
    }
  }
  return out;
}

/** The mutant of a seed. `corpus` entries are { bytes, sites }. */
export function mutant(seed, corpus) {
  const next = random(seed);
  const { bytes, sites } = corpus[next(corpus.length)];
  const copy = bytes.slice();
  return next(2) === 0 ? anyhow(copy, next) : structured(copy, sites, next);
}
