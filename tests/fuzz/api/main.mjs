// `node tests/fuzz/api/main.mjs [--sequences N | --seconds N] [--seed S]`: random sequences of calls of the API with hostile objects. A
// crash, a hang, an error that is no typed one, a leak, or calls that do not work afterwards, fail. `--reproduce S` runs one sequence and
// prints what it does; with `--before N` those N in front of it as well, as the process that found it had. Ends with `N passed, N failed`.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jobs } from '../../../scripts/jobs.mjs';

const { values } = parseArgs({
  options: {
    sequences: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    reproduce: { type: 'string' },
    before: { type: 'string', default: '0' },
    workers: { type: 'string' },
  },
});

/** Seeds of one process; what they have of a process is not the next ones'. */
const CHUNK = 600;
/** A sequence waits for no more than a few milliseconds anywhere. */
const TIMEOUT = 120_000;
const MOST_WRONG = 20;
const PROGRESS = 5000;

/** What the processes run under, in turn. */
const ENVIRONMENTS = [{}, { HEDDLE_COLLECT: 'always', HEDDLE_DEBUG_TYPES: '1' }, { HEDDLE_HIBERNATE: 'always', HEDDLE_DEBUG_STACKS: '1' }];
const chunkOf = (seed) => Math.floor(seed / CHUNK);
const environmentOf = (seed) => ENVIRONMENTS[chunkOf(seed) % ENVIRONMENTS.length];

if (values.reproduce !== undefined) {
  const seed = Number(values.reproduce);
  // The addon reads them when it is loaded.
  Object.assign(process.env, environmentOf(seed), { HEDDLE_CACHE: 'off' });
  const { runSequence } = await import('./sequence.mjs');
  for (let before = seed - Number(values.before); before < seed; before++) await runSequence(before);
  const wrong = await runSequence(seed, (line) => console.log(line));
  for (const line of wrong) console.log(`FAILED ${line}`);
  console.log(`${wrong.length === 0 ? 1 : 0} passed, ${wrong.length} failed`);
  process.exit(wrong.length === 0 ? 0 : 1);
}

const first = Number(values.seed);
const end = values.sequences === undefined ? Number.POSITIVE_INFINITY : first + Number(values.sequences);
const until = values.seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.seconds) * 1000;
if (end === Number.POSITIVE_INFINITY && until === Number.POSITIVE_INFINITY) throw new Error('--sequences or --seconds is needed');
let next = first;
let done = 0;
let failed = 0;

function fail(text) {
  failed++;
  console.log(`FAILED ${text}`);
}

/** Runs the seeds of one chunk in a process of its own. */
function runChunk(from, to) {
  const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), {
    execArgv: ['--expose-gc'],
    env: { ...process.env, HEDDLE_CACHE: 'off', ...environmentOf(from) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let at = from;
  let over = false;
  return new Promise((resolve) => {
    let timer;
    const arm = () => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT);
    };
    arm();
    child.on('message', (message) => {
      arm();
      for (const line of message.wrong ?? []) fail(line);
      if (message.done !== undefined && ++done % PROGRESS === 0) console.log(`${done} sequences, ${failed} failed`);
      if (message.at !== undefined) at = message.at;
      over = message.over === true;
      if (over || Date.now() >= until || failed >= MOST_WRONG) {
        over = true;
        child.kill('SIGKILL');
      }
    });
    child.once('exit', (status, signal) => {
      clearTimeout(timer);
      if (!over) fail(`seed ${at} (--before ${at - from}): the process ended with ${signal ?? status}`);
      resolve();
    });
    child.send({ from, to });
  });
}

async function worker() {
  while (next < end && Date.now() < until && failed < MOST_WRONG) {
    const from = next;
    next = Math.min((chunkOf(from) + 1) * CHUNK, end);
    await runChunk(from, next);
  }
}

await Promise.all(Array.from({ length: Number(values.workers ?? jobs()) }, worker));
console.log(`sequences: ${done} of the seeds ${first} to ${next - 1}`);
console.log(`${Math.max(0, done - failed)} passed, ${failed} failed`);
process.exit(failed > 0 || done === 0 ? 1 : 0);
