/**
 * `heddle/testing`. Expectations are from `enumerate`, which runs the same program written in JavaScript from its start once for each path, and arithmetic.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Continuation, createMemory, parseWat, statistics, WebAssembly } from '../../ts/index.js';
import { explore, exploreAsync, replay, replayAsync } from '../../ts/testing/index.js';
import { coroutine, Tag } from '../../ts/typed/index.js';

const chooses = new Tag({ parameters: ['i32'], results: ['i32'], name: 'chooses' });
const wide = new Tag({ parameters: ['i64', 'i32'], results: ['i64'] });
const says = new Tag({ parameters: ['i32'] });
const picks = new Tag({ parameters: ['i32'], results: ['i32', 'f64'] });

const TEXT = `(module
  (import "env" "chooses" (tag $chooses (param i32) (result i32)))
  (import "env" "wide" (tag $wide (param i64 i32) (result i64)))
  (import "env" "says" (tag $says (param i32)))
  (import "env" "picks" (tag $picks (param i32) (result i32 f64)))
  (import "env" "wait" (func $wait (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (global $sum (export "sum") (mut i32) (i32.const 5))
  (global (export "fixed") i32 (i32.const 5))
  ;; Chooses among 3, then among as many as it got; 3, 3 is wrong: it traps. Gives both as digits.
  (func (export "uneven") (result i32) (local $a i32) (local $b i32)
    (local.set $a (suspend $chooses (i32.const 3)))
    (local.set $b (suspend $chooses (local.get $a)))
    (if (i32.and (i32.eq (local.get $a) (i32.const 2)) (i32.eq (local.get $b) (i32.const 1))) (then (unreachable)))
    (i32.add (i32.mul (i32.const 10) (local.get $a)) (local.get $b)))
  ;; n choices between two: the number that they are in binary.
  (func (export "binary") (param $n i32) (result i32) (local $x i32)
    (loop $l
      (if (local.get $n) (then
        (local.set $x (i32.add (i32.shl (local.get $x) (i32.const 1)) (suspend $chooses (i32.const 2))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $l))))
    (local.get $x))
  ;; The same in memory, in a global and in a second page that it makes.
  (func (export "written") (param $n i32) (result i32)
    (loop $l
      (if (local.get $n) (then
        (i32.store (i32.const 70000)
          (i32.add (suspend $chooses (i32.const 2)) (i32.shl (i32.load (i32.const 70000)) (i32.const 1))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $l))))
    (i32.load (i32.const 70000)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grown") (result i32) (local $page i32)
    (if (suspend $chooses (i32.const 2)) (then (return (i32.load8_u (i32.const 65536)))))
    (drop (memory.grow (i32.const 1)))
    (i32.store8 (i32.const 65536) (i32.const 7))
    (i32.const -1))
  (func (export "summed") (result i32)
    (global.set $sum (i32.add (suspend $chooses (i32.const 3)) (global.get $sum)))
    (global.set $sum (i32.add (suspend $chooses (i32.const 3)) (global.get $sum)))
    (global.get $sum))
  (func (export "endless") (loop $l (drop (suspend $chooses (i32.const 2))) (br $l)))
  (func (export "long") (result i64) (i64.add (suspend $wide (i64.const 3) (i32.const 9)) (i64.const 100)))
  (func (export "talks") (result i32) (local $x i32)
    (local.set $x (suspend $chooses (i32.const 2)))
    (if (local.get $x) (then (suspend $says (i32.const 4))))
    (local.get $x))
  (func (export "picky") (result i32 f64) (suspend $picks (i32.const 8)))
  (func (export "negative") (result i32) (suspend $chooses (i32.const -1)))
  (func (export "waits") (result i32) (i32.add (call $wait (suspend $chooses (i32.const 3))) (suspend $chooses (i32.const 2))))
  (func (export "plain") (param i32) (result i32) (local.get 0)))`;

const wait = new WebAssembly.Suspending(async (value: number) => value * 10);
const env = { chooses, wide, says, picks, wait };
const begin = () => new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT)), { env }).exports;
const exports = begin();
const choices = chooses;
const memory = exports['memory'] as WebAssembly.Memory;
const sum = exports['sum'] as { value: number };

type Choose = (count: number) => number;

/** All paths of a program of JavaScript, with what each came to. It begins anew for each. */
function enumerate(program: (choose: Choose) => unknown): { outcomes: unknown[]; failures: number[][]; deadEnds: number } {
  const found = { outcomes: [] as unknown[], failures: [] as number[][], deadEnds: 0 };
  const DEAD = Symbol('dead end');
  const paths: number[][] = [[]];
  while (true) {
    const given = paths.pop();
    if (given === undefined) return found;
    const path: number[] = [];
    const choose: Choose = (count) => {
      if (count === 0) throw DEAD;
      const index = given[path.length] ?? 0;
      // The first time that this choice is made: the others are for later, the next of them first.
      if (path.length >= given.length) for (let other = count - 1; other > 0; other--) paths.push([...path, other]);
      path.push(index);
      return index;
    };
    try {
      found.outcomes.push({ value: program(choose), path });
    } catch (reason) {
      if (reason === DEAD) found.deadEnds++;
      else found.failures.push(path);
    }
  }
}

