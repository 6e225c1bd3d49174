// Memories grow, and perhaps move, while WebAssembly is in the middle of a function, of a loop, or suspended. Prints what was wrong, and whether any moved.
// With the argument `alone` no other thread grows one.
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const PAGE = 65_536;

const TEXT = (limits) => `(module (import "m" "memory" (memory $m ${limits})) (import "m" "grow" (func $grow))
  (type $f (func (result i64))) (type $k (cont $f)) (tag $t) (elem declare func $halves)
  ;; Writes, is grown, reads what it wrote, and writes where the new page is.
  (func $across (param $new i32) (result i64)
    (i64.store (i32.const 8) (i64.const 0x1122334455667788))
    (call $grow)
    (i64.store (local.get $new) (i64.load (i32.const 8)))
    (i64.load (local.get $new)))
  (func (export "across") (param i32) (result i64) (call $across (local.get 0)))
  ;; Grown by an import that throws, which is caught.
  (func (export "caught") (param $new i32) (result i64)
    (i64.store (i32.const 40) (i64.const 9))
    (block $h (try_table (catch_all $h) (call $grow)))
    (i64.store (local.get $new) (i64.load (i32.const 40)))
    (i64.load (local.get $new)))
  ;; The same in a loop: grown at every round; the sum of what was read back.
  (func (export "loop") (param $rounds i32) (result i64) (local $sum i64)
    (loop $l
      (i64.store (i32.const 16) (i64.extend_i32_u (local.get $rounds)))
      (call $grow)
      (i64.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)) (i64.load (i32.const 16)))
      (local.set $sum (i64.add (local.get $sum) (i64.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)))))
      (br_if $l (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum))
  ;; Suspended while the memory grows.
  (func $halves (result i64)
    (i64.store (i32.const 24) (i64.const 7)) (suspend $t) (i64.add (i64.load (i32.const 24)) (i64.load (i32.const 65536))))
  (global $c (mut (ref null $k)) (ref.null $k))
  (func (export "first") (block $on (result (ref $k)) (drop (resume $k (on $t $on) (cont.new $k (ref.func $halves)))) (return)) (global.set $c))
  (func (export "second") (result i64) (i64.store (i32.const 65536) (i64.const 35)) (resume $k (global.get $c)))
  ;; Waits until somebody else has grown the memory, and uses the new page at once.
  (func (export "wait") (param $pages i32) (result i32)
    (loop $l (br_if $l (i32.lt_u (memory.size) (local.get $pages))))
    (i32.store (i32.sub (i32.mul (local.get $pages) (i32.const 65536)) (i32.const 4)) (i32.const 99))
    (i32.load (i32.sub (i32.mul (local.get $pages) (i32.const 65536)) (i32.const 4))))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1))))`;

if (isMainThread) await main();
else workerData.grow(1);

async function main() {
  const { WebAssembly: Heddle } = await import('../../../dist/ts/index.js');
  const { addon } = await import('../../../dist/ts/link/addon.js');
  const { assemble, instantiate } = await import('../assemble.mjs');
  const wrong = [];
  let checked = 0;
  let moved = false;
  const expect = (what, actual, expected) => {
    checked++;
    if (actual !== expected) wrong.push(`${what}: ${actual}, expected ${expected}`);
  };
  const v8Grow = (memory, limits) => {
    const text = `(module (import "m" "memory" (memory ${limits})) (func (export "grow") (drop (memory.grow (i32.const 1)))))`;
    return new WebAssembly.Instance(new WebAssembly.Module(assemble(text)), { m: { memory } }).exports.grow;
  };
  for (const [label, descriptor, limits] of [
    ['bounded', { initial: 1, maximum: 16 }, '1 16'],
    ['without maximum', { initial: 1 }, '1'],
    ['shared', { initial: 1, maximum: 16, shared: true }, '1 16 shared'],
  ]) {
    for (const hand of ['JavaScript', 'V8', 'Heddle', 'the instance itself']) {
      const memory = new Heddle.Memory(descriptor);
      const make = (grow) => instantiate(TEXT(limits), { m: { memory, grow } });
      const other = make(() => undefined);
      const grow = {
        JavaScript: () => memory.grow(1),
        V8: v8Grow(memory, limits),
        Heddle: () => other.grow(),
        'the instance itself': () => exports.grow(),
      }[hand];
      let throws = false;
      const exports = make(() => {
        grow();
        if (throws) throw new Error('after it grew');
      });
      const base = () => addon().createMemory(memory, 0).base;
      const start = base();
      const name = `${label}, grown by ${hand}`;
      expect(`${name}: across`, exports.across(PAGE), 0x1122334455667788n);
      exports.first();
      grow();
      expect(`${name}: suspended`, exports.second(), 42n);
      expect(`${name}: in a loop`, exports.loop(4), 10n);
      expect(`${name}: another instance`, other.load(8), 0x55667788);
      expect(`${name}: pages`, memory.buffer.byteLength / PAGE, 7);
      throws = true;
      expect(`${name}: caught`, exports.caught(7 * PAGE), 9n);
      moved ||= base() !== start;
    }
  }
  if (process.argv[2] !== 'alone') await otherThreads(Heddle, instantiate, expect);
  console.log(JSON.stringify({ checked, wrong, moved }));
}

async function otherThreads(Heddle, instantiate, expect) {
  const shared = new Heddle.Memory({ initial: 1, maximum: 4, shared: true });
  const waiting = instantiate(TEXT('1 4 shared'), { m: { memory: shared, grow() {} } });
  for (let pages = 2; pages <= 4; pages++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: shared });
    expect(`grown to ${pages} pages by another thread`, waiting.wait(pages), 99);
    await new Promise((resolve) => worker.on('exit', resolve));
  }
}
