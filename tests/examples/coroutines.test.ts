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

test('backtracking: triangles as three loops find them', async () => {
  const triangles = (most: number): number[][] => {
    const found: number[][] = [];
    for (let a = 1; a <= most; a++)
      for (let b = a; b <= most; b++) for (let c = b; c <= most; c++) if (a * a + b * b === c * c) found.push([a, b, c]);
    return found;
  };
  expect(await run('amb')).toEqual({ first: [[3, 4, 5]], all: triangles(20) });
});

test('queens: as many solutions as are known (OEIS A000170)', async () => {
  expect(await run('queens')).toEqual([2, 10, 4, 40, 92]);
});

test('a parser with choice: as splitting at commas', async () => {
  const sumOf = (list: string): number | string => {
    let sum = 0;
    for (const item of list.split(',')) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(item);
      if (match === null) return 'no list';
      const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
      for (let i = from; i <= to; i++) sum += i;
    }
    return sum;
  };
  const lists = ['7', '1-10', '1,3-5,20', '12,3,4-4,100-200,9', '', ',', '1,', '1,,2', '3-', '-3', '1-2-3', '1;2', '10-12,13 '];
  expect(await run('parser', lists)).toEqual(lists.map(sumOf));
});

test('sudoku: the solution that is printed with the puzzle, both of one with two, and none', async () => {
  // The puzzle of Wikipedia's article, and its solution there.
  const puzzle = '530070000600195000098000060800060003400803001700020006060000280000419005000080079';
  const solution = '534678912672195348198342567859761423426853791713924856961537284287419635345286179';
  // Two digits that stand crosswise in two rows of one box may change places.
  const places = [...solution].flatMap((_, a) => [...solution].map((_, b) => [a, b] as const));
  const rectangle = places.find(([a, b]) => {
    const [top, bottom] = [Math.floor(a / 9), Math.floor(b / 9)];
    const [left, right] = [a % 9, b % 9];
    const oneBand = Math.floor(top / 3) === Math.floor(bottom / 3) && Math.floor(left / 3) !== Math.floor(right / 3);
    return (
      oneBand && top < bottom && left < right && solution[a] === solution[b] && solution[top * 9 + right] === solution[bottom * 9 + left]
    );
  });
  if (rectangle === undefined) throw new Error('there is none');
  const [a, b] = rectangle;
  const crossed = [a, b, a - (a % 9) + (b % 9), b - (b % 9) + (a % 9)];
  const open = [...solution].map((digit, place) => (crossed.includes(place) ? '0' : digit)).join('');
  const [one, other] = [solution[a] ?? '', solution[crossed[2] ?? 0] ?? ''];
  const changed = [...solution].map((digit, place) => (crossed.includes(place) ? (digit === one ? other : one) : digit)).join('');
  const impossible = `55${puzzle.slice(2)}`;
  expect(await run('sudoku', [puzzle, open, impossible])).toEqual([[solution], [solution, changed].sort(), []]);
});

test('probabilities: by arithmetic', async () => {
  const { dice, first, sent } = await run<Record<'dice' | 'first' | 'sent', Record<number, number>>>('probability');
  const expectAll = (found: Record<number, number>, expected: Record<number, number>): void => {
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [value, its] of Object.entries(expected)) expect(found[Number(value)]).toBeCloseTo(its, 12);
  };
  expectAll(dice, Object.fromEntries(Array.from({ length: 11 }, (_, i) => [i + 2, (6 - Math.abs(i - 5)) / 36])));
  // 3-6, 4-5, 4-6, 5-4, 5-5, 5-6, 6-3 … 6-6: ten of them.
  expectAll(first, { 3: 1 / 10, 4: 2 / 10, 5: 3 / 10, 6: 4 / 10 });
  // Bayes: of 101, two bits came right where 1 was sent, one where 0 was.
  const [likelyOne, likelyZero] = [0.9 ** 2 * 0.1, 0.9 * 0.1 ** 2];
  expectAll(sent, { 0: likelyZero / (likelyOne + likelyZero), 1: likelyOne / (likelyOne + likelyZero) });
});

test('a model checker: finds the schedules that lose an update, and none with a lock', async () => {
  // Each worker reads, and then writes: of the orders of four steps those lose an update where both read before one writes.
  const lost: string[] = [];
  for (let order = 0; order < 16; order++) {
    const turns = [3, 2, 1, 0].map((bit) => (order >> bit) & 1);
    if (turns.filter((turn) => turn === 1).length !== 2) continue;
    const seen: (number | undefined)[] = [undefined, undefined];
    let counter = 0;
    for (const turn of turns) {
      if (seen[turn] === undefined) seen[turn] = counter;
      else counter = (seen[turn] ?? 0) + 1;
    }
    // Where one worker is done there is no choice any more.
    const done = [0, 1].map((worker) => turns.lastIndexOf(worker));
    if (counter < 2) lost.push(turns.slice(0, Math.min(...done) + 1).join(''));
  }
  expect(lost).toHaveLength(4);
  // With the lock: who is first may be interrupted once, by the other, which then waits. So there are two times two.
  expect(await run('model_checker')).toEqual({
    racy: { schedules: 6, right: 2, wrong: lost, complete: true },
    again: 1,
    locked: { schedules: 4, right: 4, wrong: [], complete: true },
  });
});

test('continuations that are entered again: 1 more than they are told each time', async () => {
  expect(await run('reentrant')).toEqual({
    plusOne: [10, 20, 30].map((value) => 1 + value),
    sums: [2 + 3, 2 + 3 + 10, 2 + 3 + 20 + 30, 2 + 3 + 1],
  });
});
