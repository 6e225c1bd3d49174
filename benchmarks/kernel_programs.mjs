// Kernels whose time is arithmetic and memory, each an export `run` that works for a while and returns a checksum.

/** Products of two 192x192 matrices of f32, four columns at once. */
const MATRIX_SIMD = `(module (memory 16)
  (func (export "run") (param $rounds i32) (result i32)
    (local $i i32) (local $j i32) (local $k i32) (local $sum v128) (local $row i32) (local $column i32)
    (loop $fill
      (f32.store (i32.shl (local.get $i) (i32.const 2)) (f32.convert_i32_u (i32.rem_u (local.get $i) (i32.const 97))))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 73728))))
    (loop $round
      (local.set $i (i32.const 0))
      (loop $rows
        (local.set $j (i32.const 0))
        (loop $columns
          (local.set $sum (v128.const f32x4 0 0 0 0))
          (local.set $k (i32.const 0))
          (local.set $row (i32.mul (local.get $i) (i32.const 768)))
          (local.set $column (i32.add (i32.const 147456) (i32.shl (local.get $j) (i32.const 2))))
          (loop $inner
            (local.set $sum (f32x4.add (local.get $sum)
              (f32x4.mul (v128.load32_splat (local.get $row)) (v128.load (local.get $column)))))
            (local.set $row (i32.add (local.get $row) (i32.const 4)))
            (local.set $column (i32.add (local.get $column) (i32.const 768)))
            (br_if $inner (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 192))))
          (v128.store (i32.add (i32.const 294912) (i32.add (i32.mul (local.get $i) (i32.const 768)) (i32.shl (local.get $j) (i32.const 2)))) (local.get $sum))
          (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 4))) (i32.const 192))))
        (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 192))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.load (i32.const 298000))))`;

/** Two rows of pixels mixed, sixteen bytes at once, with widening, shifts, narrowing, a shuffle and saturating sums. */
const BYTES_SIMD = `(module (memory 4)
  (func (export "run") (param $rounds i32) (result i32)
    (local $i i32) (local $a v128) (local $b v128)
    (loop $fill
      (i32.store8 (local.get $i) (i32.mul (local.get $i) (i32.const 167)))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 131072))))
    (loop $round
      (local.set $i (i32.const 0))
      (loop $mix
        (local.set $a (v128.load (local.get $i)))
        (local.set $b (v128.load offset=65536 (local.get $i)))
        (v128.store (local.get $i)
          (i8x16.add_sat_u
            (i8x16.narrow_i16x8_u
              (i16x8.shr_u (i16x8.mul (i16x8.extend_low_i8x16_u (local.get $a)) (i16x8.extend_low_i8x16_u (local.get $b))) (i32.const 8))
              (i16x8.shr_u (i16x8.mul (i16x8.extend_high_i8x16_u (local.get $a)) (i16x8.extend_high_i8x16_u (local.get $b))) (i32.const 8)))
            (i8x16.shuffle 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0 (local.get $b) (local.get $b))))
        (br_if $mix (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (i32.const 65536))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.load (i32.const 1000))))`;

/** The same matrices as above, of f64, one element after another. */
const MATRIX = `(module (memory 16)
  (func (export "run") (param $rounds i32) (result i32)
    (local $i i32) (local $j i32) (local $k i32) (local $sum f64) (local $row i32) (local $column i32)
    (loop $fill
      (f64.store (i32.shl (local.get $i) (i32.const 3)) (f64.convert_i32_u (i32.rem_u (local.get $i) (i32.const 97))))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 73728))))
    (loop $round
      (local.set $i (i32.const 0))
      (loop $rows
        (local.set $j (i32.const 0))
        (loop $columns
          (local.set $sum (f64.const 0))
          (local.set $k (i32.const 0))
          (local.set $row (i32.mul (local.get $i) (i32.const 1536)))
          (local.set $column (i32.add (i32.const 294912) (i32.shl (local.get $j) (i32.const 3))))
          (loop $inner
            (local.set $sum (f64.add (local.get $sum) (f64.mul (f64.load (local.get $row)) (f64.load (local.get $column)))))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (local.set $column (i32.add (local.get $column) (i32.const 1536)))
            (br_if $inner (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 192))))
          (f64.store (i32.add (i32.const 589824) (i32.add (i32.mul (local.get $i) (i32.const 1536)) (i32.shl (local.get $j) (i32.const 3)))) (local.get $sum))
          (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 192))))
        (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 192))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.load (i32.const 600000))))`;

/** The primes below 200,000 by a sieve of bytes, and a hash of them with multiplications and rotations. */
const SIEVE = `(module (memory 4)
  (func (export "run") (param $rounds i32) (result i32)
    (local $i i32) (local $j i32) (local $hash i32)
    (loop $round
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 200000))
      (local.set $i (i32.const 2))
      (loop $numbers
        (if (i32.load8_u (local.get $i)) (then
          (local.set $hash (i32.rotl (i32.mul (i32.xor (local.get $hash) (local.get $i)) (i32.const 0x85ebca6b)) (i32.const 13)))
          (local.set $j (i32.shl (local.get $i) (i32.const 1)))
          (block $done (loop $strike
            (br_if $done (i32.ge_u (local.get $j) (i32.const 200000)))
            (i32.store8 (local.get $j) (i32.const 0))
            (local.set $j (i32.add (local.get $j) (local.get $i)))
            (br $strike)))))
        (br_if $numbers (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200000))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $hash)))`;

/** Fibonacci numbers by recursion: calls. */
const CALLS = `(module
  (func $fib (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (func (export "run") (param $rounds i32) (result i32)
    (local $sum i32)
    (loop $round
      (local.set $sum (i32.add (local.get $sum) (call $fib (i32.const 27))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))`;

/** Name, text, and rounds that take a few milliseconds: short, so that the best of many calls was not interrupted. */
export const KERNELS = [
  ['SIMD: matrices of f32', MATRIX_SIMD, 1],
  ['SIMD: mixing bytes', BYTES_SIMD, 300],
  ['scalar: matrices of f64', MATRIX, 1],
  ['scalar: sieve', SIEVE, 4],
  ['scalar: calls', CALLS, 2],
];
