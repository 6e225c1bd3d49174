// What a short call costs that waits twice for the next turn of the event loop, 100 at a time: microseconds of processor time a call, as a promising call, as a task of a scheduler,
// as one that a signal may end, and as an asynchronous function of JavaScript: `node benchmarks/tasks.mjs [--trials 5] [--count 100000]`.
import { best, header, heddle, interleaved, median, option, report, runTrial, table, trial } from './harness.mjs';

const count = option('count', 100_000);
const TOGETHER = 100;
const TEXT = '(module (import "env" "wait" (func $wait)) (func (export "run") (call $wait) (call $wait)))';
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** By name: what makes a call, given the package. */
const WAYS = {
  'async function': () => async () => {
    await nextTurn();
    await nextTurn();
  },
  promising: ({ WebAssembly }, run) => WebAssembly.promising(run),
  task: ({ Scheduler }, run) => {
    const scheduler = new Scheduler();
    return () => scheduler.spawn(run, []).promise;
  },
  'task with a signal': ({ Scheduler }, run) => {
    const scheduler = new Scheduler();
    return () => scheduler.spawn(run, [], { signal: new AbortController().signal }).promise;
  },
};

async function measure(name) {
  const made = await heddle();
  const { WebAssembly, parseWat } = made;
  const { instance } = await WebAssembly.instantiate(parseWat(TEXT), { env: { wait: new WebAssembly.Suspending(nextTurn) } });
  const call = WAYS[name](made, instance.exports.run);
  const calls = async (times) => {
    const one = async () => {
      for (let i = 0; i < times / TOGETHER; i++) await call();
    };
    await Promise.all(Array.from({ length: TOGETHER }, one));
  };
  await calls(count / 4);
  const before = process.cpuUsage();
  await calls(count);
  const { user, system } = process.cpuUsage(before);
  report({ microseconds: (user + system) / count });
}

if (trial !== undefined) await measure(trial);
else {
  header(`${count} calls that wait twice, ${TOGETHER} at a time: us of processor time each`);
  const names = Object.keys(WAYS);
  const results = interleaved(
    names.map((name) => [name, () => runTrial(import.meta.url, name, { args: ['--count', count] }).microseconds]),
    option('trials', 5),
  );
  table(
    ['', 'best', 'median'],
    names.map((name, i) => [name, best(results[i]), median(results[i])]),
  );
}
