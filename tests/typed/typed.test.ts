/**
 * `heddle/typed` at run time. Expectations are arithmetic on what the programs' text says, and what generators of JavaScript do in the same place.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { collect, parseWat, statistics, WebAssembly } from '../../ts/index.js';
import {
  Coroutine,
  coroutine,
  filter,
  filterAsync,
  map,
  mapAsync,
  Tag,
  tagOf,
  take,
  takeAsync,
  zip,
  zipAsync,
} from '../../ts/typed/index.js';

const yields = new Tag({ parameters: ['i32'] });
const asks = new Tag({ parameters: ['i32'], results: ['i64'], name: 'asks' });
const swaps = new Tag({ parameters: ['i32', 'f64'], results: ['f64', 'i32'] });
const log: unknown[] = [];

const TEXT = `(module
  (import "env" "yields" (tag $yields (param i32)))
  (import "env" "asks" (tag $asks (param i32) (result i64)))
  (import "env" "swaps" (tag $swaps (param i32 f64) (result f64 i32)))
  (import "env" "js" (tag $js (param externref)))
  (import "env" "wait" (func $wait (param i32) (result i32)))
  (import "env" "log" (func $log (param i32)))
  (tag $own (export "own") (param i32) (result i32))
  (tag $throws (export "throws") (param i32))
  ;; from, from + 1 … to - 1; returns how many
  (func $numbers (export "numbers") (param $from i32) (param $to i32) (result i32) (local $i i32)
    (local.set $i (local.get $from))
    (loop $l
      (if (i32.lt_s (local.get $i) (local.get $to)) (then
        (suspend $yields (local.get $i))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $l))))
    (i32.sub (local.get $to) (local.get $from)))
  ;; asks for 1 … n; the sum of the answers
  (func (export "sum") (param $n i32) (result i64) (local $i i32) (local $sum i64)
    (loop $l
      (if (i32.lt_s (local.get $i) (local.get $n)) (then
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (local.set $sum (i64.add (local.get $sum) (suspend $asks (local.get $i))))
        (br $l))))
    (local.get $sum))
  ;; yields n, asks n, yields the answer
  (func (export "both") (param $n i32) (result i64) (local $answer i64)
    (suspend $yields (local.get $n))
    (local.set $answer (suspend $asks (local.get $n)))
    (suspend $yields (i32.wrap_i64 (local.get $answer)))
    (local.get $answer))
  (func (export "swap") (param i32 f64) (result f64 i32) (suspend $swaps (local.get 0) (local.get 1)))
  (func (export "undeclared") (result i32)
    (block $caught
      (try_table (catch_all $caught) (drop (suspend $own (i32.const 1))))
      (return (i32.const 0)))
    (call $log (i32.const 7))
    (i32.const 1))
  (func (export "waits") (param $n i32)
    (suspend $yields (call $wait (local.get $n)))
    (suspend $yields (call $wait (i32.add (local.get $n) (i32.const 1)))))
  ;; asks, and yields what it waits for where the answer is an error: 100; -1 for what JavaScript does not throw
  (func (export "careful") (result i64)
    (block $all
      (block $caught (result externref)
        (try_table (catch $js $caught) (catch_all $all) (return (suspend $asks (i32.const 1))))
        (unreachable))
      (drop)
      (suspend $yields (call $wait (i32.const 100)))
      (return (i64.const 5)))
    (i64.const -1))
  (func (export "catches") (result i32)
    (block $caught (result i32)
      (try_table (catch $throws $caught) (suspend $yields (i32.const 1)))
      (i32.const 0)))
  (func (export "references") (param funcref externref) (result externref) (local.get 1))
  (func (export "floats") (param f32) (result f32) (local.get 0))
  (func (export "ends") (result i32)
    (block $caught
      (try_table (catch_all $caught) (suspend $yields (i32.const 1)))
      (return (i32.const 0)))
    (call $log (i32.const 9))
    (i32.const 1))
  (func (export "traps") (unreachable)))`;

const wait = new WebAssembly.Suspending(async (value: number) => value);
const env = { yields, asks, swaps, js: WebAssembly.JSTag, wait, log: (value: number) => log.push(value) };
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT)), { env });

const numbers = coroutine(exports['numbers'], { parameters: ['i32', 'i32'], results: ['i32'], yields });
const sum = coroutine(exports['sum'], { parameters: ['i32'], results: ['i64'], yields: asks });
const both = coroutine(exports['both'], { parameters: ['i32'], results: ['i64'], yields: [yields, asks] });
const swap = coroutine(exports['swap'], { parameters: ['i32', 'f64'], results: ['f64', 'i32'], yields: swaps });
const waits = coroutine(exports['waits'], { parameters: ['i32'], results: [], yields });
const careful = coroutine(exports['careful'], { parameters: [], results: ['i64'], yields: [asks, yields] });
const ends = coroutine(exports['ends'], { parameters: [], results: ['i32'], yields });

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error instanceof TypeError ? Reflect.get(error, 'code') : error;
  }
  return 'returned';
}

/** For what the compiler would refuse. */
const loose = (value: unknown): ((...args: unknown[]) => unknown) => value as (...args: unknown[]) => unknown;

