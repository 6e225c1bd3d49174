// A server of one engine: `server.mjs ENGINE http|http2 DELAY OPEN [FILE]`. It prints JSON, a line for each thing that happens: `{ port }` first; `{ open, resident }`, bytes,
// once OPEN requests wait at one time (0 for never), which it lets go on then. `/live` says how many requests are under way, and the resident bytes. SIGTERM lets those that are
// under way end.
import { createServer } from 'node:http';
import { createServer as createServer2 } from 'node:http2';
import { ENGINES } from './engines.mjs';
import { find } from './store.mjs';

const [engine, protocol, delay, gathered, file] = process.argv.slice(2);
const answer = await ENGINES[engine].start(file);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

let open = 0;
let letGo;
const allAreOpen = new Promise((resolve) => {
  letGo = resolve;
});

/** Once as many requests wait as were asked for, all of them go on. */
function gather() {
  if (++open === Number(gathered)) {
    globalThis.gc?.();
    say({ open, resident: process.memoryUsage.rss() });
    letGo();
  }
  return allAreOpen;
}

/** A request, as the service has it. */
class Exchange {
  /** Called where the client goes away before it is answered. */
  onGone = () => {};
  #response;
  #closed = false;
  /** Ends the wait of `write`. */
  #goOn = () => {};
  #answered = false;
  /** Whether the first row is to come when all requests are open. */
  #gathers = Number(gathered) > 0;

  constructor(request, response) {
    this.path = request.url;
    this.#response = response;
    response.on('drain', () => this.#goOn());
    response.on('close', () => {
      this.#closed = true;
      this.#goOn();
      if (!this.#answered) this.onGone();
    });
  }

  async find(table, key) {
    if (this.#gathers) {
      this.#gathers = false;
      await gather();
    }
    return find(table, key, Number(delay));
  }

  write(part) {
    if (this.#closed || this.#response.write(part)) return undefined;
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  end() {
    this.#answered = true;
    if (!this.#closed) this.#response.end();
  }
}

let live = 0;
async function handle(request, response) {
  if (request.url === '/live') {
    response.end(`${live} ${process.memoryUsage.rss()}`);
    return;
  }
  live++;
  const exchange = new Exchange(request, response);
  try {
    await answer(exchange);
  } catch {
    (response.stream ?? response).destroy();
  } finally {
    live--;
  }
}

const server = (protocol === 'http2' ? createServer2 : createServer)(
  { ...(protocol === 'http2' && { settings: { maxConcurrentStreams: 1000 } }) },
  handle,
);
const sessions = new Set();
server.on('session', (session) => {
  sessions.add(session);
  session.on('close', () => sessions.delete(session));
});
process.on('SIGTERM', () => {
  server.close(() => process.exit());
  for (const session of sessions) session.close();
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => say({ port: server.address().port }));
