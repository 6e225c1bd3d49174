// Threads that run random trees of continuations and are ended in the midst: `node workers.mjs SEED THREADS`. Prints what the process has at the end.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const [seed, threads] = process.argv.slice(2).map(Number);
const AT_A_TIME = 3;
const program = new URL('tree.mjs', import.meta.url);
const maps = () => readFileSync('/proc/self/maps', 'utf8').split('\n').length;

let errors = 0;
/** Ends a thread some milliseconds after it has begun to run. */
function run(number) {
  return new Promise((resolve) => {
    const worker = new Worker(program, { argv: [String(seed + number), '1000000000', 'collect', 'hibernate'], stdout: true });
    worker.on('error', (error) => {
      errors++;
      process.stderr.write(`${error.stack}\n`);
    });
    worker.on('exit', resolve);
    setTimeout(() => worker.terminate(), 150 + ((seed + number) % 7) * 20);
  });
}

async function batch(from, to) {
  for (let n = from; n < to; n += AT_A_TIME) await Promise.all(Array.from({ length: Math.min(AT_A_TIME, to - n) }, (_, i) => run(n + i)));
  return maps();
}

const first = await batch(0, threads / 2);
const last = await batch(threads / 2, threads);
process.stdout.write(JSON.stringify({ errors, more: last - first }));
