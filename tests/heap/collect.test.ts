/** What is freed, and that nothing in use is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat, statistics } from '../../ts/api/index.js';
import { resultOf, runProgram } from '../traps/child.js';

type Counters = Readonly<Record<string, number>>;
interface Halves {
  readonly half: Counters;
  readonly end: Counters;
  readonly sum?: number;
}

const program = (name: string): URL => new URL(`programs/${name}.mjs`, import.meta.url);
const instance = (text: string, imports: Record<string, Record<string, unknown>> = {}): InstanceType<typeof Heddle.Instance>['exports'] =>
  new Heddle.Instance(new Heddle.Module(parseWat(text)), imports).exports;
/** A conservative collector may take a word that nobody needs for a reference. */
const FEW = 8;
const MIB = 2 ** 20;

describe('dropped continuations', () => {
  test('a million of them take the memory of thousands', async () => {
    const { half, end } = await resultOf<Halves>(program('drops'), { args: ['1000000'] });
    expect(end['continuationsMade']).toBe(1_000_000);
    expect(end['continuationsLive']).toBeLessThanOrEqual(8192 + FEW);
    expect(end['stacksPeak']).toBeLessThanOrEqual(8192 + FEW);
    expect((end['continuationsCollected'] ?? 0) + (end['continuationsLive'] ?? 0)).toBe(1_000_000);
    // Half a million that stay would take 2 GiB. V8 may be compiling the code generator in the background meanwhile, which takes tens of MiB.
    expect((end['resident'] ?? 0) - (half['resident'] ?? 0)).toBeLessThan(128 * MIB);
  });

  test('those that a table, a global, a payload or a local holds stay, and go on', () => {
    const { hold, finish } = instance(
      `(module (type $f (func (param i32) (result i32))) (type $k (cont $f)) (type $f0 (func (result i32))) (type $k0 (cont $f0)) (tag $t)
      (type $fk (func (param (ref null $k0)) (result i32))) (type $kk (cont $fk))
      (import "m" "collect" (func $collect))
      (table $all 1000 (ref null $k0)) (global $g (mut (ref null $k0)) (ref.null $k0)) (global $bound (mut (ref null $k0)) (ref.null $k0))
      (func $waits (param i32) (result i32) (suspend $t) (local.get 0))
      (func $inner (param (ref null $k0)) (result i32) (resume $k0 (local.get 0)))
      (elem declare func $waits $inner)
      (func $make (param i32) (result (ref $k0))
        (block $h (result (ref $k0)) (drop (resume $k (on $t $h) (local.get 0) (cont.new $k (ref.func $waits)))) (unreachable)))
      (func $drop (param $n i32) (loop $l (drop (call $make (i32.const 0)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
      (func (export "hold") (param $n i32) (result i32) (local $k (ref null $k0))
        (local.set $k (call $make (i32.const 5)))
        (global.set $g (call $make (i32.const 70)))
        (global.set $bound (cont.bind $kk $k0 (call $make (i32.const 900)) (cont.new $kk (ref.func $inner))))
        (loop $l (table.set $all (i32.sub (local.get $n) (i32.const 1)) (call $make (local.get $n)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $drop (i32.const 1000)) (call $collect)
        (resume $k0 (local.get $k)))
      (func (export "finish") (param $n i32) (result i32) (local $sum i32)
        (loop $l (local.set $sum (i32.add (local.get $sum) (resume $k0 (table.get $all (i32.sub (local.get $n) (i32.const 1))))))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.add (local.get $sum) (i32.add (resume $k0 (global.get $g)) (resume $k0 (global.get $bound))))))`,
      { m: { collect } },
    );
    collect();
    const before = statistics();
    expect(hold?.(1000)).toBe(5);
    collect();
    const live = statistics().continuationsLive - before.continuationsLive;
    expect(live).toBeGreaterThanOrEqual(1003);
    expect(live).toBeLessThanOrEqual(1003 + FEW);
    expect(finish?.(1000)).toBe(500_500 + 70 + 900);
    collect();
    expect(statistics().continuationsLive).toBeLessThanOrEqual(before.continuationsLive + FEW);
  });

  test('a handle that is used in a loop only stays, though its record is what the loop keeps', () => {
    // Cranelift computes the record's address before the loop; the handle itself is nowhere any more.
    const { run } = instance(
      `(module (type $f (func (result i32))) (type $k (cont $f)) (tag $t)
      (import "m" "collect" (func $collect)) (global $n (mut i32) (i32.const 0))
      (func $waits (result i32) (suspend $t) (i32.const 17)) (elem declare func $waits)
      (func $make (result (ref $k))
        (block $h (result (ref $k)) (drop (resume $k (on $t $h) (cont.new $k (ref.func $waits)))) (unreachable)))
      (func (export "run") (result i32) (local $k (ref null $k))
        (local.set $k (call $make))
        (loop $l
          (call $collect)
          (drop (call $make))
          (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (if (i32.eq (global.get $n) (i32.const 50)) (then (return (resume $k (local.get $k)))))
          (br $l))
        (unreachable)))`,
      { m: { collect } },
    );
    expect(run?.()).toBe(17);
  });
});