const live = (): number[] => {
  const { continuationsHeld, continuationsLive, stacksLive } = statistics();
  return [continuationsHeld, continuationsLive, stacksLive];
};

describe('steps', () => {
  test('are told apart by done and by their tag', () => {
    const seen: unknown[] = [];
    let step = both.start(20).resume();
    while (!step.done) {
      if (step.tag === asks) {
        seen.push(['asks', ...step.values]);
        step = step.coroutine.resume(BigInt(step.values[0]) + 1n);
      } else if (step.tag === yields) {
        seen.push(['yields', ...step.values]);
        step = step.coroutine.resume();
      }
    }
    expect(seen).toEqual([
      ['yields', 20],
      ['asks', 20],
      ['yields', 21],
    ]);
    expect(step).toEqual({ done: true, tag: undefined, value: 21n });
  });

  test('several values go each way', () => {
    const step = swap.start(3, 0.5).resume();
    if (step.done) throw new Error('it has returned');
    expect(step.values).toEqual([3, 0.5]);
    expect(step.coroutine.resume(step.values[1], step.values[0])).toEqual({ done: true, tag: undefined, value: [0.5, 3] });
  });

  test('state follows, and each goes on once', () => {
    const first = sum.start(1);
    expect(first.state).toBe('fresh');
    const step = first.resume();
    if (step.done) throw new Error('it has returned');
    expect([first.state, step.coroutine.state]).toEqual(['used', 'suspended']);
    expect(codeOf(() => first.resume())).toBe('HEDDLE_CONTINUATION_USED');
    expect(step.coroutine.resume(5n)).toMatchObject({ done: true, value: 5n });
    expect(codeOf(() => step.coroutine.resume(5n))).toBe('HEDDLE_CONTINUATION_USED');
  });

  test('resumeThrow throws a tag of the module', () => {
    const throws = tagOf(exports['throws'], { parameters: ['i32'] });
    const step = coroutine(exports['catches'], { results: ['i32'], yields })
      .start()
      .resume();
    if (step.done) throw new Error('it has returned');
    expect(codeOf(() => loose(step.coroutine.resumeThrow.bind(step.coroutine))(throws, '5'))).toBe('HEDDLE_COROUTINE_VALUE');
    expect(step.coroutine.resumeThrow(throws, 5)).toMatchObject({ done: true, value: 5 });
  });
});

