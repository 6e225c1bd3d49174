// Random valid modules: the artifact in fuzz/dist, and the export of its fuel.
import { readFileSync } from 'node:fs';
import { leb, readLeb, sections } from './sections.mjs';

/** What modules may use, as bits; fuzz/src/lib.rs has the same list. */
export const FEATURES = {
  simd: 1,
  threads: 2,
  tailCalls: 4,
  memory64: 8,
  multiMemory: 16,
  exceptions: 32,
  extendedConst: 64,
  relaxedSimd: 128,
  customPageSizes: 256,
  gc: 512,
  imports: 1024,
};

/** The name by which a module exports its fuel: what is left of the loops and calls that it may make. */
export const FUEL = 'fuel left';

const { exports: artifact } = new WebAssembly.Instance(
  new WebAssembly.Module(readFileSync(new URL('../../fuzz/dist/heddle_fuzz.wasm', import.meta.url))),
);

/** The module that a seed (bytes) makes, with its fuel exported; undefined where it makes none. */
export function generate(seed, features) {
  const at = artifact.seed(seed.length);
  new Uint8Array(artifact.memory.buffer, at, seed.length).set(seed);
  const length = artifact.generate(features);
  if (length === 0) return undefined;
  return withFuel(new Uint8Array(artifact.memory.buffer, artifact.module(), length).slice(), artifact.fuel());
}

const EXPORTS = 7;
const CUSTOM = 0;
const TAGS = 13;
/** Sections in the order of the binary format: tags stand before globals. */
const rank = (id) => (id === TAGS ? 5.5 : id);

/** The module with its fuel global among the exports. */
function withFuel(bytes, global) {
  const entry = [...leb(FUEL.length), ...Buffer.from(FUEL), 3, ...leb(global)];
  const section = (content) => Uint8Array.from([EXPORTS, ...leb(content.length), ...content]);
  const parts = [bytes.subarray(0, 8)];
  let done = false;
  for (const { id, at, start, end } of sections(bytes)) {
    if (id === EXPORTS) {
      const count = readLeb(bytes, start);
      parts.push(section([...leb(count.value + 1), ...bytes.subarray(count.end, end), ...entry]));
      done = true;
    } else {
      if (!done && id !== CUSTOM && rank(id) > EXPORTS) {
        parts.push(section([1, ...entry]));
        done = true;
      }
      parts.push(bytes.subarray(at, end));
    }
  }
  if (!done) parts.push(section([1, ...entry]));
  return new Uint8Array(Buffer.concat(parts));
}