describe('instances', () => {
  // What is measured does not compile: V8 goes on with the code generator in the background, and takes tens of megabytes for that when it likes.
  const cache = mkdtempSync(join(tmpdir(), 'heddle-'));
  const env = { HEDDLE_CACHE: cache };
  beforeAll(async () => {
    await resultOf(program('instances'), { flags: ['--expose-gc'], args: ['cross', '2'], env });
  });
  afterAll(() => rmSync(cache, { recursive: true }));

  test.each(['plain', 'cross', 'park', 'cross-park-go'])('5,000 of them, %s, take the memory of hundreds', async (kind) => {
    const { half, end, sum } = await resultOf<Halves>(program('instances'), {
      flags: ['--expose-gc', '--max-semi-space-size=1'],
      args: [kind, '5000'],
      env,
    });
    expect(end['instances']).toBeLessThanOrEqual(FEW);
    expect(end['collections']).toBeGreaterThan(6);
    expect(end['continuationsLive']).toBeLessThanOrEqual((end['instances'] ?? 0) + FEW);
    expect(end['hostFunctions']).toBeLessThanOrEqual(end['instances'] ?? 0);
    expect((end['resident'] ?? 0) - (half['resident'] ?? 0)).toBeLessThan(48 * MIB);
    expect(sum).toBe(kind.includes('go') ? 42 * 5000 : 0);
  });
});

test('JavaScript values, functions, code and exceptions live as long as they are needed', async () => {
  const results = await resultOf<Record<string, unknown>>(program('values'), { flags: ['--expose-gc'] });
  expect(results).toEqual({
    inTable: 10,
    released: 0,
    inFrame: true,
    cameOut: true,
    gone: true,
    handles: 0,
    cycles: [100, 100, 100],
    disposed: [50, 51, 51],
    afterDispose: 'HEDDLE_DISPOSED',
    codes: 20,
    codesLater: 0,
    sameFunction: true,
    sameException: true,
  });
});

test("with a collection at every safepoint the specification's scripts give the same", async () => {
  const run = await runProgram(new URL('../spec/run.mjs', import.meta.url), {
    args: ['stack-switching'],
    env: { HEDDLE_COLLECT: 'always' },
  });
  expect(run.output).toMatch(/^\d+ passed, 0 failed$/m);
  expect(run.status).toBe(0);
}, 120_000);

test.each(['', 'hibernate'])('an instance that only a suspended continuation needs lives as long as that (%s)', async (how) => {
  const results = await resultOf<Record<string, unknown>>(program('orphans'), { flags: ['--expose-gc'], args: [how] });
  const all = (count: number): Counters => ({ instances: count, codes: count, continuationsLive: count, memories: count });
  expect(results).toEqual({
    alone: all(20),
    asleep: all(20),
    // What was stored, the data segment's 42, and 1,000 with the global's 7.
    values: Array.from({ length: 10 }, (_, i) => i + 42 + 1007),
    half: all(10),
    none: all(0),
  });
});

test('a memory that V8 has collected is in nobody’s way', async () => {
  const results = await resultOf<Record<string, unknown>>(program('memories'), { flags: ['--expose-gc', '--disable-wasm-trap-handler'] });
  expect(results).toEqual({
    held: 22,
    lengths: new Array(20).fill(65_536),
    // Heddle has not collected since V8 did.
    before: 22,
    first: 42,
    sum: (39 * 40) / 2,
    after: 42,
    reached: 7,
    last: 42,
  });
});
