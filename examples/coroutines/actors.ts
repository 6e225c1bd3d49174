// Actors: coroutines that wait for messages, and a mailbox for each. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { coroutine, type Step, Tag } from 'heddle/typed';

const receives = new Tag({ parameters: [], results: ['i32'] });
const sends = new Tag({ parameters: ['i32', 'i32'] });
const text = await readFile(new URL('actors.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { receives, sends } });
const types = { parameters: ['i32', 'i32'], results: ['i32'], yields: [receives, sends] } as const;
const ring = coroutine(instance.exports['ring'], types);
const adder = coroutine(instance.exports['adder'], types);

type Actor = Step<typeof receives | typeof sends, number>;

class System {
  readonly #actors = new Map<number, Actor>();
  readonly #mail = new Map<number, number[]>();
  /** What actors have returned that are done. */
  readonly results: number[] = [];

  add(number: number, actor: Actor): void {
    this.#actors.set(number, actor);
  }

  send(to: number, message: number): void {
    const mailbox = this.#mail.get(to);
    if (mailbox === undefined) this.#mail.set(to, [message]);
    else mailbox.push(message);
  }

  /** Messages that nobody has taken. */
  get left(): [number, number[]][] {
    return [...this.#mail];
  }

  /** Delivers messages until there are none for any actor. */
  run(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const [number, actor] of this.#actors) {
        const next = this.#turn(number, actor);
        if (next.done) this.results.push(next.value);
        if (next.done) this.#actors.delete(number);
        else if (next !== actor) this.#actors.set(number, next);
        busy ||= next !== actor;
      }
    }
  }

  /** Goes on with an actor until it waits for a message that is not there. */
  #turn(number: number, step: Actor): Actor {
    while (!step.done) {
      if (step.tag === receives) {
        const mailbox = this.#mail.get(number);
        const message = mailbox?.shift();
        if (mailbox?.length === 0) this.#mail.delete(number);
        if (message === undefined) return step;
        step = step.coroutine.resume(message);
      } else if (step.tag === sends) {
        this.send(...step.values);
        step = step.coroutine.resume();
      }
    }
    return step;
  }
}

const system = new System();
for (let i = 1; i <= 503; i++) system.add(i, ring.start(i, (i % 503) + 1).resume());
system.send(1, 1000);
system.add(1000, adder.start(1000, 2000).resume());
for (let i = 100; i >= 0; i--) system.send(1000, i);
system.run();
console.log(JSON.stringify({ results: system.results, left: system.left }));
