/** Two copies of the TypeScript on one thread, as bundlers and test runners make them: they share an addon. */
import { expect, test } from 'vitest';
import { WebAssembly as One, parseWat } from '../../ts/index.js';

// What was built, by its URL, which is another module than its source.
const { WebAssembly: Other } = (await import(new URL('../../dist/heddle.mjs', import.meta.url).href)) as { WebAssembly: typeof One };

test.each([1, 2])('calls, imports and waits of both (%d)', async () => {
  expect(Other).not.toBe(One);
  const text = `(module (import "m" "twice" (func $twice (param i32) (result i32))) (import "m" "wait" (func $wait (param i64) (result i64)))
    (func (export "f") (param i32 f64) (result f64) (f64.add (f64.convert_i32_s (call $twice (local.get 0))) (local.get 1)))
    (func (export "g") (param i64) (result i64) (i64.add (call $wait (local.get 0)) (i64.const 1))))`;
  const made = [One, Other].map(({ Module, Instance, Suspending, promising }) => {
    const wait = new Suspending(async (x: bigint) => x * 3n);
    const { exports } = new Instance(new Module(parseWat(text)), { m: { twice: (x: number) => 2 * x, wait } });
    return { f: exports['f'] as (...args: number[]) => number, g: promising(exports['g']) };
  });
  for (const [i, { f }] of [...made, ...made].entries()) expect(f(i, 0.5)).toBe(2 * i + 0.5);
  expect(await Promise.all([...made, ...made].map(({ g }, i) => g(BigInt(i))))).toEqual([1n, 4n, 7n, 10n]);
});
