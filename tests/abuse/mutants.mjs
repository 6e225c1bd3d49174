// `node tests/abuse/mutants.mjs [--count N] [--seed S]`: mutants of valid modules are validated, compiled, instantiated and run under a deadline.
// A crash, a hang or an error without a code fails. Ends with `N passed, N failed`.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jobs } from '../../scripts/jobs.mjs';

const { values } = parseArgs({ options: { count: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } } });
const count = Number(values.count);
const first = Number(values.seed);
const BATCH = 500;
const TIMEOUT = 240_000;

const batches = [];
for (let from = first; from < first + count; from += BATCH) batches.push({ from, to: Math.min(from + BATCH, first + count) });
const total = {};
const wrong = [];

async function worker() {
  let child;
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
    child ??= fork(fileURLToPath(new URL('child.mjs', import.meta.url)), { env: { ...process.env, HEDDLE_CACHE: 'off' } });
    const current = child;
    await new Promise((resolve) => {
      let at = batch.from;
      const timer = setTimeout(() => current.kill('SIGKILL'), TIMEOUT);
      const done = () => {
        clearTimeout(timer);
        current.removeAllListeners();
        resolve();
      };
      current.on('message', (message) => {
        if (message.at !== undefined) {
          at = message.at;
          return;
        }
        for (const [stage, n] of Object.entries(message.counts)) total[stage] = (total[stage] ?? 0) + n;
        wrong.push(...message.wrong);
        done();
      });
      current.once('exit', (status, signal) => {
        child = undefined;
        wrong.push(`seeds ${at} to ${Math.min(at + 63, batch.to - 1)}: the process ended with ${signal ?? status}`);
        done();
      });
      current.send(batch);
    });
  }
  child?.disconnect();
}

await Promise.all(Array.from({ length: Math.min(jobs(), batches.length) }, worker));
for (const line of wrong) console.log(`FAILED ${line}`);
const valid = count - (total.rejected ?? 0);
console.log(`mutants: ${count}; furthest stage: ${JSON.stringify(total)}; ${((100 * valid) / count).toFixed(1)}% still validate`);
if (valid * 5 < count) wrong.push('fewer than a fifth of the mutants still validate');
console.log(`${count - wrong.length} passed, ${wrong.length} failed`);
process.exit(wrong.length > 0 ? 1 : 0);
