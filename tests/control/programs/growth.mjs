// Exceptions and traps at all depths of nested continuations, 1,000 times, then up to 10,000 times; prints memory and counters after each. Needs --expose-gc.
import { collect, WebAssembly as Heddle, parseWat, statistics } from '../../../dist/heddle.mjs';

const TEXT = `(module
  (type $f (func (param i32 i32))) (type $k (cont $f)) (type $v (func)) (type $kv (cont $v))
  (import "m" "throws" (func $throws))
  (tag $e (param i32)) (tag $other) (tag $pause) (tag $back) (elem declare func $nest)
  ;; $depth continuations, each resumed by the one before; the innermost does what $kind says.
  (func $nest (param $kind i32) (param $depth i32)
    (if (local.get $depth) (then (return (call $next (local.get $kind) (i32.sub (local.get $depth) (i32.const 1))))))
    (block $trap (block $suspend (block $js (block $throw
      (br_table $throw $js $suspend $trap (local.get $kind)))
      (throw $e (i32.const 1)))
      (call $throws))
      (suspend $pause) (throw $e (i32.const 2)))
    unreachable)
  (func $next (param i32 i32) (resume $k (local.get 0) (local.get 1) (cont.new $k (ref.func $nest))))
  (func (export "leave") (param i32 i32) (call $next (local.get 0) (local.get 1)))
  ;; Caught by the outermost resumer.
  (func (export "caught") (param i32 i32) (result i32)
    (block $h (try_table (catch_all $h) (call $next (local.get 0) (local.get 1))) (return (i32.const 0))) (i32.const 1))
  ;; The whole chain is suspended, then thrown into, resumed and thrown out of, or left.
  (func $suspended (param i32) (result (ref $kv))
    (block $on (result (ref $kv))
      (resume $k (on $pause $on) (i32.const 2) (local.get 0) (cont.new $k (ref.func $nest))) (unreachable)))
  (func (export "into") (param i32) (result i32)
    (block $h (try_table (catch_all $h) (resume_throw $kv $other (call $suspended (local.get 0)))) (return (i32.const 0))) (i32.const 1))
  (func (export "later") (param i32) (result i32)
    (block $h (try_table (catch_all $h) (resume $kv (call $suspended (local.get 0)))) (return (i32.const 0))) (i32.const 1))
  (func (export "intoUncaught") (param i32) (resume_throw $kv $other (call $suspended (local.get 0)))))`;

const thrown = new Error('thrown by an import');
const imports = {
  m: {
    throws() {
      throw thrown;
    },
  },
};
const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(TEXT)), imports);

function throwsOut(run) {
  try {
    run();
  } catch {
    return 1;
  }
  return 0;
}

/** The forms; each returns 1 where it ended as it must. */
const FORMS = [
  (depth) => throwsOut(() => exports.leave(0, depth)),
  (depth) => throwsOut(() => exports.leave(1, depth)),
  (depth) => throwsOut(() => exports.leave(3, depth)),
  (depth) => throwsOut(() => exports.caught(3, depth)),
  (depth) => exports.caught(0, depth),
  (depth) => exports.caught(1, depth),
  (depth) => exports.into(depth),
  (depth) => exports.later(depth),
  (depth) => throwsOut(() => exports.intoUncaught(depth)),
];
const DEPTHS = [0, 1, 2, 3, 5, 8, 13, 50];

/** Bytes in memory, when all garbage is gone. */
async function resident() {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    collect();
    // Finalizers of what was collected run between tasks.
    await new Promise((resolve) => setImmediate(resolve));
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}

let wrong = 0;
async function rounds(from, to) {
  for (let n = from; n < to; n++) {
    if (FORMS[n % FORMS.length](DEPTHS[n % DEPTHS.length]) !== 1) wrong++;
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

const before = statistics();
await rounds(0, 1000);
const after1000 = { resident: await resident(), ...statistics() };
await rounds(1000, 10_000);
const after10000 = { resident: await resident(), ...statistics() };
console.log(JSON.stringify({ wrong, before, after1000, after10000 }));
