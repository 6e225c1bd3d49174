/**
 * The experiments `tag.new`, `resume_named`, `suspend_to`: a suspension directed at one resume. Expectations are arithmetic on what the texts say.
 */
import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { instance, thrown } from './module.js';

/** Tags of [i32] -> [i64]; continuations of functions from a tag to an f64. */
const TYPES = `(type $t (func (param i32) (result i64)))
  (type $f (func (param (ref null $t)) (result f64))) (type $c (cont $f))
  (type $g (func (param i64) (result f64))) (type $d (cont $g))`;
const IMPORTS = `(import "heddle" "tag.new" (func $new (result (ref null $t))))
  (import "heddle" "suspend_to" (func $to (param i32 (ref null $t)) (result i64)))
  (import "heddle" "resume_named" (func $resume (param (ref null $t) (ref null $t) (ref null $c)) (result i32 f64 i32 (ref null $d))))
  (import "heddle" "resume_named" (func $again (param i64 (ref null $t) (ref null $d)) (result i32 f64 i32 (ref null $d))))`;

describe('a suspension directed at one resume', () => {
  test('gives its values there, goes on with what comes back, and the last resume says that it returned', () => {
    const e = instance(`(module ${TYPES} ${IMPORTS} (elem declare func $body)
      (func $body (type $f) (f64.convert_i64_s (i64.add (call $to (i32.const 1) (local.get 0)) (call $to (i32.const 20) (local.get 0)))))
      (func (export "run") (result i32 f64 i32) (local $t (ref null $t)) (local $d (ref null $d)) (local $sum i32) (local $x f64)
        (local.set $t (call $new))
        (call $resume (local.get $t) (local.get $t) (cont.new $c (ref.func $body)))
        (local.set $d) (local.set $sum (i32.add (local.get $sum))) (drop) (drop)
        (call $again (i64.const 300) (local.get $t) (local.get $d))
        (local.set $d) (local.set $sum (i32.add (local.get $sum))) (drop) (drop)
        (call $again (i64.const 4000) (local.get $t) (local.get $d))
        (drop) (drop) (local.set $x) (local.get $x) (local.get $sum))
      (func (export "returned") (result i32 f64 i32 i32) (local $t (ref null $t))
        (local.set $t (call $new))
        (call $resume (local.get $t) (local.get $t) (cont.new $c (ref.func $returns))) (ref.is_null))
      (elem declare func $returns) (func $returns (type $f) (f64.const 1.5)))`);
    expect(e['run']?.()).toEqual([0, 4300, 21]);
    // The values of a suspension are zero where there was none, and the continuation is null.
    expect(e['returned']?.()).toEqual([0, 1.5, 0, 1]);
  });

  // Each level makes a tag of its own by the same import; the innermost suspends to the level that it is told, past those in between.
  const LEVELS = `(module ${TYPES} ${IMPORTS} (elem declare func $level) (table $tags 16 (ref null $t))
    (global $depth (mut i32) (i32.const 0)) (global $goal (mut i32) (i32.const 0)) (global $seen (mut i32) (i32.const -1)) (global $levels (mut i32) (i32.const 0))
    (func $level (type $f) (local $mine i32) (local $kind i32) (local $x f64) (local $v i32) (local $d (ref null $d))
      (local.set $mine (global.get $depth))
      (if (i32.eq (global.get $depth) (global.get $levels))
        (then (return (f64.convert_i64_s (call $to (i32.const 77) (table.get $tags (global.get $goal)))))))
      (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
      (table.set $tags (local.get $mine) (call $new))
      (call $resume (ref.null $t) (table.get $tags (local.get $mine)) (cont.new $c (ref.func $level)))
      (local.set $d) (local.set $v) (local.set $x) (local.set $kind)
      (loop $l
        (if (i32.eqz (local.get $kind)) (then (return (f64.add (local.get $x) (f64.const 1)))))
        (global.set $seen (i32.add (i32.mul (local.get $mine) (i32.const 1000)) (local.get $v)))
        (call $again (i64.const 5) (table.get $tags (local.get $mine)) (local.get $d))
        (local.set $d) (local.set $v) (local.set $x) (local.set $kind) (br $l))
      (unreachable))
    (func (export "run") (param i32 i32) (result f64 i32)
      (global.set $depth (i32.const 0)) (global.set $levels (local.get 0)) (global.set $goal (local.get 1))
      (call $level (ref.null $t)) (global.get $seen)))`;

  test('passes those that are nearer, though one import made all the tags', () => {
    const e = instance(LEVELS);
    const { continuationsLive } = statistics();
    for (const levels of [1, 2, 5, 10]) {
      for (let goal = 0; goal < levels; goal++) expect(e['run']?.(levels, goal)).toEqual([5 + levels, goal * 1000 + 77]);
    }
    expect(statistics().continuationsLive).toBe(continuationsLive);
  });

  test('values of every kind, and more results than registers hold', () => {
    const types = 'i64 f32 externref f64 i32 i64 f32 externref f64 i32';
    const e = instance(
      `(module (type $t (func (param ${types}) (result ${types}))) (type $f (func (param (ref null $t)) (result ${types}))) (type $c (cont $f))
      (type $g (func (param ${types}) (result ${types}))) (type $d (cont $g)) (elem declare func $body)
      (import "heddle" "tag.new" (func $new (result (ref $t))))
      (import "heddle" "suspend_to" (func $to (param ${types} (ref null $t)) (result ${types})))
      (import "heddle" "resume_named" (func $resume (param (ref null $t) (ref null $t) (ref null $c)) (result i32 ${types} ${types} (ref null $d))))
      (import "heddle" "resume_named" (func $again (param ${types} (ref null $t) (ref null $d)) (result i32 ${types} ${types} (ref null $d))))
      (import "env" "x" (global $x externref))
      (func $body (type $f)
        (i64.const 1) (f32.const 2.5) (global.get $x) (f64.const 3.5) (i32.const 4) (i64.const 5) (f32.const 6.5) (ref.null extern) (f64.const 7.5) (i32.const 8)
        (local.get 0) (call $to))
      (func (export "run") (result ${types} i32) (local $t (ref null $t)) (local $d (ref null $d)) ${types
        .split(' ')
        .map((type) => `(local ${type})`)
        .join(' ')}
        (local.set $t (call $new))
        (call $resume (local.get $t) (local.get $t) (cont.new $c (ref.func $body))) (local.set $d)
        (local.set 11) (local.set 10) (local.set 9) (local.set 8) (local.set 7) (local.set 6) (local.set 5) (local.set 4) (local.set 3) (local.set 2)
        ${'(drop)'.repeat(11)}
        (call $again (i64.add (local.get 2) (i64.const 100)) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9)
          (local.get 10) (local.get 11) (local.get $t) (local.get $d)) (local.set $d)
        ${'(drop)'.repeat(10)} (local.set 11) (local.set 10) (local.set 9) (local.set 8) (local.set 7) (local.set 6) (local.set 5) (local.set 4) (local.set 3) (local.set 2)
        (drop) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11)
        (ref.is_null (local.get $d))))`,
      { env: { x: 'object' } },
    );
    expect(e['run']?.()).toEqual([101n, 2.5, 'object', 3.5, 4, 5n, 6.5, null, 7.5, 8, 1]);
  });
});

