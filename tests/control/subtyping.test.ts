/**
 * Subtyping of continuation types: a continuation of a declared subtype stands where one of the supertype is wanted, and only then.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';
import { instance, thrown } from './module.js';

/** $sub takes any function where $super asks for one of its own type, and returns one of its own type where that promises any. */
const TYPES = `(type $n (func (result i32)))
  (type $super (sub (func (param (ref $n)) (result funcref)))) (type $sub (sub $super (func (param funcref) (result (ref $n)))))
  (type $ksuper (sub (cont $super))) (type $ksub (sub $ksuper (cont $sub)))`;

describe('a continuation of a subtype', () => {
  test('is resumed, bound and suspended by its supertype', () => {
    const e = instance(`(module ${TYPES} (type $v (func (result funcref))) (type $kv (cont $v)) (tag $t)
      (func $seven (type $n) (i32.const 7)) (func $nine (type $n) (i32.const 9)) (elem declare func $seven $nine $body)
      (func $body (type $sub) (suspend $t) (ref.func $nine))
      (table $t 1 funcref)
      (func $call (param funcref) (result i32) (table.set $t (i32.const 0) (local.get 0)) (call_indirect $t (type $n) (i32.const 0)))
      (func $make (result (ref $ksuper)) (cont.new $ksub (ref.func $body)))
      (func (export "resume") (result i32)
        (block $on (result (ref $kv)) (return (call $call (resume $ksuper (on $t $on) (ref.func $seven) (call $make)))))
        (call $call (resume $kv)))
      (func (export "bind") (result i32)
        (block $on (result (ref $kv)) (return (call $call (resume $kv (on $t $on) (cont.bind $ksuper $kv (ref.func $seven) (call $make))))))
        (call $call (resume $kv))))`);
    expect([e['resume']?.(), e['bind']?.()]).toEqual([9, 9]);
  });

  test('crosses between modules that declare the same types, and a call through a table finds the subtype', () => {
    const maker =
      instance(`(module ${TYPES} (type $make (sub (func (result (ref $ksuper))))) (type $makesub (sub $make (func (result (ref $ksub)))))
      (func $nine (type $n) (i32.const 9)) (elem declare func $nine $body) (func $body (type $sub) (ref.func $nine))
      (table (export "t") 1 funcref) (elem (table 0) (i32.const 0) func $made)
      (func $made (export "make") (type $makesub) (cont.new $ksub (ref.func $body))))`);
    const text = (
      extra: string,
    ): string => `(module ${TYPES} (type $make (sub (func (result (ref $ksuper))))) (type $makesub (sub $make (func (result (ref $ksub)))))
      (import "m" "t" (table $t 1 funcref)) ${extra}
      (func $seven (type $n) (i32.const 7)) (elem declare func $seven)
      (func (export "run") (result i32) (ref.is_null (resume $ksuper (ref.func $seven) (call_indirect $t (type $make) (i32.const 0))))))`;
    expect(instance(text(''), { m: maker })['run']?.()).toBe(0);
    expect(instance(text('(import "m" "make" (func (type $make)))'), { m: maker })['run']?.()).toBe(0);
    // The types are not those of a module that declares no supertype.
    const other = TYPES.replace('(sub $ksuper (cont $sub))', '(sub (cont $sub))');
    const bad = `(module ${other} (import "m" "make" (func (result (ref $ksub)))))`;
    expect(thrown(() => instance(bad, { m: maker }))).toMatchObject({ code: 'HEDDLE_LINK_TYPE' });
  });
});

describe('what is no subtype', () => {
  test.each([
    [
      'a continuation of a subtype that is not declared one',
      '(type $k2 (cont $sub)) (func (param (ref $k2)) (result (ref $ksuper)) (local.get 0))',
    ],
    ['the supertype where the subtype is wanted', '(func (param (ref $ksuper)) (result (ref $ksub)) (local.get 0))'],
    ['a declared one whose function is none', '(type $other (func)) (type $k2 (sub $ksuper (cont $other)))'],
    ['a subtype of a final type', '(type $final (cont $super)) (type $k2 (sub $final (cont $sub)))'],
    ['a continuation where a function is wanted', '(func (param (ref $ksub)) (result (ref func)) (local.get 0))'],
  ])('%s', (_, fields) => {
    expect(Heddle.validate(parseWat(`(module ${TYPES} ${fields})`))).toBe(false);
  });

  test('every continuation is a cont, and nocont is below all of them', () => {
    const fields = `(func (param (ref $ksub)) (result (ref cont)) (local.get 0)) (func (result (ref null $ksub)) (ref.null nocont))`;
    expect(Heddle.validate(parseWat(`(module ${TYPES} ${fields})`))).toBe(true);
  });
});