describe('iteration', () => {
  test('as a generator of JavaScript', () => {
    const generator = function* (from: number, to: number): Generator<number, number, undefined> {
      for (let i = from; i < to; i++) yield i;
      return to - from;
    };
    expect([...numbers.start(3, 7)]).toEqual([...generator(3, 7)]);
    expect([...numbers.start(3, 3)]).toEqual([]);
    const outer = function* (
      make: (from: number, to: number) => Iterable<number, number, undefined>,
    ): Generator<number, number, undefined> {
      const many = yield* make(1, 4);
      return many * 10;
    };
    const ours = outer((from, to) => numbers.start(from, to)[Symbol.iterator]());
    const theirs = outer(generator);
    for (let i = 0; i < 4; i++) expect(ours.next()).toEqual(theirs.next());
  });

  test('next answers', () => {
    const iterator = sum.start(2)[Symbol.iterator]();
    expect(iterator.next()).toEqual({ done: false, value: 1 });
    expect(iterator.next(30n)).toEqual({ done: false, value: 2 });
    expect(iterator.next(12n)).toEqual({ done: true, value: 42n });
  });

  test('a wrong answer ends it, as it would a generator', () => {
    const before = live();
    const iterator = sum.start(2)[Symbol.iterator]();
    iterator.next();
    expect(codeOf(() => loose(iterator.next.bind(iterator))(1))).toBe('HEDDLE_COROUTINE_VALUE');
    expect(iterator.next(1n)).toEqual({ done: true, value: undefined });
    expect(live()).toEqual(before);
  });

  test('leaving early runs handlers and gives the stack back', () => {
    const before = live();
    log.length = 0;
    for (const value of ends.start()) {
      expect(value).toBe(1);
      break;
    }
    expect(log).toEqual([9]);
    expect(live()).toEqual(before);
  });

  test('of several tags is refused', () => {
    expect(codeOf(() => loose(Coroutine.prototype[Symbol.iterator]).call(both.start(1)))).toBe('returned'); // Nothing runs yet.
    expect(codeOf(() => (both.start(1) as unknown as Iterable<unknown>)[Symbol.iterator]().next())).toBe('HEDDLE_COROUTINE_TAG');
  });

  test('for await: imports wait', async () => {
    const seen: number[] = [];
    for await (const value of waits.start(41)) seen.push(value);
    expect(seen).toEqual([41, 42]);
    expect((await waits.start(3).resumeAsync()).done).toBe(false);
    expect(() => waits.start(3).resume()).toThrow(WebAssembly.SuspendError);
  });
});

describe('using', () => {
  test('ends the coroutine where it stands, and leaves an ended one alone', () => {
    const before = live();
    log.length = 0;
    const started = ends.start();
    const step = started.resume();
    expect(step.done).toBe(false);
    started[Symbol.dispose]();
    expect(log).toEqual([9]);
    started[Symbol.dispose]();
    const fresh = ends.start();
    fresh[Symbol.dispose]();
    expect([log, fresh.state]).toEqual([[9], 'done']);
    expect(live()).toEqual(before);
  });
});

