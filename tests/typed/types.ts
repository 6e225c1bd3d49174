/**
 * What the compiler knows of `heddle/typed`. types.test.ts compiles it: what a comment `@ts-expect-error` stands before is refused, with the errors that the comment names.
 */
import { expectTypeOf } from 'vitest';
import type { WebAssembly } from '../../ts/index.js';
import { type Coroutine, coroutine, type Done, map, type Step, Tag, tagOf, take, type Yielded, zip } from '../../ts/typed/index.js';

type PlainTag = InstanceType<typeof WebAssembly.Tag>;

/** Never called: only its types are looked at. */
export async function types(exports: Record<string, unknown>, plain: PlainTag): Promise<void> {
  const yields = new Tag({ parameters: ['i32'] });
  const asks = new Tag({ parameters: ['i32'], results: ['i64'] });
  const swaps = new Tag({ parameters: ['f32', 'externref'], results: ['funcref', 'f64'] });
  expectTypeOf(yields).toEqualTypeOf<Tag<readonly ['i32'], [], string>>();
  expectTypeOf(tagOf(exports['a'], { parameters: ['i64'], name: 'a' })).toEqualTypeOf<Tag<readonly ['i64'], [], 'a'>>();
  expectTypeOf(yields).toExtend<PlainTag>();
  // @ts-expect-error 2322
  new Tag({ parameters: ['v128'] });
  // @ts-expect-error 2345
  new Tag({ results: ['i32'] });

  // What is yielded and returned.
  const numbers = coroutine(exports['numbers'], { parameters: ['i32'], results: ['i32'], yields });
  const started = numbers.start(10);
  expectTypeOf(started).toEqualTypeOf<Coroutine<readonly [], typeof yields, number>>();
  for (const value of started) expectTypeOf(value).toEqualTypeOf<number>();
  for await (const value of started) expectTypeOf(value).toEqualTypeOf<number>();
  expectTypeOf(await started.resumeAsync()).toEqualTypeOf<Step<typeof yields, number>>();
  const outer = function* (): Generator<number, string, undefined> {
    const returned = yield* started;
    expectTypeOf(returned).toEqualTypeOf<number>();
    return 'end';
  };
  expectTypeOf(outer().next().value).toEqualTypeOf<number | string>();
  // @ts-expect-error 2345
  numbers.start(10n);
  // @ts-expect-error 2554
  numbers.start();
  // @ts-expect-error 2554
  started.resume(1);

  // A step is told apart by done and tag.
  const both = coroutine(exports['both'], { parameters: ['i32', 'f64'], results: ['i64'], yields: [yields, asks, swaps] });
  const step = both.start(1, 2).resume();
  if (step.done) {
    expectTypeOf(step).toEqualTypeOf<Done<bigint>>();
  } else if (step.tag === asks) {
    expectTypeOf(step).toEqualTypeOf<Yielded<typeof asks, typeof yields | typeof asks | typeof swaps, bigint>>();
    expectTypeOf(step.values).toEqualTypeOf<readonly [number]>();
    step.coroutine.resume(5n);
    // @ts-expect-error 2345
    step.coroutine.resume(5);
    // @ts-expect-error 2554
    step.coroutine.resume();
  } else if (step.tag === swaps) {
    expectTypeOf(step.values).toEqualTypeOf<readonly [number, unknown]>();
    step.coroutine.resume(null, 1);
    // @ts-expect-error 2345
    step.coroutine.resume(1, null);
  } else if (step.tag === yields) {
    expectTypeOf(step.coroutine).toEqualTypeOf<Coroutine<readonly [], typeof yields | typeof asks | typeof swaps, bigint>>();
    // @ts-expect-error 2551
    step.value;
  }

  // Iteration: of one tag, and of what takes nothing first.
  // @ts-expect-error 2488
  for (const value of both.start(1, 2)) String(value);
  const sum = coroutine(exports['sum'], { parameters: ['i32'], results: ['i64'], yields: asks });
  // @ts-expect-error 2763
  for (const value of sum.start(1)) String(value);
  const iterator = sum.start(1)[Symbol.iterator]();
  expectTypeOf(iterator).toEqualTypeOf<Generator<number, bigint, bigint>>();
  // @ts-expect-error 2345
  iterator.next('1');
  const swapped = coroutine(exports['swapped'], { yields: swaps }).start()[Symbol.iterator]();
  expectTypeOf(swapped.next().value).toEqualTypeOf<unknown>();

  // Handlers take tags away.
  const handled = both.start(1, 2).handle(asks, (n) => BigInt(n));
  expectTypeOf(handled).toEqualTypeOf<Coroutine<readonly [], typeof yields | typeof swaps, bigint>>();
  const last = handled.handle(yields, (n) => String(n)).handle(swaps, (a, b) => [b === 1 ? null : () => 1, a]);
  expectTypeOf(last).toEqualTypeOf<Coroutine<readonly [], never, bigint>>();
  expectTypeOf(last.resume()).toEqualTypeOf<Done<bigint>>();
  expectTypeOf(last.resume().value).toEqualTypeOf<bigint>();
  sum.start(1).handle(asks, async (n) => BigInt(n));
  // @ts-expect-error 2322
  sum.start(1).handle(asks, (n) => n);
  // @ts-expect-error 2322
  both.start(1, 2).handle(swaps, (a) => [a, null]);
  // @ts-expect-error 2345
  sum.start(1).handle(yields, () => 1n);

  // Delegation puts the other's tags in place of one.
  const delegated = sum.start(1).delegate(asks, (n) => both.start(n, n));
  expectTypeOf(delegated).toEqualTypeOf<Coroutine<readonly [], typeof asks | typeof yields | typeof swaps, bigint>>();
  // @ts-expect-error 2322
  sum.start(1).delegate(asks, (n) => numbers.start(n));

  // A snapshot has the same types.
  expectTypeOf(both.start(1, 2).snapshot()).toEqualTypeOf<Coroutine<readonly [], typeof yields | typeof asks | typeof swaps, bigint>>();
  // @ts-expect-error 2763
  for (const value of sum.start(1).snapshot()) String(value);

  // Names tell tags of the same types apart.
  const left = new Tag({ parameters: ['i32'], name: 'left' });
  const right = new Tag({ parameters: ['i32'], name: 'right' });
  const sides = coroutine(exports['sides'], { parameters: [], results: [], yields: [left, right] }).start();
  expectTypeOf(sides.handle(left, () => {})).toEqualTypeOf<Coroutine<readonly [], typeof right, undefined>>();

  // Helpers.
  expectTypeOf(map(numbers.start(1), String)).toEqualTypeOf<Generator<string, void, undefined>>();
  expectTypeOf(zip(take(numbers.start(1), 2), [''])).toEqualTypeOf<Generator<[number, string], void, undefined>>();
  // @ts-expect-error 2345
  map(sum.start(1), String);

  // What is not declared is unknown.
  const unknown = coroutine(exports['unknown'], { yields: plain }).start(1, 'a');
  const first = unknown.resume();
  if (first.done) expectTypeOf(first.value).toEqualTypeOf<unknown>();
  else expectTypeOf(first.values).toEqualTypeOf<readonly unknown[]>();
  // @ts-expect-error 2673
  new (await import('../../ts/typed/index.js')).Coroutine(1);
}
