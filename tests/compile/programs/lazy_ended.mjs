// First calls that are ended in the middle of the compile: a worker's by terminate(), this thread's by a time limit of node:vm. Prints JSON.
import { once } from 'node:events';
import vm from 'node:vm';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { parseWat, WebAssembly } from '../../../dist/heddle.mjs';

/** Seconds of compiling. */
const STEPS = 60_000;
const step = (i) => `(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const ${2 * i + 3})) (i32.const ${i})))`;
const text = `(module (func (export "large") (param i32) (result i32) ${Array.from({ length: STEPS }, (_, i) => step(i)).join('\n')} (local.get 0)))`;
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text), { compile: 'lazy' }));

if (!isMainThread) {
  parentPort.postMessage('ready');
  exports.large(1);
  parentPort.postMessage('done');
} else {
  const worker = new Worker(new URL(import.meta.url));
  const [first] = await once(worker, 'message');
  if (first !== 'ready') throw new Error(`the worker said ${first}`);
  let done = false;
  worker.on('message', () => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const terminated = await worker.terminate();
  if (done) throw new Error('it was made too soon');
  let limited = 'returned';
  try {
    vm.runInNewContext('large(1)', { large: exports.large }, { timeout: 50 });
  } catch (error) {
    limited = error.code;
  }
  let expected = 1;
  for (let i = 0; i < STEPS; i++) expected = (Math.imul(expected, 2 * i + 3) + i) | 0;
  console.log(JSON.stringify({ terminated, limited, after: exports.large(1) === expected }));
}
