/**
 * Functions whose locals lie in the frame (docs/decisions/0019) compute what they do with locals that are variables. What V8 can run is compared with
 * V8; the rest is arithmetic.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat } from '../../ts/api/index.js';

type Exports = Record<string, (...args: unknown[]) => unknown>;

const times = (count: number, make: (i: number) => string): string => Array.from({ length: count }, (_, i) => make(i)).join('\n');

/** A module in Heddle, each function's locals in its frame. */
function inSlots(text: string, imports: WebAssembly.Imports = {}): Exports {
  vi.stubEnv('HEDDLE_DEBUG_SLOTS', '1');
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), imports).exports as Exports;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

const KERNELS = `(module
  (table $t 1 funcref) (elem (i32.const 0) $seven)
  (func $seven (result i32) (i32.const 7))
  (func $dirty (param i64 i64 f64 f64) (result i64) (local i64 i64 i64 i64 i64 i64 i64 i64)
    ${times(12, (i) => (i === 2 || i === 3 ? '' : `(local.set ${i} (i64.const -1))`))}
    (i64.add (local.get 4) (i64.add (local.get 5) (i64.add (local.get 6) (local.get 11)))))
  (func $zeros (result i32) (local i32 i64 f32 f64 v128 funcref externref i32)
    (i32.or (i32.or (local.get 0) (i32.wrap_i64 (local.get 1)))
      (i32.or (i32.or (i32.reinterpret_f32 (local.get 2)) (i32.wrap_i64 (i64.reinterpret_f64 (local.get 3))))
        (i32.or (i32.or (v128.any_true (local.get 4)) (i32.eqz (ref.is_null (local.get 5))))
          (i32.or (i32.eqz (ref.is_null (local.get 6))) (local.get 7))))))
  (func (export "zeros") (result i32) (local i32)
    (loop $l
      (drop (call $dirty (i64.const -1) (i64.const -1) (f64.const -1) (f64.const -1)))
      (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 50))))
    (i32.add (call $zeros) (local.get 0)))
  (func (export "fibonacci") (param $n i32) (result i64) (local $a i64) (local $b i64) (local $t i64)
    (local.set $b (i64.const 1))
    (block $out (loop $l
      (br_if $out (i32.eqz (local.get $n)))
      (local.set $t (i64.add (local.get $a) (local.get $b)))
      (local.set $a (local.get $b)) (local.set $b (local.get $t))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $l)))
    (local.get $a))
  (func (export "floats") (param $n i32) (param $x f64) (result f64) (local $s f32)
    (loop $l
      (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 1.0000001)) (f64.promote_f32 (local.get $s))))
      (local.set $s (f32.add (local.get $s) (f32.const 0.125)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
  (func (export "vectors") (param $n i32) (result i32) (local $v v128) (local $i i32) (local $w v128)
    (local.set $w (v128.const i32x4 1 2 3 4))
    (loop $l
      (local.set $v (i32x4.add (i32x4.mul (local.get $v) (i32x4.splat (i32.const 3))) (local.get $w)))
      (if (i32.and (local.get $i) (i32.const 1)) (then (local.set $w (i32x4.add (local.get $w) (local.get $v)))) (else (local.set $v (v128.not (local.get $v)))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (i32.add (i32.xor (i32x4.extract_lane 0 (local.get $v)) (i32x4.extract_lane 3 (local.get $v))) (i32x4.extract_lane 2 (local.get $w))))
  (func (export "references") (param $x externref) (result externref i32) (local $f funcref) (local $y externref)
    (local.set $f (table.get $t (i32.const 0)))
    (if (i32.eqz (ref.is_null (local.get $f))) (then (local.set $y (local.get $x)) (table.set $t (i32.const 0) (local.get $f))))
    (local.get $y) (call_indirect $t (result i32) (i32.const 0)))
  (func (export "swap") (param i32 i32) (result i32) (local i32)
    (local.get 0) (local.get 1) (local.set 0) (local.set 1)
    (local.tee 2 (i32.lt_s (local.get 0) (local.get 1)))
    (i32.add (i32.mul (local.get 0) (i32.const 1000)) (i32.add (local.get 1) (local.get 2))) (i32.add))
  (func (export "many") (param $x i64) (result i64 i32 f32 f64 i64 i32 f32 f64 i64 i32)
    (local i64 i32 f32 f64)
    (local.set 1 (i64.mul (local.get $x) (i64.const 3))) (local.set 2 (i32.wrap_i64 (local.get 1)))
    (local.set 3 (f32.convert_i32_s (local.get 2))) (local.set 4 (f64.convert_i64_s (local.get 1)))
    ${times(10, (i) => `(local.get ${[1, 2, 3, 4][i % 4] as number})`)}))`;

