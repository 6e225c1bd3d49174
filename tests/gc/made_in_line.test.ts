/** Objects of all sizes around those that are made in line: each has its own cell, which holds what it was given, whatever lay there before. */
import { expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat } from '../../ts/api/index.js';

type Exports = Record<string, (...args: unknown[]) => unknown>;
const instance = (text: string): Exports => new Heddle.Instance(new Heddle.Module(parseWat(text)), {}).exports as Exports;

const LENGTHS = [...Array.from({ length: 36 }, (_, i) => i), 61, 62, 63, 64, 65, 120, 121, 123, 124, 125, 247, 248, 249, 256, 500];
/** Storage type, the type of its values, a constant other than 0 that fits, and how an element is read as an i32. */
const STORAGE = [
  ['i8', 'i32', '(i32.const 0x5a)', 'array.get_u $a'],
  ['i16', 'i32', '(i32.const 0x5a5b)', 'array.get_u $a'],
  ['i32', 'i32', '(i32.const 0x5a5b5c5d)', 'array.get $a'],
  ['i64', 'i64', '(i64.const 0x5a5b_5c5d_5e5f)', 'i32.wrap_i64 (array.get $a'],
  ['f64', 'f64', '(f64.const 77)', 'i32.trunc_f64_s (array.get $a'],
  ['v128', 'v128', '(v128.const i32x4 5 6 7 8)', 'i32x4.extract_lane 3 (array.get $a'],
  ['(ref null $s)', '(ref null $s)', '(struct.new $s (i32.const 9))', 'struct.get $s 0 (array.get $a'],
] as const;
const EXPECTED = [0x5a, 0x5a5b, 0x5a5b5c5d, 0x5c5d5e5f, 77, 8, 9];

test.each(STORAGE.map((row, i) => [...row, EXPECTED[i] ?? 0] as const))('arrays of %s', (storage, type, value, read, expected) => {
  const get = `(${read} (local.get $a) (local.get $i)${read.includes('(') ? ')' : ''})`;
  const isNull = storage.startsWith('(ref') ? '(ref.is_null (array.get $a (local.get $a) (local.get $i)))' : `(i32.eqz ${get})`;
  const fixed = LENGTHS.map(
    (length) => `(func (export "fixed ${length}") (result (ref $a)) (local $v ${type}) (local.set $v ${value})
      (array.new_fixed $a ${length} ${'(local.get $v) '.repeat(length)}))`,
  );
  const counts = (name: string, condition: string): string => `
    (func (export "${name}") (param $a (ref $a)) (result i32) (local $i i32) (local $n i32)
      (block $end (loop $next
        (br_if $end (i32.ge_u (local.get $i) (array.len (local.get $a))))
        (local.set $n (i32.add (local.get $n) ${condition}))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (local.get $n))`;
  const exports = instance(`(module (type $s (struct (field i32))) (type $a (array (mut ${storage})))
    (func (export "new") (param i32) (result (ref $a)) (array.new $a ${value} (local.get 0)))
    (func (export "default") (param i32) (result (ref $a)) (array.new_default $a (local.get 0)))
    (func (export "length") (param (ref $a)) (result i32) (array.len (local.get 0)))
    ${counts('filled', `(i32.eq ${get} (i32.const ${expected}))`)}
    ${counts('empty', isNull)}
    ${fixed.join('\n')})`);
  const made = LENGTHS.flatMap((length) => {
    const [zeros, filled, fixed] = [exports['default']?.(length), exports['new']?.(length), exports[`fixed ${length}`]?.()];
    // What is dropped makes room for what comes after a collection.
    for (let i = 0; i < 3; i++) exports['new']?.(length);
    if (length % 7 === 0) collect();
    return [
      [length, zeros, 'empty'],
      [length, filled, 'filled'],
      [length, fixed, 'filled'],
    ] as const;
  });
  collect();
  for (const [length, array, how] of made) {
    expect(exports['length']?.(array)).toBe(length);
    expect(exports[how]?.(array)).toBe(length);
  }
});

test('structures', () => {
  const COUNTS = [0, 1, 2, 13, 14, 15, 29, 30, 31, 32, 60];
  const types = COUNTS.map((count) => `(type $s${count} (struct ${'(field (mut i64))'.repeat(count)}))`);
  const functions = COUNTS.map((count) => {
    const fields = Array.from({ length: count }, (_, i) => i);
    return `
      (func (export "new ${count}") (param i64) (result (ref $s${count}))
        (struct.new $s${count} ${fields.map((i) => `(i64.add (local.get 0) (i64.const ${i}))`).join(' ')}))
      (func (export "default ${count}") (result (ref $s${count})) (struct.new_default $s${count}))
      (func (export "sum ${count}") (param $s (ref $s${count})) (result i64)
        ${fields.reduce((sum, i) => `(i64.add ${sum} (struct.get $s${count} ${i} (local.get $s)))`, '(i64.const 0)')})`;
  });
  const exports = instance(`(module ${types.join(' ')} ${functions.join('')})`);
  const made = COUNTS.flatMap((count) =>
    Array.from({ length: 20 }, (_, i) => {
      if (i === 10) collect();
      exports[`new ${count}`]?.(-1n);
      return {
        count,
        first: BigInt(i * 1000),
        filled: exports[`new ${count}`]?.(BigInt(i * 1000)),
        zeros: exports[`default ${count}`]?.(),
      };
    }),
  );
  collect();
  for (const { count, first, filled, zeros } of made) {
    const n = BigInt(count);
    expect(exports[`sum ${count}`]?.(filled)).toBe(n * first + (n * (n - 1n)) / 2n);
    expect(exports[`sum ${count}`]?.(zeros)).toBe(0n);
  }
});
