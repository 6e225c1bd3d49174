// Event streams: WebAssembly asks for the next event where it needs one. Prints what it finds, as JSON.
import { EventEmitter, on } from 'node:events';
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { coroutine, Tag } from 'heddle/typed';

const next = new Tag({ parameters: [], results: ['i32', 'i32'] });
const emits = new Tag({ parameters: ['i32', 'i32'] });
const text = await readFile(new URL('event_streams.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { next, emits } });
const drags = coroutine(instance.exports['drags'], { parameters: [], results: ['i32'], yields: [next, emits] });

const KINDS = ['down', 'move', 'up', 'end'];
const EVENTS = 'move 1, down 2, move 3, move 5, up 5, move 6, up 6, down 9, up 7, down 8, move 9, end 0'.split(', ');
const parsed = EVENTS.map((event): [number, number] => {
  const [kind = '', place] = event.split(' ');
  return [KINDS.indexOf(kind), Number(place)];
});

/** Pushed: each event of an emitter goes on with the coroutine. */
function pushed(): { found: string[]; count: number | undefined } {
  const found: string[] = [];
  const mouse = new EventEmitter();
  let step = drags
    .start()
    .handle(emits, (from, to) => void found.push(`${from}-${to}`))
    .resume();
  mouse.on('event', (kind: number, place: number) => {
    if (!step.done) step = step.coroutine.resume(kind, place);
  });
  for (const event of parsed) mouse.emit('event', ...event);
  return { found, count: step.done ? step.value : undefined };
}

/** Pulled: the coroutine waits for each event, and what it emits is an async iterator. */
async function pulled(): Promise<string[]> {
  const mouse = new EventEmitter();
  const events = on(mouse, 'event');
  setImmediate(() => {
    for (const event of parsed) mouse.emit('event', event);
  });
  const found: string[] = [];
  const answered = drags.start().handle(next, async () => (await events.next()).value[0] as [number, number]);
  for await (const [from, to] of answered) found.push(`${from}-${to}`);
  return found;
}

console.log(JSON.stringify({ pushed: pushed(), pulled: await pulled() }));
