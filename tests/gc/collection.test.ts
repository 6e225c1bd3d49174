/** What is freed of structures and arrays, that nothing in use is, and what happens where the heap is full. */
import { describe, expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, hibernate, parseWat, statistics } from '../../ts/api/index.js';
import { resultOf } from '../traps/child.js';

type Exports = Record<string, (...args: unknown[]) => unknown>;
const instance = (text: string, imports: Record<string, Record<string, unknown>> = { m: { collect } }): Exports =>
  new Heddle.Instance(new Heddle.Module(parseWat(text)), imports).exports as Exports;

const NODE = '(type $node (struct (field $value i32) (field $next (mut (ref null $node)))))';
const LISTS = `
  (func $list (param $n i32) (result (ref null $node)) (local $head (ref null $node))
    (loop $l
      (local.set $head (struct.new $node (local.get $n) (local.get $head)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $head))
  (func $sum (param $p (ref null $node)) (result i32) (local $sum i32)
    (loop $l
      (if (ref.is_null (local.get $p)) (then (return (local.get $sum))))
      (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $p))))
      (local.set $p (struct.get $node $next (local.get $p)))
      (br $l))
    (unreachable))`;
/** 1 + 2 + … + n, in 32 bits. */
const sumTo = (n: number): number => ((n * (n + 1)) / 2) | 0;
const MANY = process.env['HEDDLE_COLLECT'] === 'always' ? 300 : 100_000;
/** A conservative collector may take a word that nobody needs for a reference; and the next values of small cells are kept in whole blocks. */
const SLACK = 1 << 20;

/** Bytes of the heap after a collection, from a frame of its own. */
function bytesNow(): number {
  collect();
  return statistics().heapBytes;
}

describe('lists', () => {
  const { list, sum, ring } = instance(`(module ${NODE} (import "m" "collect" (func $collect)) ${LISTS}
    (export "list" (func $list)) (export "sum" (func $sum))
    (func (export "ring") (param i32) (local $first (ref null $node)) (local $p (ref null $node))
      (local.set $first (call $list (local.get 0)))
      (local.set $p (local.get $first))
      (loop $l (if (ref.is_null (struct.get $node $next (local.get $p)))
        (then (struct.set $node $next (local.get $p) (local.get $first)))
        (else (local.set $p (struct.get $node $next (local.get $p))) (br $l)))))
    )`);

  test('of many objects live by their first', () => {
    const head = list?.(MANY);
    collect();
    list?.(MANY);
    collect();
    expect(sum?.(head)).toBe(sumTo(MANY));
  });

  test.each(['list', 'ring'])('that nobody has are freed: %s', (name) => {
    const make = name === 'ring' ? ring : list;
    make?.(10);
    const before = bytesNow();
    for (let i = 0; i < 10; i++) make?.(MANY);
    // V8 frees what stood for them when it wants; a ring is nowhere.
    if (name === 'ring') expect(bytesNow() - before).toBeLessThan(SLACK);
    else expect(bytesNow() - before).toBeLessThan(10 * MANY * 32 + SLACK);
  });
});

