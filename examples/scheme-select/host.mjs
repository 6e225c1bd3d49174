// `node examples/scheme-select/host.mjs`: runs scheme.wat. It pauses with a set of events; the host waits for the first that comes, on Node's own event loop, and
// resumes. The socket's other end answers each number with its double.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { Continuation, parseWat, WebAssembly } from 'heddle';

const TIMER = 1;
const SOCKET = 2;
const LATE_TIMER = 4;

const server = createServer((peer) => peer.on('data', (data) => peer.write(String(Number(data) * 2))));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const socket = connect(server.address().port, '127.0.0.1');
await once(socket, 'connect');

const { instance } = await WebAssembly.instantiate(parseWat(await readFile(new URL('scheme.wat', import.meta.url), 'utf8')), {
  host: { print: (n) => console.log(n), send: (n) => socket.write(String(n)) },
});

/** Waits for the first of the events; gives what it brings. */
function select(events) {
  const done = new AbortController();
  const waits = [];
  const timer = (ms) =>
    new Promise((resolve) => {
      const handle = setTimeout(resolve, ms, TIMER);
      done.signal.addEventListener('abort', () => clearTimeout(handle));
    });
  if (events & TIMER) waits.push(timer(0));
  if (events & LATE_TIMER) waits.push(timer(3_600_000));
  if (events & SOCKET) waits.push(once(socket, 'data', { signal: done.signal }).then(([data]) => Number(data)));
  for (const wait of waits) wait.catch(() => {}); // Those that are given up.
  return Promise.race(waits).finally(() => done.abort());
}

let step = new Continuation(instance.exports.main).resume();
while (!step.done) step = step.continuation.resume(await select(step.payload[0]));
console.log('returned', step.value);
try {
  new Continuation(instance.exports.misuse).resume();
} catch (error) {
  console.log(error.code);
}
socket.destroy();
server.close();
