/**
 * Legacy exceptions. V8 has them: the same module does the same on both engines. Where they meet what V8 of this Node has not (try_table, continuations), what is
 * expected follows from the proposals' texts.
 */
import { describe, expect, test } from 'vitest';
import { type Api, heddle, outcome, run, v8 } from '../api/oracle.js';

const TAGS = '(tag $a (param i32)) (tag $b (param i64 i32)) (tag $c)';
/** Throws what its argument says: 0 nothing, 1 $a, 2 $b, 3 $c, 4 what the import throws, 5 a trap. */
const THROWS = `(func $throws (param i32)
  (block $trap (block $host (block $c (block $b (block $a (block $none
    (br_table $none $a $b $c $host $trap (local.get 0)))
    (return))
    (throw $a (i32.const 41)))
    (throw $b (i64.const 4200000000000) (i32.const 7)))
    (throw $c))
    (call $host (local.get 0)) (return))
  unreachable)`;

/** Bodies of functions (param i32) (result i32). */
const BODIES: Readonly<Record<string, string>> = {
  'catch and catch_all':
    '(try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (catch $a) (catch $b (drop) (i32.wrap_i64)) (catch_all (i32.const 9)))',
  'no clause': '(try (result i32) (do (call $throws (local.get 0)) (i32.const 1)))',
  'a try in a try': `(try (result i32) (do (try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (catch $a (drop) (i32.const 2))))
    (catch $c (i32.const 3)) (catch_all (i32.const 4)))`,
  'a clause that throws': `(try (result i32) (do (try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (catch_all (throw $a (i32.const 77)))))
    (catch $a))`,
  'rethrow to the outside': `(try (result i32) (do (try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (catch_all (rethrow 0))))
    (catch $a (i32.add (i32.const 1000))) (catch $c (i32.const 5)))`,
  'rethrow of the outer exception': `(try $outer (result i32) (do (call $throws (local.get 0)) (i32.const 1))
    (catch_all (try (result i32) (do (throw $c)) (catch $c (rethrow $outer)))))`,
  'delegate to a try': `(try $outer (result i32) (do
      (try (result i32) (do (try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (delegate $outer))) (catch_all (i32.const 2))))
    (catch $a) (catch_all (i32.const 3)))`,
  'delegate to the caller': `(try (result i32) (do (try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (delegate 1))) (catch_all (i32.const 2)))`,
  'delegate to a block': `(try (result i32) (do (block $b (result i32) (try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (delegate $b))))
    (catch_all (i32.const 6)))`,
  'delegate out of a clause': `(try (result i32) (do (try $inner (result i32) (do (throw $c))
      (catch $c (try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (delegate $inner)))))
    (catch_all (i32.const 8)))`,
  'locals that the body sets': `(local $x i32) (try (result i32)
      (do (local.set $x (i32.const 5)) (call $throws (i32.const 0)) (local.set $x (i32.const 6)) (call $throws (local.get 0)) (local.set $x (i32.const 7)) (local.get $x))
    (catch_all (local.get $x)))`,
  'a loop around it': `(local $n i32) (loop $again
      (try (do (call $throws (local.get 0)) (local.set 0 (i32.const 3)))
        (catch $a (drop) (local.set 0 (i32.const 2))) (catch $b (drop) (drop) (local.set 0 (i32.const 3)))
        (catch $c (local.set 0 (i32.const 0)) (local.set $n (i32.add (local.get $n) (i32.const 10)))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 25))))
    (local.get $n)`,
  'branches out of body and clause': `(block $out (result i32) (try (result i32)
      (do (call $throws (local.get 0)) (br $out (i32.const 11))) (catch $a (br $out)) (catch_all (i32.const 12))) (i32.const 100) (i32.add))`,
  'a body that cannot throw': '(try (result i32) (do (i32.const 1)) (catch $a) (catch_all (i32.const 2)))',
  'a dead body': '(try (result i32) (do (throw $a (local.get 0))) (catch $a) (catch_all (unreachable)))',
  'dead clauses':
    '(try (result i32) (do (call $throws (local.get 0)) (i32.const 1)) (catch $a (drop) (return (i32.const 2))) (catch_all (return (i32.const 3))))',
  'params of the block':
    '(i32.const 20) (i32.const 30) (try (param i32 i32) (result i32) (do (call $throws (local.get 0)) (i32.add)) (catch_all (i32.const 4)))',
  'a tail call in it': '(try (result i32) (do (return_call $again (local.get 0))) (catch_all (i32.const 2)))',
};

