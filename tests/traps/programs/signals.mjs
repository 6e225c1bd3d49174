// Signals arrive by the thousand while fibers run: in loops, in switches, and deep in recursion, near the end of a stack. A worker sends them; the
// program goes on until all are sent, checks what it computed, and prints how many its own handlers saw.
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const SIGNALS = ['SIGUSR2', 'SIGWINCH', 'SIGCHLD'];
const EACH = 4000;

const TEXT = `(module (import "m" "flag" (memory 1 1 shared))
  (type $f (func (param i32) (result i32))) (type $k (cont $f)) (tag $t (param i32) (result i32))
  (elem declare func $deep $pingpong)
  ;; 1 + 2 + … + n, by recursion: every frame keeps its own n.
  (func $deep (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n)) (then (i32.const 0))
      (else (i32.add (call $deep (i32.sub (local.get $n) (i32.const 1))) (local.get $n)))))
  ;; Suspends n times and adds up what comes back.
  (func $pingpong (param $n i32) (result i32) (local $sum i32)
    (loop $l (local.set $sum (i32.add (local.get $sum) (suspend $t (local.get $n))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func $answer (param $n i32) (param $c (ref null $k)) (result i32)
    (loop $l (result i32)
      (block $on (result i32 (ref $k)) (return (resume $k (on $t $on) (local.get $n) (local.get $c))))
      (local.set $c) (local.set $n) (br $l)))
  (func (export "sent") (result i32) (i32.load (i32.const 0)))
  ;; Works until the flag is up; the number of rounds, or -1 where a sum was wrong.
  (func (export "work") (param $depth i32) (result i32) (local $rounds i32)
    (loop $l
      (if (i32.ne (resume $k (local.get $depth) (cont.new $k (ref.func $deep)))
                  (i32.div_u (i32.mul (local.get $depth) (i32.add (local.get $depth) (i32.const 1))) (i32.const 2)))
        (then (return (i32.const -1))))
      (if (i32.ne (call $answer (i32.const 100) (cont.new $k (ref.func $pingpong))) (i32.const 5050)) (then (return (i32.const -1))))
      (local.set $rounds (i32.add (local.get $rounds) (i32.const 1)))
      (br_if $l (i32.eqz (i32.load (i32.const 0)))))
    (local.get $rounds))
  (func (export "overflow") (param i32) (result i32) (resume $k (i32.const 100000000) (cont.new $k (ref.func $deep)))))`;

if (isMainThread) {
  const { WebAssembly: Heddle, parseWat } = await import('../../../dist/heddle.mjs');
  const flag = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(TEXT)), { m: { flag } });
  const seen = Object.fromEntries(SIGNALS.map((name) => [name, 0]));
  for (const name of SIGNALS) process.on(name, () => seen[name]++);
  // How deep a continuation can go: just not so deep that it traps.
  let [fits, traps] = [0, 1_000_000];
  const fitsStack = (depth) => {
    new Int32Array(flag.buffer)[0] = 1;
    try {
      exports.work(depth);
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  };
  while (traps - fits > 1) {
    const middle = (fits + traps) >> 1;
    if (fitsStack(middle)) fits = middle;
    else traps = middle;
  }
  new Int32Array(flag.buffer)[0] = 0;
  const worker = new Worker(new URL(import.meta.url), { workerData: flag.buffer });
  await once(worker, 'online');
  const rounds = exports.work(fits);
  let overflow = '';
  try {
    exports.overflow();
  } catch (error) {
    overflow = error.message;
  }
  await once(worker, 'exit');
  // The event loop has its own order: the last signals may come after that.
  while (Object.values(seen).includes(0)) await setImmediate();
  console.log(JSON.stringify({ rounds, overflow, depth: fits, seen }));
} else {
  for (let i = 0; i < EACH; i++) for (const name of SIGNALS) process.kill(process.pid, name);
  new Int32Array(workerData)[0] = 1;
}
