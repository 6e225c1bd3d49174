/**
 * Structure and array types, and the abstract heap types: they validate, equal ones of different modules are one type, and their null crosses everywhere.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';
import { instance, thrown } from './module.js';

const HEAP_TYPES = [
  'any',
  'eq',
  'i31',
  'struct',
  'array',
  'none',
  'func',
  'nofunc',
  'extern',
  'noextern',
  'exn',
  'noexn',
  'cont',
  'nocont',
];
/** Concrete types of every kind, with references to themselves and to each other. */
const CONCRETE = `(rec
    (type $s (sub (struct (field i8) (field (mut i16)) (field i64) (field (ref null $s)) (field (mut (ref null $a))))))
    (type $a (array (mut (ref null $s)))))
  (type $bytes (array i8)) (type $vectors (array v128)) (type $empty (struct))
  (type $sub (sub $s (struct (field i8) (field (mut i16)) (field i64) (field (ref null $s)) (field (mut (ref null $a))) (field f32))))
  (type $f (func)) (type $k (cont $f))`;
const NAMES = ['$s', '$a', '$bytes', '$vectors', '$empty', '$sub', '$f', '$k'];

describe('null', () => {
  test.each([...HEAP_TYPES, ...NAMES])('of %s: tested, in locals, globals, tables, parameters and branches', (type) => {
    const e = instance(`(module ${CONCRETE}
      (global $g (mut (ref null ${type})) (ref.null ${type})) (table $t 3 (ref null ${type})) (elem (table $t) (i32.const 1) (ref null ${type}) (ref.null ${type}))
      (func $same (param (ref null ${type})) (result (ref null ${type})) (local (ref null ${type})) (local.set 1 (local.get 0)) (local.get 1))
      (func (export "run") (result i32)
        (global.set $g (call $same (table.get $t (i32.const 1)))) (table.set $t (i32.const 0) (global.get $g))
        (drop (table.grow $t (ref.null ${type}) (i32.const 1)))
        (table.fill $t (i32.const 0) (ref.null ${type}) (i32.const 2))
        (drop (block $null (result (ref ${type}))
          (ref.null ${type}) (br_on_non_null $null) (return (ref.is_null (table.get $t (i32.const 3))))))
        (i32.const -1))
      (func (export "trap") (drop (ref.as_non_null (call $same (ref.null ${type}))))))`);
    expect(e['run']?.()).toBe(1);
    expect(thrown(() => e['trap']?.())).toMatchObject({ code: 'HEDDLE_TRAP_NULL_REFERENCE' });
  });

  test.each(['any', 'eq', 'struct', 'array', 'none', 'i31', '$s', '$bytes'])(
    'of %s is a payload of exceptions and continuations',
    (type) => {
      const e =
        instance(`(module ${CONCRETE} (tag $e (param i32 (ref null ${type}))) (tag $t (param (ref null ${type})) (result (ref null ${type})))
      (type $gf (func (param (ref null ${type})) (result (ref null ${type})))) (type $gk (cont $gf)) (elem declare func $body)
      (type $rf (func (param (ref null ${type})) (result (ref null ${type})))) (type $rk (cont $rf))
      (func $body (type $gf) (suspend $t (local.get 0)))
      (func (export "thrown") (result i32)
        (block $h (result i32 (ref null ${type})) (try_table (catch $e $h) (throw $e (i32.const 6) (ref.null ${type}))) (unreachable))
        (ref.is_null) (i32.add))
      (func (export "suspended") (result i32) (local $c (ref null $rk)) (local $v (ref null ${type}))
        (block $on (result (ref null ${type}) (ref $rk)) (resume $gk (on $t $on) (ref.null ${type}) (cont.new $gk (ref.func $body))) (unreachable))
        (local.set $c) (local.set $v)
        (i32.add (ref.is_null (local.get $v)) (ref.is_null (resume $rk (local.get $v) (local.get $c))))))`);
      expect([e['thrown']?.(), e['suspended']?.()]).toEqual([7, 2]);
    },
  );

  test('crosses to JavaScript and back', () => {
    for (const type of ['any', 'eq', 'struct', 'array', 'none', '$s', '$bytes', 'func', '$f', 'extern', 'noextern', 'nofunc']) {
      const e = instance(`(module ${CONCRETE} (func (export "f") (param (ref null ${type})) (result (ref null ${type})) (local.get 0)))`);
      expect([type, e['f']?.(null)]).toEqual([type, null]);
      // Nothing else is a value of a structure's or array's type, nor of the types without values.
      if (type !== 'any' && type !== 'eq' && type !== 'extern') expect(thrown(() => e['f']?.({}))).toBeInstanceOf(TypeError);
    }
  });
});

