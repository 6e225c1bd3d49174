/** examples/go/goroutines.wat, against arithmetic. benchmarks/go.mjs compares it with what Asyncify makes of it in V8. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat, statistics } from '../../ts/index.js';

const path = fileURLToPath(new URL('../../examples/go/goroutines.wat', import.meta.url));
const module = new Heddle.Module(parseWat(readFileSync(path, 'utf8')));
type Call = (...args: number[]) => number | bigint;

let call: (name: string, ...args: number[]) => number | bigint;
beforeAll(() => {
  const { exports } = new Heddle.Instance(module, {});
  call = (name, ...args) => (exports[name] as Call)(...args);
});

test('a prime sieve of goroutines, each with a channel to the next', () => {
  const primes: number[] = [];
  for (let i = 2; primes.length < 60; i++) if (primes.every((prime) => i % prime !== 0)) primes.push(i);
  expect([1, 2, 10, 60].map((n) => call('prime', n))).toEqual([1, 2, 10, 60].map((n) => primes[n - 1]));
});

test('a goroutine for each node of a tree', () => {
  for (const levels of [0, 1, 3]) {
    const leaves = 10n ** BigInt(levels);
    expect(call('skynet', levels)).toBe((leaves * (leaves - 1n)) / 2n);
  }
});

test('goroutines that take turns, below some calls', () => {
  for (const [count, rounds, depth] of [
    [1, 1, 0],
    [1000, 3, 0],
    [50, 7, 30],
  ] as const)
    expect(call('turns', count, rounds, depth)).toBe(count * rounds);
});

test('goroutines that are left are dropped where others come in their place', () => {
  call('prime', 40);
  collect();
  const left = statistics().stacksLive;
  for (let i = 0; i < 5; i++) call('prime', 40);
  collect();
  expect(statistics().stacksLive).toBe(left);
});

test('heddle run', () => {
  const cli = fileURLToPath(new URL('../../bin/heddle.cjs', import.meta.url));
  expect(execFileSync(process.execPath, [cli, 'run', '--invoke', 'prime', path, '100'], { encoding: 'utf8' })).toBe('541\n');
});
