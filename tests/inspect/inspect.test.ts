/** What inspect and statistics say of fibers that the test has put where they are. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  Continuation,
  collect,
  type FiberTree,
  WebAssembly as Heddle,
  hibernate,
  inspect,
  parseWat,
  Scheduler,
  statistics,
} from '../../ts/index.js';

const instance = (text: string, env: Record<string, unknown> = {}): InstanceType<typeof Heddle.Instance>['exports'] =>
  new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports;

/** States by the name of the function that each fiber began with. */
const states = ({ fibers }: FiberTree): string[] => fibers.map((fiber) => `${fiber.function} ${fiber.state}`);

const TREE = `(module $tree
  (type $f (func)) (type $k (cont $f)) (tag $wait (export "wait")) (tag $other)
  (import "env" "look" (func $look))
  (global $fresh (mut (ref null $k)) (ref.null $k)) (global $kept (mut (ref null $k)) (ref.null $k))
  (func $leaf (suspend $wait))
  (func $waits (call $leaf))
  (func $inner (call $look))
  (func $outer (block $h (result (ref $k)) (resume $k (on $other $h) (cont.new $k (ref.func $inner))) (return)) (drop))
  (func $chain-inner (suspend $wait))
  (func $chain-outer (resume $k (cont.new $k (ref.func $chain-inner))))
  (elem declare func $waits $inner $outer $chain-inner $chain-outer)
  (func $start (param $f (ref $f)) (result (ref $k))
    (block $h (result (ref $k)) (resume $k (on $wait $h) (cont.new $k (local.get $f))) (unreachable)))
  (func (export "keep") (global.set $kept (call $start (ref.func $waits))))
  (func (export "chain") (global.set $kept (call $start (ref.func $chain-outer))))
  (func (export "make") (global.set $fresh (cont.new $k (ref.func $waits))))
  (func (export "go") (resume $k (cont.new $k (ref.func $outer))))
  (func (export "forget") (global.set $kept (ref.null $k)) (global.set $fresh (ref.null $k))))`;

