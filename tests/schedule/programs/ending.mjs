// Threads that end while calls wait. Argument: how. Prints what was seen; that the process ends well is the test.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { WebAssembly as Heddle, parseWat, statistics } from '../../../dist/heddle.mjs';

const TEXT = `(module (type $f (func)) (type $k (cont $f)) (import "env" "wait" (func $wait)) (elem declare func $inner)
  (memory 1) (func $inner (call $wait)) (func (export "wait") (resume $k (cont.new $k (ref.func $inner))))
  (func (export "spin") (call $wait) (loop $l (br $l))))`;

/** Makes `count` calls that never go on. */
async function park(count, wait = () => new Promise(() => {})) {
  const { instance } = await Heddle.instantiate(parseWat(TEXT), { env: { wait: new Heddle.Suspending(wait) } });
  const calls = [];
  for (let i = 0; i < count; i++) calls.push(Heddle.promising(instance.exports.wait)());
  return { instance, calls };
}

const ways = {
  /** The loop is empty: Node ends though the calls have not. */
  async idle() {
    await park(1000);
    console.log(statistics().continuationsHeld);
  },
  async exit() {
    await park(1000);
    console.log(statistics().continuationsHeld);
    process.exit(0);
  },
  /** From an import, with calls that wait. */
  async 'exit inside'() {
    const { instance } = await park(1000, () => new Promise(() => {}));
    const other = await Heddle.instantiate(parseWat(TEXT), { env: { wait: () => process.exit(0) } });
    console.log(statistics().continuationsHeld);
    void instance;
    other.instance.exports.wait();
  },
  async uncaught() {
    await park(1000);
    console.log(statistics().continuationsHeld);
    process.once('uncaughtException', () => process.exit(0));
    throw new Error('as meant');
  },
};

/** Workers that end while calls wait, one after the other. */
async function workers(how) {
  for (let i = 0; i < 4; i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: how });
    // The message and the exit may come at once.
    const ended = once(worker, 'exit');
    const [held] = await once(worker, 'message');
    if (held !== 100) throw new Error(`${held} are held`);
    if (how !== 'return') await worker.terminate();
    await ended;
  }
  console.log('4 workers');
}

if (!isMainThread) {
  const spins = workerData === 'spin';
  const { instance } = await park(100);
  if (spins) {
    // A call that goes on and then never ends: the termination finds it in WebAssembly.
    const spinning = await Heddle.instantiate(parseWat(TEXT), { env: { wait: new Heddle.Suspending(() => null) } });
    parentPort.postMessage(statistics().continuationsHeld);
    void Heddle.promising(spinning.instance.exports.spin)();
  } else {
    parentPort.postMessage(statistics().continuationsHeld);
    if (workerData === 'wait') setInterval(() => instance, 1000);
  }
} else if (process.argv[2].startsWith('worker ')) {
  await workers(process.argv[2].slice('worker '.length));
} else {
  await ways[process.argv[2]]();
}
