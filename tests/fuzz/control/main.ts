/**
 * `npm run fuzz:control -- [--seconds N] [--programs N] [--seed S] [--reproduce SEED] [--engine heddle|v8]`: random stack-switching programs on Heddle, and
 * on V8 where a Node 26 is found, against the reference interpreter. Ends with the coverage and `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { jobs as processes } from '../../../scripts/jobs.mjs';
import { Campaign, type Found, reproduce } from './campaign.js';
import { type Coverage, HITS_PER_PROGRAM } from './coverage.js';
import { programOf } from './generator.js';
import { engineCommands } from './peers.js';
import { print } from './print.js';

/** Programs from which on the coverage is demanded. */
const ENOUGH = 100_000;
/** Of another engine, as a part of its programs. */
const MOST_CRASHES = 0.05;
const SEEDS_APART = 10_000_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    programs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    reproduce: { type: 'string' },
    engine: { type: 'string' },
    jobs: { type: 'string' },
  },
});

function show({ seed, engine, expected, actual, error, program }: Found): void {
  const at = actual?.findIndex((line, i) => line !== expected[i]) ?? -1;
  console.log(`\nDIFFERENCE on ${engine}, seed ${seed}: ${error ?? `line ${at} of the log`}`);
  console.log(`expected: ${expected.join(' | ')}`);
  if (actual !== undefined) console.log(`actual:   ${actual.join(' | ')}`);
  console.log(print(program));
}

const { commands, absent } = engineCommands();
if (absent !== undefined) console.log(absent);
const wanted = commands.filter(({ name }) => values.engine === undefined || values.engine === name);

if (values.reproduce !== undefined) {
  const seed = Number(values.reproduce);
  for (const command of wanted) {
    const found = await reproduce(command, seed, programOf(seed).program);
    if (found === undefined) console.log(`${command.name}: no difference in seed ${seed}`);
    else show(found);
  }
  process.exit(0);
}

const seconds = Number(values.seconds ?? (values.programs === undefined ? 60 : Number.POSITIVE_INFINITY));
const programs = Number(values.programs ?? Number.POSITIVE_INFINITY);
const first = Number(values.seed) * SEEDS_APART;
const jobs = Number(values.jobs ?? Math.max(1, Math.floor(processes() / wanted.length)));
const started = performance.now();
const campaigns = wanted.map((command) => new Campaign(command, { first, programs, until: started + 1000 * seconds, jobs }));
await Promise.all(campaigns.map((campaign) => campaign.run()));

let passed = 0;
let failed = 0;
for (const campaign of campaigns) {
  const { command, coverage, compared, skipped, failures, crashes, found } = campaign;
  const took = (performance.now() - started) / 1000;
  found.forEach(show);
  for (const line of failures) console.log(`FAILED on ${command.name}: ${line}`);
  for (const line of crashes) console.log(`${command.name} crashed: ${line}`);
  const hit = coverage.counts.filter((count) => count > 0).length;
  console.log(
    `${command.name}: ${compared} programs from seed ${first} on (${skipped} more that it does not run), ${failures.length} differences, ` +
      `${crashes.length} crashes; ${hit} cells of coverage; ${(compared / took).toFixed(0)} programs/s`,
  );
  const wrong = failures.length + (command.name === 'heddle' ? crashes.length + report(coverage, compared) : foreign(crashes, compared));
  passed += compared - failures.length;
  failed += wrong;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Crashes of another engine are its own bugs, as long as they are rare: more would mean that programs are put to it which it is not made for. */
function foreign(crashes: readonly string[], compared: number): number {
  return crashes.length > MOST_CRASHES * Math.max(compared, 100) ? crashes.length : 0;
}

/** Says what was covered; how many cells are not as they should be. */
function report(coverage: Coverage, compared: number): number {
  console.log(coverage.table().join('\n'));
  const least = Math.floor(compared * HITS_PER_PROGRAM);
  if (compared < ENOUGH) {
    console.log(`coverage is demanded from ${ENOUGH} programs on`);
    return 0;
  }
  const wrong = coverage.wrong(least);
  for (const line of wrong) console.log(`FAILED coverage: ${line}`);
  return wrong.length;
}
