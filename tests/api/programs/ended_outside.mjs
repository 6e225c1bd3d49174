// Workers are terminated, or end, while a call of an export waits for its import. Prints the exit codes.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

if (isMainThread) {
  for (const way of ['terminate', 'exit', 'nested']) {
    const worker = new Worker(new URL(import.meta.url), { workerData: way });
    await once(worker, 'message');
    if (way !== 'exit') worker.terminate();
    const [code] = await once(worker, 'exit');
    console.log(code);
  }
} else {
  const { WebAssembly, parseWat } = await import('../../../dist/heddle.mjs');
  const text =
    '(module (import "m" "js" (func $js (param i32) (result i32))) (func (export "w") (param i32) (result i32) (call $js (local.get 0))))';
  const js = (down) => {
    if (down > 0) return w(down - 1);
    parentPort.postMessage('inside');
    if (workerData === 'exit') process.exit(1);
    for (;;);
  };
  const { w } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)), { m: { js } }).exports;
  w(workerData === 'nested' ? 50 : 0);
}
