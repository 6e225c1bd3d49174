// One module of a run, for whoever looks for the cause of a difference: `node tests/fuzz/one.mjs SEED INDEX [--objects] [--shrink] [--out FILE]`. Prints what differs.
import { writeFileSync } from 'node:fs';
import { compare } from './compare.mjs';
import { commonFeatures, moduleOf, seedOf } from './modules.mjs';
import { shrink } from './shrink.mjs';

const [seed, index] = process.argv.slice(2, 4).map(Number);
const features = commonFeatures();
const options = { objects: process.argv.includes('--objects') };

function difference(bytes) {
  const module = moduleOf(bytes, features, options);
  return module === undefined ? undefined : compare(module.bytes, module.seed).difference;
}

let bytes = seedOf(seed, index);
if (process.argv.includes('--shrink')) bytes = shrink(bytes, (candidate) => difference(candidate) !== undefined);
const out = process.argv.indexOf('--out');
const module = moduleOf(bytes, features, options);
if (module !== undefined && out >= 0) writeFileSync(process.argv[out + 1], module.bytes);
console.log(`module of ${module?.bytes.length} bytes, calls by seed ${module?.seed}`);
console.log(module === undefined ? 'no module' : JSON.stringify(compare(module.bytes, module.seed), null, 2).replaceAll('\\n', '\n'));
