// `node examples/coroutines/uses.mjs`: uses of coroutines; prints what each gave, as JSON.
import { readFile } from 'node:fs/promises';
import { Continuation, parseWat, WebAssembly } from 'heddle';

let text = '';
const { instance } = await WebAssembly.instantiate(parseWat(await readFile(new URL('uses.wat', import.meta.url), 'utf8')), {
  host: { print: (letter) => (text += String.fromCharCode(letter)) },
});
const { fibonacci, reader, sum, actor, drag, symmetric } = instance.exports;

/** A variable that is assigned once. Readers that come too early wait in it as continuations. */
class Variable {
  #value;
  #readers = [];

  /** Runs a reader; its result, or undefined while it waits. */
  read(step, done) {
    while (!step.done) {
      if (this.#value === undefined) return this.#readers.push([step.continuation, done]);
      step = step.continuation.resume(this.#value);
    }
    return done(step.value);
  }

  assign(value) {
    if (this.#value !== undefined) throw new Error('assigned twice');
    this.#value = value;
    for (const [continuation, done] of this.#readers) this.read(continuation.resume(value), done);
  }
}

function singleAssignment() {
  const variable = new Variable();
  const seen = [];
  variable.read(new Continuation(reader).resume(), (result) => seen.push(result));
  seen.push(21);
  variable.assign(21);
  try {
    variable.assign(22);
  } catch (error) {
    seen.push(error.message);
  }
  return seen;
}

async function asyncAwait() {
  let step = new Continuation(sum).resume(4);
  while (!step.done) step = step.continuation.resume(await Promise.resolve(step.payload[0]));
  return step.value;
}

function actors() {
  let step = new Continuation(actor).resume();
  for (let message = 1; message <= 100; message++) step = step.continuation.resume(message);
  return step.continuation.resume(-1).value;
}

function events() {
  const kinds = ['down', 'move', 'up'];
  const log = [];
  let step = new Continuation(drag).resume();
  for (const [kind, place] of [
    [0, 1],
    [1, 2],
    [1, 3],
    [2, 4],
  ]) {
    log.push(`${kinds[kind]} ${place}`);
    step = step.continuation.resume(kind, place);
  }
  log.push(`drag of ${step.value}`);
  return log;
}

/** An early way out: what is left of the loop is given up with its continuation. */
function oneShot() {
  for (const value of new Continuation(fibonacci).bind(1000)) if (value > 6) return value;
  return -1;
}

symmetric();
console.log(
  JSON.stringify({
    iterator: [...new Continuation(fibonacci).bind(10)],
    'single-assignment variable': singleAssignment(),
    'async/await': await asyncAwait(),
    actor: actors(),
    'event stream': events(),
    'symmetric coroutines': text,
    'one-shot continuation': oneShot(),
  }),
);
