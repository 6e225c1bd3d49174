// V8's own WebAssembly traps before Heddle is loaded, after, inside Heddle's imports, and in workers. Prints what was seen at each place.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const seen = {};

/** Each way in which V8's code faults, by what comes of it. */
function v8Traps(bytes) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const outcome = (name, ...args) => {
    try {
      return String(exports[name](...args));
    } catch (error) {
      return `${error.constructor.name}: ${error.message}`;
    }
  };
  return [
    outcome('load', 0),
    outcome('load', 65_533),
    outcome('load', -1),
    outcome('store', 65_535),
    outcome('unreachable'),
    outcome('divide', 0),
    outcome('recurse'),
    outcome('load', 65_532),
  ];
}

async function inWorker(bytes, withHeddle) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { bytes, withHeddle } });
  const [[result]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return result;
}

/** Traps of both engines in turn, and V8's inside an import of ours on a continuation. */
async function withHeddle(bytes) {
  const { WebAssembly: Heddle, parseWat } = await import('../../../dist/heddle.mjs');
  const text = `(module (import "m" "x" (func $x)) (memory 1) (type $f (func)) (type $k (cont $f)) (elem declare func $x)
    (func (export "oob") (drop (i32.load (i32.const 65533)))) (func (export "call") (call $x))
    (func (export "continuation") (resume $k (cont.new $k (ref.func $x)))))`;
  const result = {};
  let place = '';
  const imports = {
    m: {
      x: () => {
        result[place] = v8Traps(bytes);
      },
    },
  };
  const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(text)), imports);
  result.loaded = v8Traps(bytes);
  for (place of ['call', 'continuation']) exports[place]();
  for (let i = 0; i < 100; i++) {
    let ours = '';
    try {
      exports.oob();
    } catch (error) {
      ours = error.message;
    }
    if (ours !== 'out of bounds memory access') throw new Error(`Heddle's trap was: ${ours}`);
    result.mixed = v8Traps(bytes);
  }
  return result;
}

if (isMainThread) {
  const { default: text } = await import('./v8_bytes.mjs');
  const bytes = Uint8Array.from(text);
  seen.before = v8Traps(bytes);
  seen.workerBefore = await inWorker(bytes, false);
  seen.workerAlone = await inWorker(bytes, true);
  seen.afterWorker = v8Traps(bytes);
  Object.assign(seen, await withHeddle(bytes));
  seen.workerAfter = await inWorker(bytes, false);
  seen.workerToo = await inWorker(bytes, true);
  seen.atTheEnd = v8Traps(bytes);
  console.log(JSON.stringify(seen));
} else {
  const { bytes, withHeddle: use } = workerData;
  parentPort.postMessage(use ? await withHeddle(bytes) : v8Traps(bytes));
}
