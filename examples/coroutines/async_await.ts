// async/await: a tag whose handler is an async function. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { parseWat, WebAssembly } from 'heddle';
import { type CoroutineFunction, coroutine, Tag } from 'heddle/typed';

const log: string[] = [];

/** Ten times the number, a little later; 13 is refused. */
async function fetch(number: number): Promise<number> {
  log.push(`fetch ${number}`);
  await setTimeout(5);
  if (number === 13) throw new Error('no 13');
  log.push(`got ${number}`);
  return number * 10;
}

const awaits = new Tag({ parameters: ['externref'], results: ['i32'] });
const text = await readFile(new URL('async_await.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { awaits, fetch, error: WebAssembly.JSTag } });
const { exports } = instance;

/** An export as an async function. */
function asyncFunction<Parameters extends readonly unknown[], Return>(
  fn: CoroutineFunction<Parameters, typeof awaits, Return>,
): (...values: Parameters) => Promise<Return> {
  return async (...values) => {
    const step = await fn
      .start(...values)
      .handle(awaits, async (promise) => Number(await promise))
      .resumeAsync();
    return step.value;
  };
}

const sum = asyncFunction(coroutine(exports['sum'], { parameters: ['i32'], results: ['i32'], yields: awaits }));
const both = asyncFunction(coroutine(exports['both'], { parameters: ['i32', 'i32'], results: ['i32'], yields: awaits }));
const careful = asyncFunction(coroutine(exports['careful'], { parameters: ['i32'], results: ['i32'], yields: awaits }));

const one = await sum(3);
const order = log.splice(0);
const two = await both(4, 5);
console.log(
  JSON.stringify({
    'one after the other': one,
    order,
    'both at once': two,
    'their order': log.splice(0, 3),
    caught: await careful(13),
    'not caught': await sum(13).catch((error: Error) => error.message),
    'a hundred': await Promise.all(Array.from({ length: 100 }, (_, i) => careful(i))),
  }),
);
