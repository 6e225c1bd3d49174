// Calls functions of many types in every way, on the smallest stacks and with as little left of them as can be: either
// all values are right or the call ends with a stack overflow, and nothing was written below what is left for routines
// and signals (HEDDLE_DEBUG_STACKS ends the process otherwise).
// `node tests/stacks/frames/main.mjs [--part small|ci|all] [--seed N]`. Ends with `N passed, N failed`, in ways of types.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jobs } from '../../../scripts/jobs.mjs';

/** Processes of a part, one after another on each core: what instances have lives as long as their process. */
const SHARES = { small: 1, ci: 6, all: 96 };

const options = { part: { type: 'string', default: 'ci' }, seed: { type: 'string', default: '1' } };
const { part, seed } = parseArgs({ options }).values;
const shares = SHARES[part];
if (shares === undefined || !/^\d+$/.test(seed)) {
  console.error('usage: node tests/stacks/frames/main.mjs [--part small|ci|all] [--seed N]');
  process.exit(2);
}
/** The Node that runs them: an emulated one of another machine, say. */
const [execPath, ...execArgv] = (process.env.HEDDLE_SPEC_NODE ?? process.execPath).split(' ');
const program = fileURLToPath(new URL('child.mjs', import.meta.url));
const env = { ...process.env, HEDDLE_DEBUG_STACKS: '1', HEDDLE_CACHE: 'off' };
let passed = 0;
const failures = [];

/** One process: it says what it is at, so that a crash has a name. */
function run(share) {
  return new Promise((resolve) => {
    let at = 'nothing yet';
    const child = fork(program, [part, seed, String(share), String(shares)], { execPath, execArgv, env });
    child.on('message', (message) => {
      at = message.at;
      passed += message.passed ?? 0;
      if (message.failure !== undefined) failures.push(`${at}: ${message.failure}`);
    });
    child.on('close', (status, signal) => {
      if (status !== 0) failures.push(`${at}: the process ended with ${signal ?? status}`);
      resolve();
    });
  });
}

let next = 0;
async function worker() {
  while (next < shares) await run(next++);
}

await Promise.all(Array.from({ length: Math.min(jobs(), shares) }, worker));
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`frames: ${part}, seed ${seed}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 || passed === 0 ? 1 : 0);
