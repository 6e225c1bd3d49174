/**
 * Small helpers over what coroutines yield; `Iterator.prototype` has its own from Node 22 on. Each ends what it iterates over where it ends itself.
 */

/** What is iterated over: nothing is sent. */
type From<Value> = Iterable<Value, unknown, undefined>;
type FromAsync<Value> = AsyncIterable<Value, unknown, undefined>;

/**
 * What `change` makes of each value.
 *
 * @example
 * ```js
 * import { filter, map, take } from 'heddle/typed';
 *
 * const even = filter([1, 2, 3, 4, 5, 6], (n) => n % 2 === 0);
 * console.log([...take(map(even, (n) => n * n), 2)]); // [ 4, 16 ]
 * ```
 */
export function* map<Value, To>(from: From<Value>, change: (value: Value) => To): Generator<To, void, undefined> {
  for (const value of from) yield change(value);
}

/** The values that `keep` says yes to. */
export function* filter<Value>(from: From<Value>, keep: (value: Value) => boolean): Generator<Value, void, undefined> {
  for (const value of from) if (keep(value)) yield value;
}

/** The first values. */
export function* take<Value>(from: From<Value>, count: number): Generator<Value, void, undefined> {
  if (count <= 0) return;
  for (const value of from) {
    yield value;
    count -= 1;
    if (count <= 0) return;
  }
}

/** Pairs, until one of the two has ended. */
export function* zip<One, Other>(from: From<One>, other: From<Other>): Generator<[One, Other], void, undefined> {
  const others = other[Symbol.iterator]();
  try {
    for (const value of from) {
      const next = others.next();
      if (next.done === true) return;
      yield [value, next.value];
    }
  } finally {
    others.return?.();
  }
}

/** {@link map}, and `change` may give promises. */
export async function* mapAsync<Value, To>(
  from: FromAsync<Value>,
  change: (value: Value) => To | PromiseLike<To>,
): AsyncGenerator<Awaited<To>, void, undefined> {
  for await (const value of from) yield await change(value);
}

/** {@link filter}, and `keep` may give promises. */
export async function* filterAsync<Value>(
  from: FromAsync<Value>,
  keep: (value: Value) => boolean | PromiseLike<boolean>,
): AsyncGenerator<Value, void, undefined> {
  for await (const value of from) if (await keep(value)) yield value;
}

/** {@link take}. */
export async function* takeAsync<Value>(from: FromAsync<Value>, count: number): AsyncGenerator<Value, void, undefined> {
  if (count <= 0) return;
  for await (const value of from) {
    yield value;
    count -= 1;
    if (count <= 0) return;
  }
}

/** {@link zip}. */
export async function* zipAsync<One, Other>(from: FromAsync<One>, other: FromAsync<Other>): AsyncGenerator<[One, Other], void, undefined> {
  const others = other[Symbol.asyncIterator]();
  try {
    for await (const value of from) {
      const next = await others.next();
      if (next.done === true) return;
      yield [value, next.value];
    }
  } finally {
    await others.return?.();
  }
}