describe('a list lives by nothing but', () => {
  const N = 1000;
  const use = (body: string, fields = ''): number =>
    instance(
      `(module ${NODE} (type $box (struct (field (mut anyref)))) (type $list (func (param i32) (result (ref null $node))))
      (type $f (func (result i32))) (type $k (cont $f)) (type $g (func (param (ref null $node)) (result i32))) (type $kg (cont $g))
      (type $nodes (array (mut (ref null $node))))
      (type $wide (struct ${'(field i64)'.repeat(70)} (field (mut (ref null $node)))))
      (type $mixed (struct (field i8) (field v128) (field (mut (ref null $node))) (field i16)))
      (import "m" "collect" (func $collect)) (import "m" "hibernate" (func $hibernate (result i32))) (tag $t (result i32)) (tag $e (param (ref null $node)))
      ${fields} ${LISTS}
      (func $garbage (drop (call $list (i32.const ${N}))) (call $collect) (drop (call $list (i32.const ${N}))) (call $collect))
      (elem declare func $waits $sums $list $sum)
      (func $waits (result i32) (local $p (ref null $node)) (local.set $p (call $list (i32.const ${N})))
        (drop (suspend $t)) (call $sum (local.get $p)))
      (func $sums (param (ref null $node)) (result i32) (call $sum (local.get 0)))
      (func $suspended (result (ref $k)) (block $h (result (ref $k)) (drop (resume $k (on $u $h) (cont.new $k (ref.func $waits2)))) (unreachable)))
      (tag $u) (func $waits2 (result i32) (local $p (ref null $node)) (local.set $p (call $list (i32.const ${N})))
        (suspend $u) (call $sum (local.get $p)))
      (elem declare func $waits2)
      (func (export "f") (result i32) ${body}))`,
      { m: { collect, hibernate } },
    )['f']?.() as number;

  test.each([
    ['an operand', `(call $list (i32.const ${N})) (call $garbage) (call $sum)`],
    ['a local', `(local $p (ref null $node)) (local.set $p (call $list (i32.const ${N}))) (call $garbage) (call $sum (local.get $p))`],
    [
      'a structure',
      `(local $b (ref $box)) (local.set $b (struct.new $box (call $list (i32.const ${N})))) (call $garbage)
      (call $sum (ref.cast (ref $node) (struct.get $box 0 (local.get $b))))`,
    ],
    [
      'a field behind 70 others',
      `(local $b (ref $wide)) (local.set $b (struct.new_default $wide))
      (struct.set $wide 70 (local.get $b) (call $list (i32.const ${N}))) (call $garbage) (call $sum (struct.get $wide 70 (local.get $b)))`,
    ],
    [
      'a field between packed ones and a vector',
      `(local $b (ref $mixed)) (local.set $b (struct.new_default $mixed))
      (struct.set $mixed 2 (local.get $b) (call $list (i32.const ${N}))) (call $garbage) (call $sum (struct.get $mixed 2 (local.get $b)))`,
    ],
    [
      'an array',
      `(local $a (ref $nodes)) (local.set $a (array.new $nodes (call $list (i32.const ${N})) (i32.const 3))) (call $garbage)
      (call $sum (array.get $nodes (local.get $a) (i32.const 2)))`,
    ],
    [
      'an array of many',
      `(local $a (ref $nodes)) (local.set $a (array.new_default $nodes (i32.const 100000)))
      (array.set $nodes (local.get $a) (i32.const 99999) (call $list (i32.const ${N}))) (call $garbage)
      (call $sum (array.get $nodes (local.get $a) (i32.const 99999)))`,
    ],
    ['a suspended continuation', `(local $k (ref null $k)) (local.set $k (call $suspended)) (call $garbage) (resume $k (local.get $k))`],
    [
      'one that hibernates',
      `(local $k (ref null $k)) (local.set $k (call $suspended)) (drop (call $hibernate)) (call $garbage)
      (resume $k (local.get $k))`,
    ],
    [
      'a value that is bound',
      `(local $k (ref null $k)) (local.set $k (cont.bind $kg $k (call $list (i32.const ${N})) (cont.new $kg (ref.func $sums))))
      (call $garbage) (resume $k (local.get $k))`,
    ],
    [
      'an exception',
      `(local $x exnref) (local.set $x (block $h (result exnref)
        (try_table (catch_all_ref $h) (throw $e (call $list (i32.const ${N})))) (unreachable)))
      (call $garbage) (block $c (result (ref null $node)) (try_table (catch $e $c) (throw_ref (local.get $x))) (unreachable)) (call $sum)`,
    ],
  ])('%s', (_what, body) => {
    expect(use(body)).toBe(sumTo(N));
  });

  test.each([
    [
      'a global',
      '(global $g (mut (ref null $node)) (ref.null $node))',
      `(global.set $g (call $list (i32.const ${N}))) (call $garbage) (call $sum (global.get $g))`,
    ],
    [
      'a table',
      '(table $all 3 (ref null $node))',
      `(table.set $all (i32.const 1) (call $list (i32.const ${N}))) (call $garbage) (call $sum (table.get $all (i32.const 1)))`,
    ],
  ])('%s', (_what, fields, body) => {
    expect(use(body, fields)).toBe(sumTo(N));
  });
});