function uneven(choose: Choose): number {
  const a = choose(3);
  const b = choose(a);
  if (a === 2 && b === 1) throw new Error('a trap');
  return a * 10 + b;
}

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('explore', () => {
  test('tries what JavaScript finds by running again and again, in the same order', () => {
    const expected = enumerate(uneven);
    const found = explore(exports['uneven'], { choices });
    expect(found.outcomes).toEqual(expected.outcomes);
    expect(found.failures).toMatchObject([{ path: [2, 1], error: { code: 'HEDDLE_TRAP_UNREACHABLE' } }]);
    expect(found.failures.map(({ path }) => path)).toEqual(expected.failures);
    expect(found.deadEnds).toBe(expected.deadEnds);
    expect(found).toMatchObject({ runs: 4, complete: true, cut: 0, stopped: undefined });
  });

  test('breadth first: the shortest runs are first, and all are the same', () => {
    const deep = explore(exports['uneven'], { choices });
    const broad = explore(exports['uneven'], { choices, order: 'breadth' });
    const words = (list: readonly { path: readonly number[] }[]): string[] => list.map(({ path }) => path.join()).sort();
    expect(words(broad.outcomes)).toEqual(words(deep.outcomes));
    expect(words(broad.failures)).toEqual(words(deep.failures));
    const lengths: number[] = [];
    const choose = (_: readonly unknown[], tag: unknown): number | undefined => (tag === chooses ? 2 : undefined);
    let asked = 0;
    explore(exports['binary'], {
      choices: (values, tag) => (++asked === 2 ? [] : choose(values, tag)),
      args: [3],
      order: 'breadth',
      visit: (_, path) => lengths.push(path.length),
    });
    expect(lengths).toEqual([3, 3, 3, 3]);
  });

  test.each(['depth', 'breadth'] as const)('%s first: keeps no more versions than it needs', (order) => {
    const found = explore<number>(exports['binary'], { choices, args: [8], order });
    expect(found.outcomes.map(({ value }) => value)).toEqual(Array.from({ length: 256 }, (_, i) => i));
    expect(found.outcomes.map(({ path }) => Number.parseInt(path.join(''), 2))).toEqual(found.outcomes.map(({ value }) => value));
    // Depth first there is one at most for each choice of a path; breadth first all of a level at once.
    expect(found.snapshots).toBe(order === 'depth' ? 8 : 128);
  });

  test('nothing is left of it', () => {
    const live = (): number[] => {
      const { continuationsHeld, continuationsLive, stacksLive } = statistics();
      return [continuationsHeld, continuationsLive, stacksLive];
    };
    const before = live();
    for (const order of ['depth', 'breadth'] as const) {
      explore(exports['binary'], { choices, args: [6], order });
      explore(exports['uneven'], { choices, order });
      explore(exports['endless'], { choices, order, depth: 3 });
      explore(exports['endless'], { choices, order, snapshots: 5 });
      explore(exports['talks'], { choices, order, failures: 1 });
      replay(exports['endless'], [0, 1, 0], { choices });
      expect(() =>
        explore(exports['binary'], {
          choices,
          args: [6],
          order,
          visit: () => {
            throw new Error('stop');
          },
        }),
      ).toThrow('stop');
    }
    expect(live()).toEqual(before);
  });

  test('a continuation and a coroutine stay as they are', () => {
    const continuation = new Continuation(exports['binary']).bind(2);
    const values = (): number[] => explore<number>(continuation, { choices }).outcomes.map(({ value }) => value);
    expect(values()).toEqual([0, 1, 2, 3]);
    const step = continuation.resume();
    if (step.done) throw new Error('it chooses');
    expect(explore<number>(step.continuation, { choices, args: [1] }).outcomes.map(({ value }) => value)).toEqual([2, 3]);
    expect(step.continuation.resume(0)).toMatchObject({ done: false });

    const talks = coroutine(exports['talks'], { parameters: [], results: ['i32'], yields: [chooses, says] });
    const said: number[] = [];
    const handled = talks.start().handle(says, (value) => void said.push(value));
    const { outcomes } = explore(handled, { choices, check: (value) => value < 2 });
    const typed: number[] = outcomes.map(({ value }) => value);
    expect([typed, said, handled.state]).toEqual([[0, 1], [4], 'fresh']);
  });

  test('choices by a function: numbers, lists, of several tags; integers of 64 bits', () => {
    const list = [
      [1, 0.5],
      [-1, 2],
    ];
    expect(explore(exports['picky'], { choices: (values) => (values[0] === 8 ? list : undefined) }).outcomes).toEqual([
      { value: [1, 0.5], path: [0] },
      { value: [-1, 2], path: [1] },
    ]);
    expect(explore(exports['long'], { choices: wide }).outcomes.map(({ value }) => value)).toEqual([100n, 101n, 102n]);
    expect(explore(exports['long'], { choices: () => [5n, 7n] }).outcomes.map(({ value }) => value)).toEqual([105n, 107n]);
  });

  test('failures: a check, an error of it, a tag that is no choice, a wrong answer', () => {
    const check = (value: number): boolean => value !== 2;
    expect(explore(exports['binary'], { choices, args: [2], check }).failures).toMatchObject([
      { path: [1, 0], error: { code: 'HEDDLE_EXPLORE_CHECK' } },
    ]);
    const throws = (value: number): void => expect(value).toBeLessThan(3);
    const checked = explore(exports['binary'], { choices, args: [2], check: throws });
    expect(checked.failures.map(({ path }) => path)).toEqual([[1, 1]]);
    expect(checked.outcomes).toHaveLength(3);
    expect(explore(exports['talks'], { choices }).failures).toMatchObject([
      { path: [1], error: { name: 'TypeError', code: 'HEDDLE_EXPLORE_CHOICE' } },
    ]);
    for (const wrong of [-1, 0.5, '2', {}, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(explore(exports['uneven'], { choices: (() => wrong) as never }).failures).toMatchObject([
        { path: [], error: { code: 'HEDDLE_EXPLORE_CHOICE' } },
      ]);
    }
    expect(explore(exports['negative'], { choices }).failures).toMatchObject([{ path: [], error: { code: 'HEDDLE_EXPLORE_CHOICE' } }]);
    expect(explore(exports['binary'], { choices: () => ['a', 1], args: [1] })).toMatchObject({
      failures: [{ path: [0], error: { code: 'HEDDLE_COROUTINE_VALUE' } }],
      outcomes: [{ value: 1, path: [1] }],
    });
  });

  test('limits', () => {
    const binary = (options: object): unknown => explore(exports['binary'], { choices, args: [4], keep: false, ...options });
    expect(binary({ runs: 5 })).toMatchObject({ runs: 5, stopped: 'runs', complete: false, outcomes: [] });
    expect(binary({ runs: 16 })).toMatchObject({ runs: 16, stopped: undefined, complete: true });
    expect(binary({ outcomes: 3, check: (value: number) => value % 2 === 1 })).toMatchObject({ runs: 6, stopped: 'outcomes' });
    expect(binary({ depth: 4 })).toMatchObject({ runs: 16, cut: 0, complete: true });
    expect(binary({ depth: 3 })).toMatchObject({ runs: 8, cut: 8, complete: false });
    expect(binary({ depth: 0 })).toMatchObject({ runs: 1, cut: 1 });
    expect(binary({ snapshots: 4 })).toMatchObject({ runs: 16, snapshots: 4, complete: true });
    expect(binary({ snapshots: 3 })).toMatchObject({ runs: 0, snapshots: 3, stopped: 'snapshots', complete: false });
    expect(binary({ check: () => false, failures: 2 })).toMatchObject({
      runs: 2,
      failures: [{ path: [0, 0, 0, 0] }, {}],
      stopped: 'failures',
    });
    const { signal, abort } = ((controller) => ({ signal: controller.signal, abort: () => controller.abort(new Error('enough')) }))(
      new AbortController(),
    );
    let seen = 0;
    expect(() => binary({ signal, visit: () => ++seen === 3 && abort() })).toThrow('enough');
    expect(seen).toBe(3);
    expect(() => binary({ signal })).toThrow('enough');
  });
});

describe('what versions share', () => {
  /** Programs whose state is shared, without and with it put back at each branch. */
  test.each(['depth', 'breadth'] as const)('%s first: memories are as each branch left them', (order) => {
    const own = begin();
    const its = own['memory'] as WebAssembly.Memory;
    (own['grow'] as (pages: number) => number)(1);
    const expected = Array.from({ length: 8 }, (_, i) => i);
    const values = (memories: WebAssembly.Memory[]): number[] =>
      explore<number>(own['written'], { choices, args: [3], order, memories }).outcomes.map(({ value }) => value);
    expect(values([its])).toEqual(expected);
    expect(new Uint8Array(its.buffer).every((byte) => byte === 0)).toBe(true);
    expect(values([])).not.toEqual(expected);
  });

  test('a memory that has grown is as it was, but for its size', () => {
    const own = begin();
    const its = own['memory'] as WebAssembly.Memory;
    // Without the growth of the first branch, the second would trap.
    expect(explore(own['grown'], { choices, memories: [its] })).toMatchObject({ outcomes: [{ value: -1 }, { value: 0 }], failures: [] });
    expect(new Uint8Array(its.buffer).every((byte) => byte === 0)).toBe(true);
    expect(its.buffer.byteLength).toBe(131_072);
  });

  test.each(['depth', 'breadth'] as const)('%s first: globals, and what the caller saves', (order) => {
    const expected = [5, 6, 7, 6, 7, 8, 7, 8, 9];
    const globals = [sum as never];
    const values = (options: object): number[] =>
      explore<number>(exports['summed'], { choices, order, ...options }).outcomes.map(({ value }) => value);
    expect(values({ globals })).toEqual(expected);
    expect(sum.value).toBe(5);
    expect(values({ save: () => sum.value, restore: (value: number) => (sum.value = value) })).toEqual(expected);
    expect(sum.value).toBe(5);
    expect(values({})).not.toEqual(expected);
    sum.value = 5;
  });

  // As C keeps a variable: in a frame in linear memory. Where branches wait at the same time, each has the frame of its own.
  const FRAMES = `(module (import "env" "chooses" (tag $chooses (param i32) (result i32))) (memory (export "memory") 4)
    (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
    (global $heap (mut i32) (i32.const 131072))
    (func (export "malloc") (param i32) (result i32)
      (global.get $heap) (global.set $heap (i32.add (global.get $heap) (local.get 0))))
    (func (export "free") (param i32))
    (func (export "binary") (param $n i32) (result i32) (local $frame i32) (local $answer i32)
      (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 16))))
      (i32.store (local.get $frame) (i32.const 0))
      (loop $l
        (local.set $answer (suspend $chooses (i32.const 2)))
        (i32.store (local.get $frame) (i32.add (local.get $answer) (i32.shl (i32.load (local.get $frame)) (i32.const 1))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i32.load (local.get $frame))
      (global.set $sp (i32.add (local.get $frame) (i32.const 16)))))`;
  const compiled = (): [string, InstanceType<typeof WebAssembly.Module>][] => [
    ['found', new WebAssembly.Module(parseWat(FRAMES), { shadowStack: {} })],
    [
      'allocated',
      new WebAssembly.Module(parseWat(FRAMES), {
        shadowStack: { pointer: '__stack_pointer', allocator: { allocate: 'malloc', free: 'free' } },
      }),
    ],
  ];
  test.each(compiled())('frames of C in linear memory, shadow stack %s', (_, module) => {
    const { exports: own } = new WebAssembly.Instance(module, { env });
    const expected = Array.from({ length: 16 }, (_, i) => i);
    for (const order of ['depth', 'breadth'] as const) {
      for (const memories of [[], [own['memory'] as WebAssembly.Memory]]) {
        for (const globals of [[], [own['__stack_pointer'] as never]]) {
          const { outcomes } = explore<number>(own['binary'], { choices, args: [4], order, memories, globals });
          expect(outcomes.map(({ value }) => value)).toEqual(expected);
          // From the middle, where frames lie in place: 1, and three choices more. What was explored goes on afterwards.
          const begun = new Continuation(own['binary']).resume(4);
          if (begun.done) throw new Error('it chooses');
          const middle = begun.continuation.resume(1);
          if (middle.done) throw new Error('it chooses');
          const rest = (): number[] =>
            explore<number>(middle.continuation, { choices, args: [0], order, memories, globals }).outcomes.map(({ value }) => value);
          expect([rest(), rest()]).toEqual([expected.slice(8, 12), expected.slice(8, 12)]);
          const third = middle.continuation.resume(1);
          if (third.done) throw new Error('it chooses');
          const last = third.continuation.resume(0);
          expect(last.done ? last : last.continuation.resume(1)).toMatchObject({ done: true, value: 0b1101 });
        }
      }
    }
  });

  test('memories with pages of one byte', () => {
    const small = createMemory({ initial: 3, maximum: 9, pageSize: 1 }) as WebAssembly.Memory;
    const bytes = (): number[] => [...new Uint8Array(small.buffer)];
    new Uint8Array(small.buffer).set([1, 2, 3]);
    const seen: number[][] = [];
    const visit = (value: number): void => {
      seen.push(bytes());
      new Uint8Array(small.buffer)[value] = 9;
    };
    explore(exports['binary'], { choices, args: [1], memories: [small], visit });
    expect([seen, bytes()]).toEqual([
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      [1, 2, 3],
    ]);
  });
});

describe('replay', () => {
  test('makes each run again that was found', () => {
    const { outcomes, failures } = explore<number>(exports['uneven'], { choices });
    for (const { value, path } of outcomes) {
      const again = replay<number>(exports['uneven'], path, { choices });
      expect(again).toMatchObject({ ended: 'returned', value });
      expect(again.steps.map(({ index }) => index)).toEqual(path);
    }
    const [failure] = failures;
    const failed = replay(exports['uneven'], failure?.path ?? [], { choices });
    expect(failed).toMatchObject({ ended: 'failed', error: { code: 'HEDDLE_TRAP_UNREACHABLE' } });
    expect(failed.steps).toEqual([
      { tag: chooses, values: [3], outcomes: 3, index: 2, answer: [2] },
      { tag: chooses, values: [2], outcomes: 2, index: 1, answer: [1] },
    ]);
    expect(replay(exports['uneven'], [0], { choices })).toMatchObject({ ended: 'deadEnd', steps: [{ outcomes: 3 }, { outcomes: 0 }] });
    expect(replay(exports['uneven'], [2], { choices })).toMatchObject({ ended: 'choice', steps: [{ index: 2 }, { index: undefined }] });
  });

  test('a path that does not fit, and what is none', () => {
    const wrong = { name: 'RangeError', code: 'HEDDLE_EXPLORE_PATH' };
    const again = (path: unknown): unknown => thrown(() => replay(exports['uneven'], path as number[], { choices }));
    for (const path of [[3], [1, 0, 0], [0, 0], [1, 1], [-1], [0.5], ['0'], 'path', undefined]) expect(again(path)).toMatchObject(wrong);
  });

  test('leaves what is shared as it was', () => {
    sum.value = 5;
    const again = (): unknown => replay(exports['summed'], [2, 2], { choices, globals: [sum as never] }).value;
    expect([again(), again(), sum.value]).toEqual([9, 9, 5]);
  });
});

describe('later', () => {
  test('imports wait for promises', async () => {
    const expected = enumerate((choose) => choose(3) * 10 + choose(2));
    const found = await exploreAsync(exports['waits'], { choices });
    expect(found.outcomes).toEqual(expected.outcomes);
    expect(await replayAsync(exports['waits'], [2, 1], { choices })).toMatchObject({ ended: 'returned', value: 21 });
    // Without waiting that is an error of each run.
    const failed = explore(exports['waits'], { choices });
    expect(failed.failures).toHaveLength(3);
    expect(failed.failures[0]?.error).toBeInstanceOf(WebAssembly.SuspendError);
  });

  test('an endless search ends by its signal, for the event loop has its turns', async () => {
    const signal = AbortSignal.timeout(20);
    await expect(exploreAsync(exports['endless'], { choices, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('what is refused', () => {
  const wrongs: [string, object | undefined, string][] = [
    ['no choices', {}, 'HEDDLE_ARGUMENT'],
    ['no options', undefined, 'HEDDLE_ARGUMENT'],
    ['choices that are none', { choices: 5 }, 'HEDDLE_ARGUMENT'],
    ['a tag without results', { choices: says }, 'HEDDLE_ARGUMENT'],
    ['a tag with two results', { choices: picks }, 'HEDDLE_ARGUMENT'],
    ['an order', { choices, order: 'random' }, 'HEDDLE_ARGUMENT'],
    ['a negative number', { choices, runs: -1 }, 'HEDDLE_ARGUMENT'],
    ['no number', { choices, depth: '3' }, 'HEDDLE_ARGUMENT'],
    ['an immutable global', { choices, globals: [exports['fixed']] }, 'HEDDLE_ARGUMENT'],
    ['a memory that is none', { choices, memories: [{}] }, 'HEDDLE_ARGUMENT'],
    ['what only has the prototype of one', { choices, memories: [Object.create(WebAssembly.Memory.prototype)] }, 'HEDDLE_ARGUMENT'],
    ['no list', { choices, memories: memory }, 'HEDDLE_ARGUMENT'],
    ['save without restore', { choices, save: () => 1 }, 'HEDDLE_ARGUMENT'],
    ['a signal', { choices, signal: 1 }, 'HEDDLE_ARGUMENT'],
    ['a visitor', { choices, visit: 1 }, 'HEDDLE_ARGUMENT'],
    ['an unknown name', { choices, dept: 1 }, 'HEDDLE_ARGUMENT'],
    ['too few arguments', { choices }, 'HEDDLE_ARGUMENT'],
    ['too many arguments', { choices, args: [1, 2] }, 'HEDDLE_ARGUMENT'],
  ];
  test.each(wrongs)('%s', (_, options, code) => {
    expect(thrown(() => explore(exports['binary'], options as never))).toMatchObject({ name: 'TypeError', code });
  });

  test('programs that are none, or are used', () => {
    for (const program of [undefined, 1, () => 1, {}]) {
      expect(thrown(() => explore(program as never, { choices }))).toMatchObject({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' });
    }
    const used = new Continuation(exports['plain']);
    used.resume(1);
    expect(thrown(() => explore(used, { choices }))).toMatchObject({ code: 'HEDDLE_CONTINUATION_USED' });
    expect(explore(exports['plain'], { choices, args: [3] }).outcomes).toEqual([{ value: 3, path: [] }]);
  });
});

test.each(['mjs', 'cjs'])('the package has it: testing.%s is the same Heddle', (kind) => {
  const load = (name: string): string => (kind === 'mjs' ? `await import('${name}')` : `require('${name}')`);
  const code = `const { WebAssembly, parseWat } = ${load('heddle')};
    const { explore } = ${load('heddle/testing')};
    const bytes = parseWat('(module (tag (export "c") (param i32) (result i32)) (func (export "f") (result i32) (suspend 0 (i32.const 2))))');
    const { exports: { c, f } } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    console.log(JSON.stringify(explore(f, { choices: c }).outcomes.map(({ value }) => value)));`;
  const args = [kind === 'mjs' ? '--input-type=module' : '--input-type=commonjs', '-e', code];
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd });
  expect([stdout, stderr]).toEqual(['[0,1]\n', '']);
});
