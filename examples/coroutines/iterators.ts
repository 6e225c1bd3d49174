// Iterators: what WebAssembly suspends with is what a loop of JavaScript gets. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { coroutine, filter, map, Tag, take, zip } from 'heddle/typed';

const yields = new Tag({ parameters: ['i32'] });
const text = await readFile(new URL('iterators.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { yields } });
const { insert } = instance.exports;
const walk = coroutine(instance.exports['walk'], { parameters: ['i32'], results: ['i32'], yields });

const tree = (keys: readonly number[]): number => keys.reduce((root: number, key) => insert(root, key), 0);

/** Whether two trees have the same keys. Each is walked only as far as it must be. */
function same(one: number, other: number): boolean {
  for (const [a, b] of zip(walk.start(one), walk.start(other))) if (a !== b) return false;
  return true;
}

/** A generator of JavaScript that hands on all that WebAssembly yields, and gets what it returns. */
function* counted(root: number): Generator<number, string, undefined> {
  const count = yield* walk.start(root);
  return `${count} keys`;
}

const keys = [50, 20, 80, 10, 30, 70, 90, 60, 40];
const root = tree(keys);
const numbers = counted(root);
let last = numbers.next();
while (!last.done) last = numbers.next();

console.log(
  JSON.stringify({
    all: [...walk.start(root)],
    'the first that is more than 45': [
      ...take(
        filter(walk.start(root), (key) => key > 45),
        1,
      ),
    ],
    'squares of three': [...map(take(walk.start(root), 3), (key) => key * key)],
    'the same': [same(root, tree([...keys].reverse())), same(root, tree([...keys.slice(1), 51]))],
    returned: last.value,
  }),
);