describe('kernels of every type', () => {
  test('give what V8 gives', () => {
    const ours = inSlots(KERNELS);
    const theirs = new WebAssembly.Instance(new WebAssembly.Module(parseWat(KERNELS) as BufferSource)).exports as Exports;
    const object = {};
    const calls: readonly (readonly [string, ...unknown[]])[] = [
      ['zeros'],
      ['fibonacci', 90],
      ['floats', 1000, 0.5],
      ['vectors', 99],
      ['references', object],
      ['swap', 5, 9],
      ['swap', 9, -5],
      ['many', 12345n],
    ];
    for (const [name, ...args] of calls) expect([name, ours[name]?.(...args)]).toEqual([name, theirs[name]?.(...args)]);
    expect((ours['references']?.(object) as unknown[])[0]).toBe(object);
  });

  test('a function that is over the budget by itself gives what V8 gives', () => {
    const count = 120;
    // 120 loops inside each other, with 120 locals that each of them carries.
    const text = `(module (func (export "f") (param $n i32) (result i32) (local ${'i32 '.repeat(count)}) (local $sum i32)
      ${times(count, () => 'loop')}
      ${times(count, (i) => `(local.set ${i + 1} (i32.add (i32.mul (local.get ${1 + ((i * 7) % count)}) (i32.const 3)) (i32.const ${i})))`)}
      ${times(count, (i) => `(br_if 0 (i32.lt_u (local.tee ${i + 1} (i32.add (local.get ${i + 1}) (local.get $n))) (i32.const 40))) end`)}
      ${times(count, (i) => `(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (local.get ${i + 1})))`)}
      (local.get $sum)))`;
    const bytes = parseWat(text);
    const ours = new Heddle.Instance(new Heddle.Module(bytes)).exports as Exports;
    const theirs = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource)).exports as Exports;
    for (const n of [1, 2, 3, 100]) expect(ours['f']?.(n)).toBe(theirs['f']?.(n));
  });
});

