/**
 * The programs of examples/coroutines, each against arithmetic or what JavaScript does in the same place.
 */
import { expect, test } from 'vitest';
import { resultOf } from '../traps/child.js';

/** What a program prints. Node 20 does not read TypeScript itself. */
const run = <T>(name: string, args: readonly string[] = []): Promise<T> =>
  resultOf<T>(new URL(`../../examples/coroutines/${name}.ts`, import.meta.url), { flags: ['--import', 'tsx'], args });

test('iterators: a tree is in order', async () => {
  const keys = [50, 20, 80, 10, 30, 70, 90, 60, 40].sort((a, b) => a - b);
  expect(await run('iterators')).toEqual({
    all: keys,
    'the first that is more than 45': [keys.find((key) => key > 45)],
    'squares of three': keys.slice(0, 3).map((key) => key * key),
    'the same': [true, false],
    returned: `${keys.length} keys`,
  });
});

test('single-assignment variables: all that was asked too early comes', async () => {
  const values = [0, 1];
  for (let i = 2; i <= 30; i++) values.push((values[i - 1] ?? 0) + (values[i - 2] ?? 0));
  expect(await run('single_assignment')).toEqual({ waiting: 31, values, twice: 'assigned twice' });
});

test('async/await: as async functions of JavaScript', async () => {
  const log: string[] = [];
  const fetched = async (number: number): Promise<number> => {
    log.push(`fetch ${number}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (number === 13) throw new Error('no 13');
    log.push(`got ${number}`);
    return number * 10;
  };
  const sum = async (to: number): Promise<number> => {
    let result = 0;
    for (let i = 1; i <= to; i++) result += await fetched(i);
    return result;
  };
  const both = async (one: number, other: number): Promise<number> => {
    const [first, second] = [fetched(one), fetched(other)];
    return (await first) + (await second);
  };
  const careful = (number: number): Promise<number> => fetched(number).catch(() => -1);
  const one = await sum(3);
  const order = log.splice(0);
  const two = await both(4, 5);
  expect(await run('async_await')).toEqual({
    'one after the other': one,
    order,
    'both at once': two,
    'their order': log.splice(0, 3),
    caught: await careful(13),
    'not caught': await sum(13).catch((error: Error) => error.message),
    'a hundred': await Promise.all(Array.from({ length: 100 }, (_, i) => careful(i))),
  });
});

test('actors: a token goes round, and a sum is sent on', async () => {
  // The token is 1000 at actor 1 and 0 a thousand hops later, in a ring of 503.
  expect(await run('actors')).toEqual({ results: [1000, (1000 % 503) + 1], left: [[2000, [(100 * 101) / 2]]] });
});

test('event streams: as callbacks with a state', async () => {
  // The same by hand: where the button is down, and since where.
  const found: string[] = [];
  let from: number | undefined;
  for (const event of 'move 1, down 2, move 3, move 5, up 5, move 6, up 6, down 9, up 7, down 8, move 9, end 0'.split(', ')) {
    const [kind, place] = event.split(' ');
    if (kind === 'down' && from === undefined) from = Number(place);
    if (kind === 'up' && from !== undefined) {
      found.push(`${from}-${place}`);
      from = undefined;
    }
  }
  expect(await run('event_streams')).toEqual({ pushed: { found, count: found.length }, pulled: found });
});

test('symmetric coroutines: as replacing twice', async () => {
  const letters = ['a', 'b', 'x'];
  const inputs = Array.from({ length: 200 }, (_, i) =>
    Array.from({ length: i % 12 }, (_, j) => letters[(i * 7 + j * (i % 5)) % 3]).join(''),
  );
  const expected = inputs.map((input) => input.replaceAll('aa', 'b').replaceAll('bb', 'c'));
  expect(expected.some((output) => output.includes('c'))).toBe(true);
  expect(await run('symmetric', inputs)).toEqual(expected);
});