describe('the border', () => {
  test.each([
    ['i32', 'numbers', [1.5, 2]],
    ['i32', 'numbers', ['1', 2]],
    ['i32', 'numbers', [2 ** 32, 2]],
    ['i32', 'numbers', [-(2 ** 31) - 1, 2]],
    ['i32', 'numbers', [1n, 2]],
    ['i32', 'numbers', [Number.NaN, 2]],
    ['fewer', 'numbers', [1]],
    ['more', 'numbers', [1, 2, 3]],
    ['f32', 'floats', ['1']],
    ['funcref', 'references', [undefined, 1]],
  ])('%s: %s', (_what, name, args) => {
    const before = live();
    const { start } = coroutine(exports[name], { yields });
    expect(codeOf(() => loose(start)(...args))).toBe('HEDDLE_COROUTINE_VALUE');
    expect(live()).toEqual(before);
  });

  test.each([
    ['a number', 1],
    ['a string', '1'],
    ['undefined', undefined],
    ['too large', 1n << 64n],
    ['too small', -(1n << 63n) - 1n],
  ])('i64: %s', (_what, value) => {
    const step = sum.start(1).resume();
    if (step.done) throw new Error('it has returned');
    const { coroutine: rest } = step;
    expect(codeOf(() => loose(rest.resume.bind(rest))(value))).toBe('HEDDLE_COROUTINE_VALUE');
    expect(rest.state).toBe('suspended');
    expect(rest.resume(-1n)).toMatchObject({ value: -1n });
  });

  test('values at the ends of the types pass', () => {
    const of = (value: bigint): unknown =>
      sum
        .start(1)
        .handle(asks, () => value)
        .resume();
    // i64 as V8 has it: the same bits, signed.
    expect(of((1n << 64n) - 1n)).toMatchObject({ value: BigInt.asIntN(64, (1n << 64n) - 1n) });
    expect(of(-(1n << 63n))).toMatchObject({ value: -(1n << 63n) });
    expect([...numbers.start(2 ** 31 - 1, 2 ** 31 - 1)]).toEqual([]);
    expect([...numbers.start(2 ** 32 - 1, 1)]).toEqual([-1, 0]); // Signed: from -1 to 1.
    const { start } = coroutine(exports['references'], { parameters: ['funcref', 'externref'], results: ['externref'] });
    for (const value of [null, undefined, 1, log]) expect(start(null, value).resume()).toMatchObject({ value });
    expect(codeOf(() => start(() => 1, 1))).toBe('HEDDLE_ARGUMENT'); // No function of WebAssembly's.
  });

  test.each([
    ['parameters', { parameters: ['i32'] }],
    ['their types', { parameters: ['i32', 'i64'] }],
    ['results', { results: [] }],
    ['no list', { results: 'i32' }],
    ['no type', { results: ['v128'] }],
    ['no tag', { yields: {} }],
    ['no tag in a list', { yields: [yields, exports['numbers']] }],
  ])('a declaration with other %s', (_what, declaration) => {
    expect(codeOf(() => loose(coroutine)(exports['numbers'], declaration))).toBe('HEDDLE_COROUTINE_TYPE');
  });

  test('other declarations', () => {
    expect(codeOf(() => coroutine(() => 1))).toBe('HEDDLE_ARGUMENT');
    expect(codeOf(() => loose(coroutine)(exports['numbers'], { yield: yields }))).toBe('HEDDLE_ARGUMENT');
    for (const types of [undefined, {}, { parameters: ['v128'] }, { parameters: [], results: 'i32' }, { parameters: [], name: 1 }]) {
      expect(codeOf(() => new (Tag as unknown as new (given: unknown) => unknown)(types))).toBe('HEDDLE_COROUTINE_TYPE');
      expect(codeOf(() => loose(tagOf)(exports['own'], types))).toBe('HEDDLE_COROUTINE_TYPE');
    }
    expect(codeOf(() => tagOf(exports['numbers'], { parameters: [] }))).toBe('HEDDLE_COROUTINE_TYPE');
    expect(codeOf(() => tagOf(exports['own'], { parameters: ['i32'], results: ['i64'] }))).toBe('HEDDLE_COROUTINE_TYPE');
    expect(tagOf(exports['own'], { parameters: ['i32'], results: ['i32'] })).toBe(exports['own']);
    expect(codeOf(() => new (Coroutine as unknown as new (given: unknown) => unknown)({}))).toBe('HEDDLE_ARGUMENT');
    expect(yields).toBeInstanceOf(WebAssembly.Tag);
  });

  test('a tag that was not declared ends the coroutine', () => {
    const before = live();
    log.length = 0;
    const undeclared = coroutine(exports['undeclared'], { results: ['i32'], yields }).start();
    expect(codeOf(() => undeclared.resume())).toBe('HEDDLE_COROUTINE_TAG');
    expect([log, undeclared.state]).toEqual([[7], 'used']);
    expect(live()).toEqual(before);
  });
});