describe('inspect', () => {
  test('nothing runs: nothing is there', () => {
    collect();
    expect(inspect()).toEqual({ fibers: [], total: 0 });
  });

  test('one that hibernates looks as before, but for the memory that its stack takes', () => {
    const { chain, forget } = instance(TREE, { look: () => {} });
    chain?.();
    const before = inspect();
    expect(before.fibers).toHaveLength(2);
    expect(before.fibers.every((fiber) => !fiber.hibernated && fiber.frames.length > 0)).toBe(true);
    expect(hibernate()).toBe(2);
    const { fibers } = inspect();
    expect(fibers).toEqual(
      before.fibers.map((fiber) => ({ ...fiber, hibernated: true, stack: { ...fiber.stack, highWater: 0, resident: 0 } })),
    );
    forget?.();
    collect();
    expect(inspect().total).toBe(0);
  });

  test('a suspended one has its tag, its frames and no parent; a fresh one has no stack', () => {
    const { keep, make, forget } = instance(TREE, { look: () => {} });
    keep?.();
    make?.();
    const { fibers, total } = inspect();
    expect(total).toBe(2);
    const [suspended, fresh] = fibers;
    expect(suspended).toMatchObject({ state: 'suspended', function: 'waits', tag: 'wait', parent: 0, entered: false, framesOmitted: 0 });
    expect(suspended?.frames.map((frame) => [frame.module, frame.name])).toEqual([
      ['tree', 'leaf'],
      ['tree', 'waits'],
    ]);
    // A fiber takes its control block at least, and frames grow down from the top of what there is.
    const stack = suspended?.stack ?? { size: 0, used: 0, highWater: 0, resident: 0 };
    expect(stack.used).toBeGreaterThan(128);
    expect(stack.highWater).toBeGreaterThanOrEqual(stack.used);
    expect(stack.size).toBeGreaterThan(stack.highWater);
    expect(stack.resident % 4096).toBe(0);
    expect(fresh).toMatchObject({ id: 0, state: 'fresh', function: 'waits', frames: [], stack: { size: 0, used: 0 } });
    expect(fresh?.tag).toBeUndefined();
    forget?.();
    collect();
    expect(inspect().total).toBe(0);
  });

  test('a suspended chain: the outer one waits for the inner', () => {
    const { chain, forget } = instance(TREE, { look: () => {} });
    chain?.();
    const { fibers } = inspect();
    expect(states({ fibers, total: 2 })).toEqual(['chain-inner suspended', 'chain-outer resuming']);
    expect(fibers[0]?.parent).toBe(fibers[1]?.id);
    expect(fibers.map((fiber) => fiber.parent)[1]).toBe(0);
    forget?.();
    collect();
  });

  test('from an import: who runs, up to the call of JavaScript, and across JavaScript to the call below', () => {
    const trees: FiberTree[] = [];
    let again: (() => unknown) | undefined;
    const exports = instance(TREE, {
      look: () => {
        trees.push(inspect());
        const next = again;
        again = undefined;
        next?.();
      },
    });
    const go = exports['go'] as () => void;
    again = go;
    go();
    expect(trees).toHaveLength(2);
    const [one, two] = trees as [FiberTree, FiberTree];
    expect(states(one)).toEqual(['inner calling', 'outer resuming', 'go resuming']);
    expect(one.fibers.map((fiber) => fiber.import)).toEqual(['env.look', undefined, undefined]);
    expect(one.fibers.map((fiber) => fiber.parent)).toEqual([one.fibers[1]?.id, one.fibers[2]?.id, 0]);
    expect(one.fibers.map((fiber) => fiber.continuation === 0)).toEqual([false, false, true]);
    expect(one.fibers.map((fiber) => fiber.frames[0]?.name)).toEqual(['inner', 'outer', 'go']);
    expect(states(two)).toEqual([...states(one), ...states(one)]);
    expect(two.fibers[2]).toMatchObject({ parent: two.fibers[3]?.id, entered: true });
    expect(two.fibers[3]).toMatchObject({ id: one.fibers[0]?.id, import: 'env.look', entered: false });
    expect(inspect().total).toBe(0);
  });

  test('waiting for a promise: the import, and the name of the task', async () => {
    let go = (): void => {};
    const wait = new Heddle.Suspending(
      () =>
        new Promise<void>((resolve) => {
          go = resolve;
        }),
    );
    const { run } = instance('(module (import "env" "wait" (func $wait)) (func (export "run") (call $wait)))', { wait });
    const task = new Scheduler().spawn(run, [], { name: 'letters' });
    await turn();
    const [fiber] = inspect().fibers;
    expect(fiber).toMatchObject({ state: 'parked', function: 'run', import: 'env.wait', task: 'letters', parent: 0 });
    expect(fiber?.frames[0]?.name).toBe('run');
    go();
    await task.promise;
    expect(inspect().total).toBe(0);
  });

  test('what JavaScript holds is there too, and no more than was asked for is listed', () => {
    const { run } = instance('(module (tag $t) (func (export "run") (suspend $t)))');
    const held = Array.from({ length: 5 }, () => new Continuation(run as () => void));
    for (const continuation of held.slice(0, 3)) continuation.resume();
    const tree = inspect({ limit: 2 });
    expect(tree.total).toBe(5);
    expect(states(tree)).toEqual(['run suspended', 'run suspended']);
    expect(inspect().fibers.map((fiber) => fiber.state)).toEqual(['suspended', 'suspended', 'suspended', 'fresh', 'fresh']);
    expect(JSON.parse(JSON.stringify(tree))).toEqual(tree);
  });
});

const DEEP = `(module (tag $t) (type $f (func)) (type $k (cont $f))
  (func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))) (return))) (suspend $t))
  (func (export "shallow") (call $down (i32.const 0)))
  (func (export "deep") (call $down (i32.const 2000))))`;

test('statistics count what is suspended, and how deep stacks are in memory', () => {
  const { shallow, deep } = instance(DEEP);
  const before = statistics({ stacks: true });
  const few = Array.from({ length: 10 }, () => new Continuation(shallow as () => void).resume());
  const some = statistics({ stacks: true });
  expect(some.continuationsSuspended - before.continuationsSuspended).toBe(10);
  expect(some.stackBytesResident - before.stackBytesResident).toBeLessThanOrEqual(11 * 4 * 4096);
  const far = new Continuation(deep as () => void).resume();
  const then = statistics({ stacks: true });
  // 2,000 frames of at least a return address, a frame pointer and the number.
  expect(then.stackBytesHighWater).toBeGreaterThan(2000 * 24);
  expect(then.stackBytesHighWater).toBeGreaterThan(some.stackBytesHighWater);
  expect(then.stackBytesResident - some.stackBytesResident).toBeGreaterThan(2000 * 24);
  expect(then.stackBytesReserved).toBeGreaterThan(then.stackBytesResident);
  expect(then.entryStackBytesHighWater).toBeGreaterThan(0);
  expect(then.stacksLive).toBe(then.continuationsSuspended);
  for (const step of [...few, far]) if (!step.done) step.continuation.cancel();
  expect(statistics({ stacks: true }).continuationsSuspended).toBe(before.continuationsSuspended);
});