describe('a tag is a function reference', () => {
  test('calling it suspends, wherever it came from', () => {
    const other = instance(
      `(module ${TYPES} (func (export "call") (param i32 (ref null $t)) (result i64) (call_ref $t (local.get 0) (local.get 1))))`,
    );
    const e = instance(
      `(module ${TYPES} ${IMPORTS} (import "other" "call" (func $call (param i32 (ref null $t)) (result i64))) (elem declare func $body)
        (func $body (type $f) (f64.convert_i64_s (call $call (i32.const 9) (local.get 0))))
        (func (export "run") (result i32 i32) (local $t (ref null $t)) (local $v i32)
          (local.set $t (call $new))
          (call $resume (local.get $t) (local.get $t) (cont.new $c (ref.func $body))) (drop) (local.set $v) (drop) (local.get $v)))`,
      { other },
    );
    expect(e['run']?.()).toEqual([1, 9]);
  });

  test('JavaScript may hold it; without its resume around, or beyond a host frame or barrier, it traps', () => {
    let tag: unknown;
    const e = instance(
      `(module ${TYPES} ${IMPORTS} (import "env" "js" (func $js (param funcref))) (elem declare func $body $guarded $through)
        (type $v (func)) (import "heddle" "barrier" (func $barrier (param (ref null $v)))) (global $tag (mut (ref null $t)) (ref.null $t))
        (func $body (type $f) (call $js (local.get 0)) (f64.const 0))
        (func $through (type $v) (drop (call $to (i32.const 1) (global.get $tag))))
        (func $guarded (type $f) (global.set $tag (local.get 0)) (call $barrier (ref.func $through)) (f64.const 0))
        (func $with (param (ref $f)) (local $t (ref null $t))
          (local.set $t (call $new)) (call $resume (local.get $t) (local.get $t) (cont.new $c (local.get 0))) (drop) (drop) (drop) (drop))
        (func (export "javascript") (call $with (ref.func $body)))
        (func (export "barrier") (call $with (ref.func $guarded)))
        (func (export "lost") (result i64) (call $to (i32.const 1) (call $new))))`,
      {
        env: {
          js: (fn: unknown) => {
            tag = fn;
            (fn as (x: number) => unknown)(3);
          },
        },
      },
    );
    expect(thrown(() => e['javascript']?.())).toMatchObject({ code: 'HEDDLE_TRAP_BARRIER', message: expect.stringContaining('env.js') });
    expect(thrown(() => (tag as (x: number) => unknown)(3))).toMatchObject({ code: 'HEDDLE_TRAP_UNHANDLED_TAG' });
    expect(thrown(() => e['barrier']?.())).toMatchObject({
      code: 'HEDDLE_TRAP_BARRIER',
      message: expect.stringContaining('heddle.barrier'),
    });
    expect(thrown(() => e['lost']?.())).toMatchObject({ code: 'HEDDLE_TRAP_UNHANDLED_TAG' });
  });
});

