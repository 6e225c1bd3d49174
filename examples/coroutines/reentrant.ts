// Continuations that are entered again: a snapshot of the rest is resumed each time. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { type Coroutine, coroutine, type Step, Tag } from 'heddle/typed';

const captures = new Tag({ parameters: [], results: ['i32'] });
const yields = new Tag({ parameters: ['i32'], results: ['i32'] });
const text = await readFile(new URL('reentrant.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { captures, yields } });
const plusOne = coroutine(instance.exports['plusOne'], { parameters: [], results: ['i32'], yields: captures });
const total = coroutine(instance.exports['total'], { parameters: [], results: ['i32'], yields });

/** What Scheme's call/cc hands out: a function that goes on from there, as often as it is called. */
function rest(step: Step<typeof captures, number>): (value: number) => number | undefined {
  if (step.done) throw new Error('it has not suspended');
  const { coroutine: saved } = step;
  return (value) => {
    const end = saved.snapshot().resume(value);
    return end.done ? end.value : undefined;
  };
}
const saved = rest(plusOne.start().resume());

/** The sum so far, and a bookmark: from there one can go on again, otherwise. */
type Bookmark = Coroutine<readonly [number], typeof yields, number>;
function tell(from: Bookmark, ...values: number[]): { sum: number; bookmark: Bookmark } {
  let sum = 0;
  for (const value of values) {
    const step = from.snapshot().resume(value);
    if (step.done) throw new Error('it ends at 0');
    [sum] = step.values;
    from = step.coroutine;
  }
  return { sum, bookmark: from };
}
const begin = total.start().resume();
if (begin.done) throw new Error('it has not suspended');
const five = tell(begin.coroutine, 2, 3);
const sums = [tell(five.bookmark, 10), tell(five.bookmark, 20, 30), tell(five.bookmark, 1)].map(({ sum }) => sum);
console.log(JSON.stringify({ plusOne: [10, 20, 30].map(saved), sums: [five.sum, ...sums] }));