const module = (body: string): string => `(module (import "m" "host" (func $host (param i32))) ${TAGS}
  ${THROWS}
  (func $again (param i32) (result i32) (call $throws (local.get 0)) (i32.const 13))
  (func (export "f") (param i32) (result i32) ${body}))`;

const HOST_ERROR = new Error('of the host');

describe.each(Object.entries(BODIES))('%s', (_name, body) => {
  test.each([0, 1, 2, 3, 4, 5])('%d thrown', (what) => {
    const result = (api: Api): string => {
      const { f } = run(api, module(body), {
        m: {
          host: () => {
            throw HOST_ERROR;
          },
        },
      });
      try {
        return String(f?.(what));
      } catch (error) {
        if (Object.prototype.toString.call(error) === '[object WebAssembly.Exception]') return 'an exception';
        return error === HOST_ERROR
          ? 'the very error of the host'
          : outcome(() => {
              throw error;
            });
      }
    };
    expect(result(heddle)).toBe(result(v8));
  });
});

describe('beside the new form', () => {
  const text = `(module ${TAGS}
    (func $deep (param i32) (if (local.get 0) (then (throw $a (i32.const 5)))) (throw $c))
    ;; new over legacy over new
    (func $legacy (param i32) (result i32)
      (try (result i32) (do (call $deep (local.get 0)) (i32.const 0)) (catch $c (i32.const 100))))
    (func $new (param i32) (result i32)
      (block $h (result i32) (try_table (result i32) (catch $a $h) (call $legacy (local.get 0)))))
    (func (export "new_over_legacy") (param i32) (result i32) (call $new (local.get 0)))
    (func $again (param i32) (result exnref)
      (block $h (result exnref) (try_table (catch_all_ref $h) (call $deep (local.get 0))) (unreachable)))
    (func (export "reference_into_legacy") (param i32) (result i32)
      (try (result i32) (do (throw_ref (call $again (local.get 0)))) (catch $a) (catch $c (i32.const 3))))
    (func $rethrows (param i32)
      (try (do (call $deep (local.get 0))) (catch_all (rethrow 0))))
    (func (export "rethrow_into_new") (param i32) (result i32)
      (block $c (block $a (result i32) (try_table (catch $a $a) (catch $c $c) (call $rethrows (local.get 0))) (unreachable)) (return))
      (i32.const 4))
    (func (export "one_in_the_other") (param i32) (result i32)
      (try (result i32)
        (do (block $h (result i32) (try_table (result i32) (catch $a $h)
          (try (result i32) (do (call $deep (local.get 0)) (i32.const 0)) (delegate 0)))))
        (catch $c (i32.const 6)))))`;

  test.each([
    ['new_over_legacy', [100, 5]],
    ['reference_into_legacy', [3, 5]],
    ['rethrow_into_new', [4, 5]],
    ['one_in_the_other', [6, 5]],
  ])('%s', (name, expected) => {
    const e = run(heddle, text);
    expect([e[name]?.(0), e[name]?.(1)]).toEqual(expected);
  });
});

test('a body that suspends keeps its clauses', () => {
  const e = run(
    heddle,
    `(module (type $f (func (result i32))) (type $k (cont $f)) (tag $t) (tag $e (param i32))
      (func $body (result i32)
        (try (result i32) (do (suspend $t) (throw $e (i32.const 8))) (catch $e (suspend $t) (i32.add (i32.const 1)))))
      (elem declare func $body)
      (func (export "f") (result i32) (local $k (ref null $k)) (local $n i32)
        (local.set $k (cont.new $k (ref.func $body)))
        (loop $again (result i32)
          (block $on (result (ref $k))
            (resume $k (on $t $on) (local.get $k))
            (return (i32.add (i32.mul (local.get $n) (i32.const 100)))))
          (local.set $k) (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br $again))))`,
  );
  expect(e['f']?.()).toBe(209);
});