describe('traps', () => {
  const e = instance(`(module ${TYPES} ${IMPORTS} (elem declare func $plain $body)
    (func $plain (type $t) (i64.const 0)) (func $body (type $f) (f64.const 0))
    (func (export "null to") (drop (call $to (i32.const 0) (ref.null $t))))
    (func (export "plain to") (drop (call $to (i32.const 0) (ref.func $plain))))
    (func $r (param (ref null $t) (ref null $c)) (call $resume (ref.null $t) (local.get 0) (local.get 1)) (drop) (drop) (drop) (drop))
    (func (export "null resume") (call $r (ref.null $t) (cont.new $c (ref.func $body))))
    (func (export "plain resume") (call $r (ref.func $plain) (cont.new $c (ref.func $body))))
    (func (export "no continuation") (call $r (call $new) (ref.null $c)))
    (func (export "used") (local $c (ref $c)) (local.set $c (cont.new $c (ref.func $body))) (call $r (call $new) (local.get $c)) (call $r (call $new) (local.get $c))))`);

  test.each([
    ['null to', 'NULL_FUNCTION'],
    ['plain to', 'CAST_FAILURE'],
    ['null resume', 'NULL_FUNCTION'],
    ['plain resume', 'CAST_FAILURE'],
    ['no continuation', 'NULL_CONTINUATION'],
    ['used', 'CONTINUATION_CONSUMED'],
  ])('%s: %s', (name, code) => {
    for (let i = 0; i < 3; i++) expect(thrown(() => e[name]?.())).toMatchObject({ code: `HEDDLE_TRAP_${code}` });
  });

  test('a tag of a subtype is not one of the type: its values would be taken for others', () => {
    const sub = instance(`(module
      (type $x (func)) (type $t (sub (func (param (ref null $x))))) (type $u (sub $t (func (param funcref))))
      (type $f (func)) (type $c (cont $f))
      (import "heddle" "tag.new" (func $new (result (ref $u))))
      (import "heddle" "resume_named" (func $resume (param (ref null $t) (ref null $c)) (result i32 (ref null $x) (ref null $c))))
      (func $nop) (elem declare func $nop)
      (func (export "run") (call $resume (call $new) (cont.new $c (ref.func $nop))) (drop) (drop) (drop)))`);
    expect(thrown(() => sub['run']?.())).toMatchObject({ code: 'HEDDLE_TRAP_CAST_FAILURE' });
  });
});

const NON_NULL = '(type $x (func)) (type $nt (func (param (ref $x)))) (type $nf (func)) (type $nc (cont $nf))';

test.each([
  ['tag.new', '(param i32) (result (ref null $t))'],
  ['tag.new', '(result i32)'],
  ['tag.new', '(result (ref null $c))'],
  ['tag.new', ''],
  ['suspend_to', '(param i32 (ref null $t))'],
  ['suspend_to', '(param (ref null $t)) (result i64)'],
  ['resume_named', ''],
  ['resume_named', '(param (ref null $t) (ref null $c)) (result i32 f64 i32 (ref null $d))'],
  ['resume_named', '(param (ref null $t) (ref null $t) (ref null $c)) (result i32 f64 i32 (ref null $c))'],
  ['resume_named', '(param (ref null $t) (ref null $t) (ref null $c)) (result f64 i32 (ref null $d))'],
  ['resume_named', '(param (ref null $t) (ref null $t) (ref null $c)) (result i32 f64 i32 (ref $d))'],
  // What is not there would be a null of a type without one.
  ['resume_named', '(param (ref null $nt) (ref null $nc)) (result i32 (ref $x) (ref null $nc))'],
])('%s with type %s does not link', (name, type) => {
  expect(thrown(() => instance(`(module ${TYPES} ${NON_NULL} (import "heddle" "${name}" (func ${type})))`))).toMatchObject({
    name: 'LinkError',
    code: 'HEDDLE_LINK_TYPE',
    message: expect.stringContaining('its type must be ['),
  });
});