test('constant expressions of globals, tables and segments are roots', () => {
  const { f, drop } =
    instance(`(module ${NODE} (type $nodes (array (ref null $node))) (type $bytes (array i8)) (type $wide (struct (field v128) (field f32) (field f64) (field i16)))
    (import "m" "collect" (func $collect))
    (global $a (ref $node) (struct.new $node (i32.const 1) (struct.new $node (i32.const 2) (ref.null $node))))
    (global $b (ref $nodes) (array.new_fixed $nodes 2 (global.get $a) (struct.new $node (i32.const 30) (ref.null $node))))
    (global $c (ref $bytes) (array.new $bytes (i32.const 0x1ff) (i32.const 1001)))
    (global $w (ref $wide) (struct.new $wide (v128.const i64x2 5 6) (f32.const 1.5) (f64.const -2.5) (i32.const 0x1_8000)))
    (table $t 2 (ref $node) (struct.new $node (i32.const 400) (ref.null $node)))
    (elem $e (ref $node) (item (struct.new $node (i32.const 5000) (ref.null $node))))
    (func (export "drop") (elem.drop $e))
    (func (export "f") (result i32 i32 i32 i32 i32 i64 f32 f64 i32) (call $collect)
      (struct.get $node 0 (struct.get $node 1 (global.get $a)))
      (struct.get $node 0 (array.get $nodes (global.get $b) (i32.const 1)))
      (array.get_u $bytes (global.get $c) (i32.const 1000))
      (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))
      (struct.get $node 0 (table.get $t (i32.const 0))) (struct.get $node 0 (table.get $t (i32.const 1)))
      (i64x2.extract_lane 1 (struct.get $wide 0 (global.get $w))) (struct.get $wide 1 (global.get $w)) (struct.get $wide 2 (global.get $w))
      (struct.get_s $wide 3 (global.get $w))))`);
  for (let i = 0; i < 3; i++) {
    collect();
    expect(f?.()).toEqual([2, 30, 255, 5000, 400, 6n, 1.5, -2.5, -0x8000]);
  }
  drop?.();
  expect(() => f?.()).toThrow('out of bounds table access');
});

test('an array without elements is made by a constant expression, whatever they would be', () => {
  const { f } = instance(
    `(module (type $bytes (array i8)) (global $g (ref $bytes) (array.new $bytes (i32.const 7) (i32.const 0)))
      (func (export "f") (result i32) (array.len (global.get $g))))`,
    {},
  );
  expect(f?.()).toBe(0);
});

test('values of JavaScript, functions and continuations live by fields', () => {
  const { make, get, call, go } = instance(`(module (type $f (func (result i32))) (type $k (cont $f))
    (type $all (struct (field externref) (field (ref null $f)) (field (mut (ref null $k)))))
    (func $five (result i32) (i32.const 5)) (elem declare func $five)
    (func (export "make") (param externref funcref) (result (ref $all))
      (struct.new $all (local.get 0) (ref.cast (ref $f) (local.get 1)) (cont.new $k (ref.func $five))))
    (func (export "get") (param (ref $all)) (result externref) (struct.get $all 0 (local.get 0)))
    (func (export "call") (param (ref $all)) (result i32) (call_ref $f (struct.get $all 1 (local.get 0))))
    (func (export "go") (param (ref $all)) (result i32) (resume $k (struct.get $all 2 (local.get 0)))))`);
  const other = (): unknown => instance('(module (func (export "f") (result i32) (i32.const 77)))', {})['f'];
  const objects = Array.from({ length: 100 }, (_, i) => make?.({ i }, other()));
  collect();
  objects.forEach((object, i) => {
    expect(get?.(object)).toEqual({ i });
    expect(call?.(object)).toBe(77);
    expect(go?.(object)).toBe(5);
  });
});

describe('a full heap', () => {
  interface Full {
    readonly fresh: number;
    readonly errors: readonly { readonly name: string; readonly message: string; readonly code: string }[];
    readonly afterwards: readonly number[];
    readonly churn: number;
    readonly most: number;
  }

  test('is a trap that says so; what is no longer used makes room', async () => {
    const full = await resultOf<Full>(new URL('programs/full.mjs', import.meta.url), { env: { HEDDLE_COLLECT: '' } });
    for (const { name, message, code } of full.errors) {
      expect(name).toBe('RuntimeError');
      expect(message).toContain('out of memory');
      expect(message).toContain('heap.memory');
      expect(code).toBe('HEDDLE_TRAP_OUT_OF_MEMORY');
    }
    expect(full.errors.length).toBe(6);
    // As many objects fit each time, whoever made the last ones.
    for (const count of full.afterwards) expect(count).toBeGreaterThan(full.fresh * 0.9);
    expect(full.churn).toBe(sumTo(1_000_000));
    expect(full.most).toBeLessThanOrEqual(16 << 20);
  });

  test('arrays have a greatest length', () => {
    const { make } = instance(
      `(module (type $a (array (mut i64))) (func (export "make") (param i32) (result (ref $a)) (array.new_default $a (local.get 0))))`,
      {},
    );
    for (const length of [-1, 2 ** 30, 2 ** 28]) {
      expect(() => make?.(length)).toThrow(
        expect.objectContaining({ code: 'HEDDLE_TRAP_ARRAY_SIZE', message: 'requested array too large' }),
      );
    }
  });
});