describe('handle', () => {
  test('answers one tag, and leaves the others', () => {
    const handled = both.start(6).handle(asks, (n) => BigInt(n) * 7n);
    expect([...handled]).toEqual([6, 42]);
  });

  test('may begin at any step', () => {
    const step = both.start(6).resume();
    if (step.done || step.tag !== yields) throw new Error('it yields first');
    expect([...step.coroutine.handle(asks, (n) => BigInt(n) * 7n)]).toEqual([42]);
    const asked = sum.start(3).resume();
    if (asked.done) throw new Error('it asks first');
    expect(asked.coroutine.handle(asks, () => 1n).resume(40n)).toMatchObject({ value: 42n });
  });

  test('the last one leaves nothing: resume returns', () => {
    expect(
      sum
        .start(10)
        .handle(asks, (n) => BigInt(n))
        .resume(),
    ).toEqual({ done: true, tag: undefined, value: 55n });
  });

  test('a list is the answer to a tag with several results', () => {
    expect(
      swap
        .start(1, 2.5)
        .handle(swaps, (a, b) => [b, a])
        .resume(),
    ).toMatchObject({ value: [2.5, 1] });
    expect(
      codeOf(() =>
        swap
          .start(1, 2.5)
          .handle(swaps, (() => 1) as never)
          .resume(),
      ),
    ).toBe('HEDDLE_COROUTINE_VALUE');
    expect(
      codeOf(() =>
        swap
          .start(1, 2.5)
          .handle(swaps, (() => [1]) as never)
          .resume(),
      ),
    ).toBe('HEDDLE_COROUTINE_VALUE');
  });

  test('handlers may wait, where the coroutine is resumed so', async () => {
    const handled = (): Coroutine<readonly [], never, bigint> => sum.start(4).handle(asks, async (n) => BigInt(n) * 2n);
    expect(await handled().resumeAsync()).toMatchObject({ value: 20n });
    const before = live();
    expect(codeOf(() => handled().resume())).toBe('HEDDLE_COROUTINE_VALUE');
    const promised = numbers.start(0, 1).handle(yields, async () => {});
    expect(codeOf(() => promised.resume())).toBe('HEDDLE_COROUTINE_VALUE');
    expect(live()).toEqual(before);
  });

  test('what a handler throws is thrown where the coroutine is suspended', async () => {
    const fails = (): never => {
      throw new Error('no answer');
    };
    expect(() => sum.start(1).handle(asks, fails).resume()).toThrow('no answer');
    // Caught inside; what it does then may wait.
    const seen: number[] = [];
    for await (const value of careful.start().handle(asks, async () => fails())) seen.push(value);
    expect(seen).toEqual([100]);
  });

  test('a trap in a handler passes through catch_all, as one in an import does', () => {
    const trap = (): never => exports['traps']() as never;
    const handled = careful.start().handle(asks, trap);
    expect(() => handled.resume()).toThrow(WebAssembly.RuntimeError);
    expect(handled.state).toBe('done');
  });

  test('is refused for tags that were not declared, no tags and no functions, and takes what it is of', () => {
    const started = sum.start(1);
    expect(codeOf(() => loose(started.handle.bind(started))(yields, () => 1))).toBe('HEDDLE_COROUTINE_TAG');
    expect(codeOf(() => loose(started.handle.bind(started))({}, () => 1))).toBe('HEDDLE_ARGUMENT');
    expect(codeOf(() => loose(started.handle.bind(started))(asks, 1))).toBe('HEDDLE_ARGUMENT');
    expect(codeOf(() => loose(started.delegate.bind(started))(asks, 1))).toBe('HEDDLE_ARGUMENT');
    const handled = started.handle(asks, () => 4n);
    expect(handled.state).toBe('fresh');
    expect(handled.resume()).toMatchObject({ value: 4n });
    expect([handled.state, started.state]).toEqual(['done', 'used']);
    expect(codeOf(() => handled.resume())).toBe('HEDDLE_CONTINUATION_USED');
    expect(codeOf(() => started.handle(asks, () => 4n))).toBe('HEDDLE_CONTINUATION_USED');
  });

  test('resuming it inside its own handler is refused, and cancelling it too', () => {
    const codes: unknown[] = [];
    const handled: Coroutine<readonly [], never, bigint> = sum.start(1).handle(asks, () => {
      codes.push(
        codeOf(() => handled.resume()),
        codeOf(() => handled.cancel()),
        handled.state,
      );
      return 8n;
    });
    expect(handled.resume()).toMatchObject({ value: 8n });
    expect(codes).toEqual(['HEDDLE_CONTINUATION_RUNNING', 'HEDDLE_CONTINUATION_RUNNING', 'running']);
  });
});

