// Backtracking by hand: a coroutine goes on once for each outcome. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { coroutine, type Step, Tag, take } from 'heddle/typed';

const chooses = new Tag({ parameters: ['i32'], results: ['i32'] });
const text = await readFile(new URL('amb.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { chooses } });
const types = { parameters: ['i32'], results: ['i32', 'i32', 'i32'], yields: chooses } as const;
const triangle = coroutine(instance.exports['triangle'], types);

/** All that a coroutine may return, one after the other. */
function* solutions<Return>(step: Step<typeof chooses, Return>): Generator<Return, void, undefined> {
  if (step.done) {
    yield step.value;
    return;
  }
  const { coroutine: rest, values } = step;
  for (let i = 0; i < values[0]; i++) yield* solutions(rest.snapshot().resume(i));
  rest.cancel();
}

const all = (most: number): Generator<readonly [number, number, number], void, undefined> => solutions(triangle.start(most).resume());
console.log(JSON.stringify({ first: [...take(all(100), 1)], all: [...all(20)] }));