describe('handlers', () => {
  test('of exceptions see what was set before the throw', () => {
    const { f, g } = inSlots(`(module (tag $e (param i32)) (tag $o)
      (func $throws (param i32) (if (local.get 0) (then (throw $e (local.get 0)))))
      (func (export "f") (param $at i32) (result i32) (local $i i32) (local $sum i64) (local $caught i32)
        (block $out
          (local.set $caught (block $h (result i32)
            (try_table (catch $e $h)
              (loop $l
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
                (call $throws (select (local.get $i) (i32.const 0) (i32.eq (local.get $i) (local.get $at))))
                (br_if $l (i32.lt_u (local.get $i) (i32.const 100)))))
            (br $out))))
        (i32.add (i32.mul (i32.wrap_i64 (local.get $sum)) (i32.const 1000)) (local.get $caught)))
      (func (export "g") (param $x i32) (result i32) (local $y i32)
        (try
          (do (local.set $y (i32.const 5)) (try (do (local.set $y (i32.const 6)) (call $throws (local.get $x)) (local.set $y (i32.const 7))) (catch $o (local.set $y (i32.const 8)))))
          (catch $e (local.set $y (i32.add (i32.mul (local.get $y) (i32.const 10))))))
        (local.get $y)))`);
    expect(f?.(10)).toBe(55 * 1000 + 10);
    expect(f?.(101)).toBe(5050 * 1000);
    expect(g?.(0)).toBe(7);
    expect(g?.(3)).toBe(63);
  });

  const PROGRAM = `(module (type $f (func (param i32) (result i64))) (type $k (cont $f)) (tag $yield (param i32) (result i32))
    (type $back (func (param i32) (result i64))) (type $kb (cont $back)) (import "m" "collect" (func $collect))
    (func $generator (type $f) (local $i i32) (local $sum i64) (local $v v128)
      (local.set $v (i64x2.splat (i64.const 1)))
      (loop $l
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (suspend $yield (local.get $i)))))
        (local.set $v (i64x2.add (local.get $v) (i64x2.splat (i64.const 2))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $i) (local.get 0))))
      (i64.add (local.get $sum) (i64x2.extract_lane 1 (local.get $v))))
    (elem declare func $generator)
    (func (export "run") (param $n i32) (result i64) (local $k (ref null $k)) (local $kb (ref null $kb)) (local $last i32) (local $count i32) (local $null (ref null $k))
      (local.set $k (cont.new $k (ref.func $generator)))
      (call $collect)
      (block $done (result i64)
        (block $on (result i32 (ref $kb))
          (br $done (resume $k (on $yield $on) (local.get $n) (local.get $k))))
        (local.set $kb) (local.set $last)
        (loop $again (result i64)
          (call $collect)
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (block $on (result i32 (ref $kb))
            (br $done (resume $kb (on $yield $on) (i32.mul (local.get $last) (i32.const 2)) (local.get $kb))))
          (local.set $kb) (local.set $last)
          (br $again)))
      (i64.add (i64.extend_i32_u (i32.mul (i32.add (local.get $count) (i32.mul (ref.is_null (local.get $null)) (i32.const 1000))) (i32.const 1000000)))))
    )`;

  test.each(['0', '1'])('of continuations keep locals, and the collector sees them (in slots: %s)', (slots) => {
    vi.stubEnv('HEDDLE_DEBUG_SLOTS', slots);
    const instance = new Heddle.Instance(new Heddle.Module(parseWat(PROGRAM)), { m: { collect: () => void collect() } });
    const n = 50;
    // The generator yields 0 to n - 1 and gets the doubles; the vector grew by 2 each time.
    const expected = BigInt(n * (n - 1) + 1 + 2 * n) + BigInt(n + 1000) * 1_000_000n;
    expect((instance.exports as Exports)['run']?.(n)).toBe(expected);
  });

  test('bodies that are inlined in a loop begin with zeros', () => {
    const { run } = inSlots(`(module (type $f (func)) (type $k (cont $f)) (tag $t)
      (func $counts (param $x i32) (result i32) (local $n i32)
        (local.set $n (i32.add (local.get $n) (local.get $x))) (suspend $t) (local.set $n (i32.add (local.get $n) (i32.const 1))) (local.get $n))
      (global $sum (mut i32) (i32.const 0))
      (func $body (local $i i32)
        (loop $l
          (global.set $sum (i32.add (global.get $sum) (call $counts (local.get $i))))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10)))))
      (elem declare func $body)
      (func (export "run") (result i32) (local $k (ref null $k))
        (local.set $k (cont.new $k (ref.func $body)))
        (block $done (loop $l
          (block $on (result (ref $k)) (resume $k (on $t $on) (local.get $k)) (br $done))
          (local.set $k) (br $l)))
        (global.get $sum)))`);
    // 0 + … + 9, and 1 for each.
    expect(run?.()).toBe(55);
  });
});

test('what is beyond a limit is refused by Module, compile and validate', async () => {
  const deep = (n: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(parseWat(`(module (func ${'loop '.repeat(n)} ${'end '.repeat(n)}))`));
  const refused = expect.objectContaining({ code: 'HEDDLE_LIMIT', offset: expect.any(Number) });
  expect(Heddle.validate(deep(250))).toBe(true);
  expect(Heddle.validate(deep(251))).toBe(false);
  expect(() => new Heddle.Module(deep(251))).toThrow(refused);
  await expect(Heddle.compile(deep(251))).rejects.toThrow(refused);
});