describe('delegate', () => {
  // Two numbers for each question, then how many there were, as the answer.
  const answered = (n: number): Coroutine<readonly [], typeof yields | typeof asks, bigint> =>
    sum.start(n).delegate(asks, (i) => both.start(i * 10));

  test('yields all that the other yields; what that returns is the answer', () => {
    // As JavaScript: sum is what delegates, both what is delegated to.
    const inner = function* (n: number): Generator<number, bigint, undefined> {
      yield n;
      yield n + 1;
      return BigInt(n + 1);
    };
    const outer = function* (n: number): Generator<number, bigint, undefined> {
      let total = 0n;
      for (let i = 1; i <= n; i++) total += yield* inner(i * 10);
      return total;
    };
    const handled = answered(3).handle(asks, (n) => BigInt(n) + 1n);
    const expected = outer(3);
    const iterator = handled[Symbol.iterator]();
    for (let i = 0; i < 7; i++) expect(iterator.next()).toEqual(expected.next());
  });

  test('the tag that is handled may be the one that the other suspends with', () => {
    const step = answered(1).resume();
    if (step.done || step.tag !== yields) throw new Error('it yields first');
    const asked = step.coroutine.resume();
    if (asked.done || asked.tag !== asks) throw new Error('it asks then');
    expect(asked.values).toEqual([10]);
    const last = asked.coroutine.resume(99n);
    if (last.done || last.tag !== yields) throw new Error('it yields the answer');
    expect(last.values).toEqual([99]);
    expect(last.coroutine.resume()).toMatchObject({ value: 99n });
  });

  test('cancels both', () => {
    const before = live();
    for (const value of answered(3).handle(asks, () => 1n)) if (value === 20) break;
    expect(live()).toEqual(before);
    const step = answered(2).resume();
    if (step.done) throw new Error('it has returned');
    step.coroutine.cancel();
    expect(step.coroutine.state).toBe('done');
    expect(live()).toEqual(before);
  });

  test('what the other throws is thrown where the first is suspended', async () => {
    const failing = (): Coroutine<readonly [], never, bigint> =>
      sum.start(1).handle(asks, () => {
        throw new Error('inside');
      });
    expect(() => sum.start(1).delegate(asks, failing).resume()).toThrow('inside');
    const seen: number[] = [];
    for await (const value of careful.start().delegate(asks, failing)) seen.push(value);
    expect(seen).toEqual([100]);
  });

  test('what is no coroutine, takes values or is used is refused, where the first is suspended', () => {
    const used = sum.start(0);
    used.resume();
    const step = sum.start(1).resume();
    for (const [wrong, code] of [
      [1, 'HEDDLE_ARGUMENT'],
      [used, 'HEDDLE_CONTINUATION_USED'],
      [step.done ? undefined : step.coroutine, 'HEDDLE_COROUTINE_VALUE'],
      [numbers.start(0, 0), 'HEDDLE_COROUTINE_VALUE'], // Returns an i32 for the i64.
    ] as const) {
      expect(
        codeOf(() =>
          sum
            .start(1)
            .delegate(asks, (() => wrong) as never)
            .resume(),
        ),
      ).toBe(code);
    }
  });

  test('waits', async () => {
    const seen: number[] = [];
    const waiting = sum.start(2).delegate(asks, (n) => both.start(n).handle(asks, async (i) => BigInt(i) * 3n));
    let step = await waiting.resumeAsync();
    while (!step.done) {
      seen.push(step.values[0]);
      step = await step.coroutine.resumeAsync();
    }
    expect([seen, step.value]).toEqual([[1, 3, 2, 6], 9n]);
  });
});

