/**
 * What no suspension passes: calls of JavaScript, and the experiment `barrier`. Expectations follow from the programs' texts.
 */
import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { type Functions, instance, thrown } from './module.js';

const trapOf = (name: string): object => ({ code: 'HEDDLE_TRAP_BARRIER', message: `suspension would cross a barrier: ${name}` });
const TYPES = '(type $f (func)) (type $k (cont $f)) (tag $t (export "t")) (tag $other)';
/** Runs $body on a continuation that a handler for $t waits for: 1 where it suspended, 0 where it returned. */
const HANDLED = `(func (export "run") (result i32)
  (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $body))) (return (i32.const 0))) (drop) (i32.const 1))`;

describe('a call of JavaScript', () => {
  test('stops a suspension, whose trap names the import', () => {
    const e = instance(
      `(module ${TYPES} (import "env" "callback" (func $js)) (elem declare func $body)
        (func $body (call $js)) (func (export "suspend") (suspend $t)) ${HANDLED})`,
      { env: { callback: () => e['suspend']?.() } },
    );
    expect(thrown(() => e['run']?.())).toMatchObject(trapOf('env.callback'));
  });

  test('names the innermost import where there are several', () => {
    const text = `(module ${TYPES} (import "env" "outer" (func $outer)) (import "env" "inner" (func $inner)) (elem declare func $body)
      (func $body (call $outer)) (func (export "between") (call $inner)) (func (export "suspend") (suspend $t)) ${HANDLED})`;
    const e = instance(text, { env: { outer: () => e['between']?.(), inner: () => e['suspend']?.() } });
    expect(thrown(() => e['run']?.())).toMatchObject(trapOf('env.inner'));
  });

  test('names the import that waits, not one that returned before', () => {
    const text = `(module ${TYPES} (import "env" "first" (func $first)) (import "env" "second" (func $second)) (elem declare func $body)
      (func $body (call $first) (call $second)) (func (export "nop")) (func (export "suspend") (call $first) (suspend $t)) ${HANDLED})`;
    const e = instance(text, { env: { first: () => e['nop']?.(), second: () => e['suspend']?.() } });
    expect(thrown(() => e['run']?.())).toMatchObject(trapOf('env.second'));
  });

  test('is crossed in no form: a conversion of its result, a start function, another instance, a switch', () => {
    const forms: Record<string, (suspend: () => unknown, e: Functions) => unknown> = {
      conversion: (suspend) => ({ valueOf: suspend }),
      start: (_, e) =>
        instance('(module (type $f (func)) (type $k (cont $f)) (import "m" "t" (tag $t)) (func $s (suspend $t)) (start $s))', {
          m: e as never,
        }),
      reference: (_, e) => e['call']?.(e['suspend']),
      switch: (_, e) => e['switch']?.(),
    };
    for (const [name, form] of Object.entries(forms)) {
      const e = instance(
        `(module ${TYPES} (import "some module" "a \\"name\\"" (func $js (result i32))) (elem declare func $body $idle)
          (rec (type $sf (func (param (ref null $sk)))) (type $sk (cont $sf))) (tag $s)
          (func $body (drop (call $js))) (func (export "suspend") (result i32) (suspend $t) (i32.const 0))
          (table 1 funcref) (func (export "call") (param funcref) (table.set (i32.const 0) (local.get 0)) (drop (call_indirect (result i32) (i32.const 0))))
          (func $idle (type $sf))
          (func (export "switch") (drop (switch $sk $s (cont.new $sk (ref.func $idle)))))
          (func (export "run") (result i32)
            (block $on (result (ref $k)) (resume $k (on $t $on) (on $s switch) (cont.new $k (ref.func $body))) (return (i32.const 0))) (drop) (i32.const 1)))`,
        { 'some module': { 'a "name"': () => form(() => e['suspend']?.(), e) } },
      );
      expect([name, thrown(() => e['run']?.())]).toMatchObject([name, trapOf('some module.a "name"')]);
    }
  });

  test('does not matter to what is handled inside it, and where nobody handles the tag that is what the trap says', () => {
    const text = `(module ${TYPES} (import "env" "js" (func $js)) (elem declare func $body $suspends)
      (func $body (call $js)) (func $suspends (export "suspend") (suspend $t)) (func (export "lost") (suspend $other))
      (func (export "inside") (result i32)
        (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $suspends))) (return (i32.const 0))) (drop) (i32.const 1))
      ${HANDLED})`;
    let inside: unknown;
    const e = instance(text, { env: { js: () => (inside = e['inside']?.()) } });
    expect(e['run']?.()).toBe(0);
    expect(inside).toBe(1);
    const lost = instance(text, { env: { js: () => lost['lost']?.() } });
    expect(thrown(() => lost['run']?.())).toMatchObject({ code: 'HEDDLE_TRAP_UNHANDLED_TAG', message: 'unhandled tag: other' });
  });

  test('goes on where JavaScript catches the trap, and leaves nothing behind', () => {
    const errors: unknown[] = [];
    const e = instance(
      `(module ${TYPES} (import "env" "js" (func $js)) (elem declare func $body)
        (func $body (call $js) (call $js)) (func (export "suspend") (suspend $t)) ${HANDLED})`,
      { env: { js: () => errors.push(thrown(() => e['suspend']?.())) } },
    );
    const { continuationsLive, stacksLive } = statistics();
    for (let i = 0; i < 100; i++) expect(e['run']?.()).toBe(0);
    expect(errors.length).toBe(200);
    expect(errors[199]).toMatchObject(trapOf('env.js'));
    expect(statistics()).toMatchObject({ continuationsLive, stacksLive });
  });
});

