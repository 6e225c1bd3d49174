// Workers that alone use Heddle come and go. Arguments: how many. Prints what each did, and memory after the first quarter and at the end.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const TEXT = `(module (type $f (func)) (type $k (cont $f)) (tag $t) (memory 1) (table $kept 1 (ref null $k))
  (func $body (suspend $t) (suspend $t)) (elem declare func $body)
  (func (export "trap") (drop (i32.load (i32.const 65533))))
  (func (export "switch") (result i32) (local $c (ref null $k))
    (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $body))) (return (i32.const 0)))
    (local.set $c) (table.set $kept (i32.const 0) (local.get $c)) (i32.const 42)))`;

async function work(bytes) {
  const { WebAssembly: Heddle } = await import('../../../dist/heddle.mjs');
  const { exports } = new Heddle.Instance(new Heddle.Module(bytes));
  let trap = '';
  try {
    exports.trap();
  } catch (error) {
    trap = error.message;
  }
  // The continuation that is left suspended ends with the thread.
  return `${trap}; ${exports.switch()}`;
}

if (isMainThread) {
  const count = Number(process.argv[2]);
  // The text is assembled by a worker as well: this thread never loads the addon.
  const assembler = new Worker(new URL(import.meta.url), { workerData: { text: TEXT } });
  const [bytes] = await once(assembler, 'message');
  const seen = {};
  const resident = [];
  for (let i = 1; i <= count; i++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { bytes } });
    // Together: the last message and the exit may come at once.
    const [[result], [status]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    const key = `${result} (${status})`;
    seen[key] = (seen[key] ?? 0) + 1;
    if (i === Math.ceil(count / 4) || i === count) resident.push(process.memoryUsage.rss());
  }
  console.log(JSON.stringify({ seen, resident }));
} else if (workerData.text !== undefined) {
  const { parseWat } = await import('../../../dist/heddle.mjs');
  parentPort.postMessage(parseWat(workerData.text));
} else {
  parentPort.postMessage(await work(workerData.bytes));
}