describe('helpers', () => {
  const even = (value: number): boolean => value % 2 === 0;

  test('map, filter, take, zip', () => {
    const before = live();
    const list = Array.from({ length: 90 }, (_, i) => i + 10);
    expect([...map(numbers.start(10, 100), (i) => i * i)]).toEqual(list.map((i) => i * i));
    expect([...filter(numbers.start(10, 100), even)]).toEqual(list.filter(even));
    expect([...take(numbers.start(10, 100), 3)]).toEqual(list.slice(0, 3));
    expect([...take(numbers.start(0, 2), 0)]).toEqual([]);
    expect([...zip(numbers.start(0, 3), numbers.start(5, 7))]).toEqual([
      [0, 5],
      [1, 6],
    ]);
    expect([...zip(numbers.start(0, 1), numbers.start(5, 7))]).toEqual([[0, 5]]);
    collect();
    expect(live()[2]).toBe(before[2]); // A stack is taken at the first resumption.
  });

  test('the same with promises', async () => {
    const all = async <T>(from: AsyncIterable<T>): Promise<T[]> => {
      const list: T[] = [];
      for await (const value of from) list.push(value);
      return list;
    };
    expect(await all(mapAsync(waits.start(1), async (i) => i * 10))).toEqual([10, 20]);
    expect(await all(filterAsync(waits.start(1), async (i) => even(i)))).toEqual([2]);
    expect(await all(takeAsync(waits.start(1), 1))).toEqual([1]);
    expect(await all(takeAsync(waits.start(1), 0))).toEqual([]);
    expect(await all(zipAsync(waits.start(1), numbers.start(5, 9)))).toEqual([
      [1, 5],
      [2, 6],
    ]);
  });
});

test('limits: each resumption ends where it takes too long', async () => {
  const signal = AbortSignal.abort('enough');
  const limited = coroutine(exports['numbers'], { parameters: ['i32', 'i32'], yields, signal });
  expect(() => limited.start(0, 1).resume()).toThrow('enough');
});

describe('snapshots', () => {
  test('of each step, answered otherwise: every sum of two answers', () => {
    const totals: bigint[] = [];
    const first = sum.start(2).resume();
    if (first.done) throw new Error('it asks first');
    for (const one of [0n, 1n]) {
      const second = first.coroutine.snapshot().resume(one);
      if (second.done) throw new Error('it asks twice');
      expect(second.values).toEqual([2]);
      for (const other of [10n, 20n]) {
        const last = second.coroutine.snapshot().resume(other);
        if (last.done) totals.push(last.value);
      }
    }
    expect(totals).toEqual([10n, 20n, 11n, 21n]);
    expect(first.coroutine.state).toBe('suspended');
  });

  test('a loop over one, and the end of what came of one, leave the other', () => {
    const started = numbers.start(0, 3);
    expect([...started.snapshot()]).toEqual([0, 1, 2]);
    {
      using copy = started.snapshot();
      expect(copy.resume()).toMatchObject({ done: false, values: [0] });
    }
    expect([...started]).toEqual([0, 1, 2]);
    expect(codeOf(() => started.snapshot())).toBe('HEDDLE_CONTINUATION_USED');
  });

  test('of a handled one: each has its own answers, and what the handler keeps is shared', () => {
    const asked: number[] = [];
    const handled = both.start(5).handle(asks, (n) => BigInt(n * asked.push(n)));
    const step = handled.resume();
    if (step.done) throw new Error('it yields first');
    const copy = step.coroutine.snapshot();
    expect([...step.coroutine]).toEqual([5]); // the answer: 5 * 1
    expect([...copy]).toEqual([10]);
    expect(asked).toEqual([5, 5]);
    expect(codeOf(() => handled.snapshot())).toBe('HEDDLE_CONTINUATION_USED');
    const codes: unknown[] = [];
    const running: Coroutine<readonly [], never, bigint> = sum.start(1).handle(asks, () => {
      codes.push(codeOf(() => running.snapshot()));
      return 1n;
    });
    running.resume();
    expect(codes).toEqual(['HEDDLE_CONTINUATION_RUNNING']);
  });

  test('of a delegated one: what waits and what runs in its place are both copied', () => {
    // Each question of sum's is answered by both, whose answer is what it is told: the total is the sum of what is told.
    const step = sum
      .start(2)
      .delegate(asks, (i) => both.start(i * 10))
      .resume();
    if (step.done || step.tag !== yields) throw new Error('it yields first');
    const finish = (from: Coroutine<readonly [], typeof yields | typeof asks, bigint>, factor: bigint): bigint =>
      from
        .handle(yields, () => {})
        .handle(asks, (n) => BigInt(n) * factor)
        .resume().value;
    const copy = step.coroutine.snapshot();
    expect(finish(step.coroutine, 2n)).toBe(60n);
    expect(finish(copy.snapshot(), 3n)).toBe(90n);
    expect(finish(copy, 5n)).toBe(150n);
  });
});