describe('barrier', () => {
  const BARRIER = '(import "heddle" "barrier" (func $barrier (param (ref null $f))))';

  test('calls the function with its values, and returns what that returns', () => {
    const types = 'i32 i64 f32 f64 externref';
    const e = instance(`(module (type $g (func (param ${types}) (result f64 i32 externref)))
      (import "heddle" "barrier" (func $barrier (param ${types} (ref null $g)) (result f64 i32 externref)))
      (func $g (param ${types}) (result f64 i32 externref) (f64.add (local.get 3) (f64.promote_f32 (local.get 2)))
        (i32.add (local.get 0) (i32.wrap_i64 (local.get 1))) (local.get 4)) (elem declare func $g)
      (func (export "run") (param externref) (result f64 i32 externref)
        (call $barrier (i32.const 1) (i64.const 20) (f32.const 0.5) (f64.const 300) (local.get 0) (ref.func $g)))
      (func (export "null")
        (call $barrier (i32.const 1) (i64.const 20) (f32.const 0.5) (f64.const 300) (ref.null extern) (ref.null $g)) (drop) (drop) (drop)))`);
    const value = {};
    expect(e['run']?.(value)).toEqual([300.5, 21, value]);
    expect(thrown(() => e['null']?.())).toMatchObject({ code: 'HEDDLE_TRAP_NULL_FUNCTION' });
  });

  test('many values', () => {
    const count = 50;
    const params = 'i32 '.repeat(count);
    const e = instance(`(module (type $g (func (param ${params}) (result ${params})))
      (import "heddle" "barrier" (func $barrier (param ${params} (ref null $g)) (result ${params})))
      (func $g (type $g) ${Array.from({ length: count }, (_, i) => `(local.get ${count - 1 - i})`).join(' ')}) (elem declare func $g)
      (func (export "run") (result ${params}) (call $barrier ${Array.from({ length: count }, (_, i) => `(i32.const ${i})`).join(' ')} (ref.func $g))))`);
    expect(e['run']?.()).toEqual(Array.from({ length: count }, (_, i) => count - 1 - i));
  });

  test('stops suspend and switch at any depth of calls and continuations, and the outside goes on', () => {
    const e = instance(`(module ${TYPES} ${BARRIER} (elem declare func $body $suspends $deep)
      (func $suspends (suspend $t)) (func $deep (resume $k (cont.new $k (ref.func $suspends))))
      (global $which (mut i32) (i32.const 0))
      (func $body (if (global.get $which) (then (call $barrier (ref.func $deep))) (else (call $barrier (ref.func $suspends)))))
      (func (export "deep") (param i32) (global.set $which (local.get 0))) ${HANDLED})`);
    for (const deep of [0, 1]) {
      e['deep']?.(deep);
      expect(thrown(() => e['run']?.())).toMatchObject(trapOf('heddle.barrier'));
    }
  });

  test('does not stop what is handled inside it, nor what suspends outside', () => {
    const e = instance(`(module ${TYPES} ${BARRIER} (elem declare func $body $inside $suspends $nop) (func $nop)
      (func $suspends (suspend $t))
      (func $inside (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $suspends))) (unreachable)) (drop))
      (func $body (call $barrier (ref.func $inside)) (call $barrier (ref.func $nop)) (suspend $t)) ${HANDLED})`);
    expect(e['run']?.()).toBe(1);
  });

  test('lets exceptions and traps pass, and leaves nothing behind', () => {
    const e = instance(`(module ${TYPES} ${BARRIER} (tag $e (param i32)) (elem declare func $throws $traps)
      (func $throws (throw $e (i32.const 7))) (func $traps unreachable)
      (func (export "catch") (result i32) (block $h (result i32) (try_table (catch $e $h) (call $barrier (ref.func $throws))) (i32.const 0)))
      (func (export "trap") (call $barrier (ref.func $traps))))`);
    const { continuationsLive, stacksLive } = statistics();
    for (let i = 0; i < 100; i++) {
      expect(e['catch']?.()).toBe(7);
      expect(thrown(() => e['trap']?.())).toMatchObject({ code: 'HEDDLE_TRAP_UNREACHABLE' });
    }
    expect(statistics()).toMatchObject({ continuationsLive, stacksLive });
  });

  test('is a function like others: by reference, exported, in another instance', () => {
    const a = instance(`(module (type $f (func)) ${BARRIER} (export "barrier" (func $barrier)))`);
    const b = instance(
      `(module ${TYPES} (type $b (func (param (ref null $f)))) (import "a" "barrier" (func $barrier (type $b))) (elem declare func $barrier $suspends $body)
        (func $suspends (suspend $t)) (func $body (call_ref $b (ref.func $suspends) (ref.func $barrier))) ${HANDLED})`,
      { a },
    );
    expect(thrown(() => b['run']?.())).toMatchObject(trapOf('heddle.barrier'));
  });

  test('with another type does not link, and says which type it must have', () => {
    for (const type of ['', '(param i32)', '(param funcref)', '(param (ref null $f)) (result i32)', '(param i32 (ref null $f))']) {
      const text = `(module (type $f (func)) (import "heddle" "barrier" (func ${type})))`;
      expect([type, thrown(() => instance(text))]).toMatchObject([
        type,
        { name: 'LinkError', code: 'HEDDLE_LINK_TYPE', message: expect.stringContaining('[t* (ref null $f)] -> [u*]') },
      ]);
    }
  });

  test('other names of the module are looked up as ever', () => {
    expect(thrown(() => instance('(module (import "heddle" "no_such" (func)))', { heddle: {} }))).toMatchObject({
      code: 'HEDDLE_LINK_MISSING',
    });
    expect(
      instance('(module (import "heddle" "mine" (func (result i32))) (export "f" (func 0)))', { heddle: { mine: () => 5 } })['f']?.(),
    ).toBe(5);
  });
});