describe('equal types are one', () => {
  const module = (types: string, param: string): string => `(module ${types} (type $of (func (param ${param}))) `;
  /** Whether a function of one module's type links where another module's is wanted. */
  function links(have: string, haveParam: string, want: string, wantParam: string): boolean {
    const a = instance(`${module(have, haveParam)} (func (export "f") (type $of)))`);
    try {
      instance(`${module(want, wantParam)} (import "a" "f" (func (type $of))))`, { a });
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'HEDDLE_LINK_TYPE' });
      return false;
    }
  }

  const cases: readonly (readonly [name: string, same: boolean, have: string, want: string])[] = [
    [
      'equal structures',
      true,
      '(type $t (struct (field i32) (field (mut i64))))',
      '(type $x (func)) (type $t (struct (field i32) (field (mut i64))))',
    ],
    ['another field', false, '(type $t (struct (field i32)))', '(type $t (struct (field i64)))'],
    ['a packed field', false, '(type $t (struct (field i8)))', '(type $t (struct (field i16)))'],
    ['mutability', false, '(type $t (struct (field i32)))', '(type $t (struct (field (mut i32))))'],
    ['more fields', false, '(type $t (struct (field i32)))', '(type $t (struct (field i32) (field i32)))'],
    ['arrays', true, '(type $t (array (mut f32)))', '(type $t (array (mut f32)))'],
    ['an array and a structure', false, '(type $t (array i32))', '(type $t (struct (field i32)))'],
    ['finality', false, '(type $t (struct))', '(type $t (sub (struct)))'],
    [
      'recursion groups, by structure',
      true,
      '(rec (type $t (struct (field (ref null $u)))) (type $u (array (ref null $t))))',
      '(type $before (func)) (rec (type $t (struct (field (ref null $u)))) (type $u (array (ref null $t))))',
    ],
    ['the place in a recursion group', false, '(rec (type $t (struct)) (type $u (struct)))', '(rec (type $u (struct)) (type $t (struct)))'],
    ['the size of the group', false, '(rec (type $t (struct)) (type $u (struct)))', '(type $t (struct))'],
    [
      'supertypes',
      false,
      '(type $p (sub (struct))) (type $t (sub $p (struct (field i32))))',
      '(type $p (sub (struct))) (type $t (sub (struct (field i32))))',
    ],
    ['continuation types', true, '(type $f (func)) (type $t (cont $f))', '(type $x (struct)) (type $f (func)) (type $t (cont $f))'],
    [
      'continuation types of other functions',
      false,
      '(type $f (func)) (type $t (cont $f))',
      '(type $f (func (param i32))) (type $t (cont $f))',
    ],
  ];

  test.each(cases)('%s: %s', (_, same, have, want) => {
    expect(links(have, '(ref null $t)', want, '(ref null $t)')).toBe(same);
  });

  test('nullability is part of a function’s type', () => {
    const type = '(type $t (struct))';
    expect(links(type, '(ref null $t)', type, '(ref $t)')).toBe(false);
  });

  test('a call_indirect of an equal type of another module, and of one that is not', () => {
    const a = instance(
      '(module (type $s (struct (field i8))) (func (export "f") (param (ref null $s)) (result i32) (ref.is_null (local.get 0))))',
    );
    const caller = (
      field: string,
    ): string => `(module (type $s (struct (field ${field}))) (type $f (func (param (ref null $s)) (result i32)))
      (table (export "t") 1 funcref) (func (export "run") (result i32) (call_indirect (type $f) (ref.null $s) (i32.const 0))))`;
    const run = (field: string): unknown => {
      const e = instance(caller(field));
      (e['t'] as unknown as { set(i: number, f: unknown): void }).set(0, a['f']);
      return e['run']?.();
    };
    expect(run('i8')).toBe(1);
    expect(thrown(() => run('i16'))).toMatchObject({ code: 'HEDDLE_TRAP_INDIRECT_CALL_TYPE' });
  });
});

describe('not valid', () => {
  test.each([
    ['a supertype that is final', '(type $p (struct)) (type (sub $p (struct)))'],
    ['a subtype with fewer fields', '(type $p (sub (struct (field i32)))) (type (sub $p (struct)))'],
    [
      'a subtype with another mutable field',
      '(type $p (sub (struct (field (mut (ref null any)))))) (type (sub $p (struct (field (mut (ref null eq))))))',
    ],
    ['a continuation of a structure', '(type $s (struct)) (type (cont $s))'],
    ['a type that comes later', '(type (struct (field (ref 1)))) (type (struct))'],
    ['null where none is allowed', '(global (ref struct) (ref.null none))'],
    ['a reference of another hierarchy', '(global (ref null any) (ref.null extern))'],
  ])('%s', (_, fields) => {
    const bytes = parseWat(`(module ${fields})`);
    expect(Heddle.validate(bytes)).toBe(false);
    expect(thrown(() => new Heddle.Module(bytes))).toMatchObject({ name: 'CompileError', code: 'HEDDLE_INVALID_MODULE' });
  });
});