test('limits: an error of a handler is thrown into a coroutine that has some, at once and later', async () => {
  const fails = (): never => {
    throw new Error('no answer');
  };
  const limited = coroutine(exports['careful'], { results: ['i64'], yields: [asks, yields], timeout: 60_000, deadline: 30_000 });
  const seen: number[] = [];
  for await (const value of limited.start().handle(asks, async () => fails())) seen.push(value);
  expect(seen).toEqual([100]);
  // Without waiting the import inside cannot wait, and says so.
  expect(() => limited.start().handle(asks, fails).resume()).toThrow(WebAssembly.SuspendError);
});

test('what resumes later is refused by a promise, and changes nothing', async () => {
  const step = await sum.start(1).resumeAsync();
  if (step.done) throw new Error('it has returned');
  const { coroutine: rest } = step;
  const resume = loose(rest.resumeAsync.bind(rest));
  await expect(resume(1)).rejects.toMatchObject({ name: 'TypeError', code: 'HEDDLE_COROUTINE_VALUE' });
  expect(await rest.resumeAsync(3n)).toMatchObject({ value: 3n });
  await expect(resume(3n)).rejects.toMatchObject({ code: 'HEDDLE_CONTINUATION_USED' });
  const handled = sum.start(1).handle(asks, async () => 4n);
  const first = handled.resumeAsync();
  await expect(handled.resumeAsync()).rejects.toMatchObject({ code: 'HEDDLE_CONTINUATION_RUNNING' });
  expect(await first).toMatchObject({ value: 4n });
});

test.each(['mjs', 'cjs'])('the package has it: typed.%s is the same Heddle', (kind) => {
  const typed = kind === 'mjs' ? "await import('heddle/typed')" : "require('heddle/typed')";
  const code = `${kind === 'mjs' ? "import { createRequire } from 'node:module'; const require = createRequire('/'); " : ''}
    ${kind === 'mjs' ? "const { WebAssembly, parseWat } = await import('heddle');" : "const { WebAssembly, parseWat } = require('heddle');"}
    const { Tag, coroutine } = ${typed};
    const yields = new Tag({ parameters: ['i32'] });
    const bytes = parseWat('(module (import "" "" (tag (param i32))) (func (export "f") (suspend 0 (i32.const 42))))');
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { '': { '': yields } });
    console.log(JSON.stringify([...coroutine(exports.f, { yields }).start()]), yields instanceof WebAssembly.Tag);`;
  const args = [...(kind === 'mjs' ? ['--input-type=module'] : ['--input-type=commonjs']), '-e', code];
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd });
  expect([stdout, stderr]).toEqual(['[42] true\n', '']);
});
