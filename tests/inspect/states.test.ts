/** inspect says the import and the beginning of each fiber rightly in every state, of chains of several fibers, wherever it is called from. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { collect, type FiberInfo, type FiberTree, WebAssembly as Heddle, hibernate, inspect, parseWat } from '../../ts/index.js';

const instance = (text: string, env: Record<string, unknown> = {}): InstanceType<typeof Heddle.Instance>['exports'] =>
  new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports;

const row = (fiber: FiberInfo): unknown[] => [fiber.function, fiber.state, fiber.import];
const rows = ({ fibers }: FiberTree): unknown[] => fibers.map(row);

/** Three fibers in each other. The innermost ones have values in their records, which look like addresses of nothing. */
const CHAIN = `(module
  (type $g (func (param i64 i64))) (type $kg (cont $g))
  (type $f (func)) (type $k (cont $f)) (tag $t)
  (import "env" "wait" (func $wait)) (import "env" "wait2" (func $wait2 (result i32 i32)))
  (func $one (param i64 i64) (call $wait))
  (func $two (param i64 i64) (drop (drop (call $wait2))))
  (func $middle-one (param i64 i64) (resume $kg (i64.const 0x7abcdef01238) (i64.const -1) (cont.new $kg (ref.func $one))))
  (func $middle-two (param i64 i64) (resume $kg (i64.const 0x7abcdef01238) (i64.const -1) (cont.new $kg (ref.func $two))))
  (elem declare func $one $two $middle-one $middle-two)
  (func (export "one") (resume $kg (i64.const 0x2468) (i64.const 0x4444) (cont.new $kg (ref.func $middle-one))))
  (func (export "two") (resume $kg (i64.const 0x2468) (i64.const 0x4444) (cont.new $kg (ref.func $middle-two)))))`;

describe('a chain that is parked', () => {
  // The first waits in heddle_wait, the second in heddle_park.
  test.each([
    ['one', 'env.wait', undefined],
    ['two', 'env.wait2', [1, 2]],
  ] as const)('%s: the import is that of the whole chain', async (name, called, value) => {
    let go = (_: unknown): void => {};
    const wait = new Heddle.Suspending(
      () =>
        new Promise((resolve) => {
          go = resolve;
        }),
    );
    const exports = instance(CHAIN, { wait, wait2: wait });
    const done = Heddle.promising(exports[name] as () => void)();
    await turn();
    const expected = [
      [name, 'parked', called],
      [`middle-${name}`, 'resuming', undefined],
      [name, 'resuming', undefined],
    ];
    expect(rows(inspect())).toEqual(expected);
    collect();
    expect(rows(inspect())).toEqual(expected);
    expect(hibernate()).toBe(3);
    expect(rows(inspect())).toEqual(expected);
    collect();
    expect(rows(inspect())).toEqual(expected);
    go(value);
    await done;
    expect(inspect().total).toBe(0);
  });
});

test('a chain that is given up while it is parked is no more', async () => {
  const wait = new Heddle.Suspending(() => Promise.reject(new Error('no')));
  const { one } = instance(CHAIN, { wait, wait2: wait });
  await expect(Heddle.promising(one as () => void)()).rejects.toThrow('no');
  expect(inspect()).toEqual({ fibers: [], total: 0 });
});

test('continuations of imports: fresh, resumed, parked in, in the middle of a chain', async () => {
  const seen: unknown[] = [];
  let go = (_: unknown): void => {};
  const exports = instance(
    `(module (type $f (func)) (type $k (cont $f))
      (import "env" "look" (func $look)) (import "env" "wait" (func $wait))
      (global $kept (mut (ref null $k)) (ref.null $k))
      (elem declare func $look $wait)
      (func (export "fresh") (global.set $kept (cont.new $k (ref.func $look))))
      (func (export "forget") (global.set $kept (ref.null $k)))
      (func (export "look") (resume $k (cont.new $k (ref.func $look))))
      (func (export "wait") (resume $k (cont.new $k (ref.func $wait)))))`,
    {
      look: () => seen.push(rows(inspect())),
      wait: new Heddle.Suspending(
        () =>
          new Promise((resolve) => {
            go = resolve;
          }),
      ),
    },
  );
  (exports['fresh'] as () => void)();
  expect(rows(inspect())).toEqual([['env.look', 'fresh', undefined]]);
  collect();
  expect(rows(inspect())).toEqual([['env.look', 'fresh', undefined]]);
  (exports['forget'] as () => void)();
  collect();
  (exports['look'] as () => void)();
  expect(seen).toEqual([
    [
      ['env.look', 'calling', 'env.look'],
      ['look', 'resuming', undefined],
    ],
  ]);
  const done = Heddle.promising(exports['wait'] as () => void)();
  await turn();
  const parked = [
    ['env.wait', 'parked', 'env.wait'],
    ['wait', 'resuming', undefined],
  ];
  expect(rows(inspect())).toEqual(parked);
  expect(hibernate()).toBe(2);
  collect();
  expect(rows(inspect())).toEqual(parked);
  go(undefined);
  await done;
  expect(inspect().total).toBe(0);
});

test('an import that nothing names any more while it runs', () => {
  const trees: unknown[] = [];
  let table: InstanceType<typeof Heddle.Table> | undefined;
  let again = (): void => {};
  const exports = instance(
    `(module (type $f (func)) (import "env" "look" (func $look)) (import "env" "end" (func $end)) (table (export "t") 1 funcref)
      (elem declare func $look)
      (func (export "set") (table.set (i32.const 0) (ref.func $look)))
      (func (export "go") (call_indirect (type $f) (i32.const 0)))
      (func (export "end") (call $end)))`,
    {
      look: () => {
        table?.set(0, null);
        for (let i = 0; i < 3; i++) collect();
        trees.push(rows(inspect()));
        again();
      },
      end: () => {
        collect();
        trees.push(rows(inspect()));
      },
    },
  );
  table = exports['t'] as InstanceType<typeof Heddle.Table>;
  again = exports['end'] as () => void;
  (exports['set'] as () => void)();
  (exports['go'] as () => void)();
  expect(trees).toEqual([
    [['go', 'calling', 'env.look']],
    [
      ['end', 'calling', 'env.end'],
      ['go', 'calling', 'env.look'],
    ],
  ]);
});

/** Looks whenever JavaScript may run while WebAssembly is left: what is there then is told as it is, and calls afterwards work. */
test('from conversions of arguments, and of what imports give', () => {
  const trees: unknown[] = [];
  const look = (): void => {
    collect();
    trees.push(rows(inspect()));
  };
  const { run } = instance(
    `(module (import "env" "give" (func $give (param i32) (result i32)))
      (import "env" "pair" (func $pair (result i32 i64)))
      (func (export "run") (param i32) (result i32)
        (call $give (i32.add (local.get 0) (block (result i32) (call $pair) (drop))))))`,
    {
      give: (value: number) => ({
        valueOf: () => {
          look();
          return value;
        },
      }),
      pair: () => ({
        *[Symbol.iterator]() {
          look();
          yield 1;
          yield { [Symbol.toPrimitive]: () => (look(), 2n) };
        },
      }),
    },
  );
  const argument = {
    valueOf: () => {
      look();
      return 4;
    },
  };
  expect((run as (n: unknown) => number)(argument)).toBe(5);
  // The argument's comes first, before the call has begun; it has a fiber already.
  expect(trees).toHaveLength(4);
  expect(trees.slice(1)).toEqual([[['run', 'calling', 'env.pair']], [['run', 'calling', 'env.pair']], [['run', 'calling', 'env.give']]]);
  expect(inspect().total).toBe(0);
});
