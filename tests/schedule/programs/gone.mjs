// Calls that wait for a promise, while the last reference to their instance goes, or the instance is disposed of, or they are cancelled; only then the promise settles. Needs
// --expose-gc. Prints what came of them, and counters.
import { collect, dispose, parseWat, Scheduler, statistics, WebAssembly } from '../../../dist/heddle.mjs';

/** After the wait it needs its memory and its other imports. */
const TEXT = `(module (import "m" "wait" (func $wait (param i32) (result i32))) (import "m" "twice" (func $twice (param i32) (result i32)))
  (memory 1)
  (func (export "run") (param i32) (result i32)
    (i32.store (i32.const 100) (local.get 0))
    (i32.add (call $wait (local.get 0)) (call $twice (i32.load (i32.const 100)))))
  (func (export "again") (param i32) (result i32) (i32.add (call $wait (local.get 0)) (call $wait (local.get 0)))))`;
const COUNT = 10;

async function settle() {
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    globalThis.gc();
    collect();
  }
  const { instances, continuationsLive } = statistics();
  return { instances, continuationsLive };
}

const module = new WebAssembly.Module(parseWat(TEXT));
/** An instance, and how the promises of its import are settled. */
function make() {
  const settlers = [];
  const wait = (x) => new Promise((resolve, reject) => settlers.push({ resolve: () => resolve(x + 1), reject }));
  const instance = new WebAssembly.Instance(module, { m: { wait: new WebAssembly.Suspending(wait), twice: (x) => 2 * x } });
  return { instance, settlers, function: new WeakRef(wait) };
}
const outcome = (promise) => promise.then(String, (error) => error.code ?? String(error));

const results = {};

// The instance is collected with the calls, not before.
const begin = (_, i) => {
  const { instance, settlers } = make();
  return { promise: outcome(WebAssembly.promising(instance.exports.run)(i)), settlers };
};
let waiting = Array.from({ length: COUNT }, begin);
results.waiting = await settle();
for (const [i, { settlers }] of waiting.entries()) {
  if (i % 2 === 0) settlers[0].resolve();
  else settlers[0].reject(new Error('no'));
}
results.outcomes = await Promise.all(waiting.map(({ promise }) => promise));
waiting = undefined;
results.after = await settle();

// Disposed of: the wait ends well, the next call of an import does not.
const disposed = make();
const calls = [disposed.instance.exports.run, disposed.instance.exports.again].map((f) => outcome(WebAssembly.promising(f)(5)));
dispose(disposed.instance);
for (const { resolve } of disposed.settlers) resolve();
results.disposed = await Promise.all(calls);
results.anew = await outcome(WebAssembly.promising(disposed.instance.exports.again)(5));
disposed.settlers.length = 0;
await settle();
results.functionGone = disposed.function.deref() === undefined;

// Cancelled: what the promise gives comes too late, twice as well.
const cancelled = make();
const scheduler = new Scheduler();
const task = scheduler.spawn(cancelled.instance.exports.run, [7]);
await new Promise(setImmediate);
task.cancel(new Error('enough'));
for (const { resolve, reject } of cancelled.settlers) {
  resolve();
  reject(new Error('late'));
}
results.cancelled = await outcome(task.promise);
results.statistics = (({ completed, failed, cancelled, active }) => ({ completed, failed, cancelled, active }))(scheduler.statistics());
process.stdout.write(JSON.stringify(results));
