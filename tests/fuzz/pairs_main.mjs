// Only pairs of modules: `HEDDLE_DEBUG_TYPES=1 node tests/fuzz/pairs_main.mjs [--programs N] [--seed S] [--from N]`. Ends with `N passed, N failed`.
import { comparePairs } from './pairs.mjs';
import { mix } from './random.mjs';

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const [programs, seed, from] = [option('programs', 200), option('seed', 1), option('from', 0)];
const seen = new Map();
let failed = 0;
for (let index = from; index < from + programs; index++) {
  const difference = comparePairs(mix(seed, index), (outcome) => seen.set(outcome, (seen.get(outcome) ?? 0) + 1));
  if (difference === undefined) continue;
  failed++;
  console.log(`FAILED pairs ${index}: ${difference}`);
}
console.log([...seen].map(([outcome, count]) => `${outcome}: ${count}`).join(', '));
console.log(`${programs - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
