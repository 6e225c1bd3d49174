// `node examples/http-server/server.mjs SOCKET COUNT`: an HTTP server whose requests are coroutines of one WebAssembly instance. It answers once COUNT
// requests are open, so that all of them are at one time; then it says how many were, and ends.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseWat, Scheduler, WebAssembly } from 'heddle';

const [socket, count] = [process.argv[2], Number(process.argv[3] ?? 1)];
const scheduler = new Scheduler();

/** A request, as its coroutine has it. */
class Exchange {
  #chunks;
  #chunk = Buffer.alloc(0);
  #at = 0;

  constructor(request, response) {
    this.#chunks = request[Symbol.asyncIterator]();
    this.response = response;
  }

  /** A byte that is here already comes at once; otherwise the coroutine waits. */
  read() {
    return this.#at < this.#chunk.length ? this.#chunk[this.#at++] : this.#more();
  }

  async #more() {
    const { done, value } = await this.#chunks.next();
    if (done) return -1;
    this.#chunk = value;
    this.#at = 0;
    return this.read();
  }
}

let open = 0;
let mostOpen = 0;
let answered = 0;
let letGo;
const allAreOpen = new Promise((resolve) => {
  letGo = resolve;
});

const { instance } = await WebAssembly.instantiate(parseWat(await readFile(new URL('server.wat', import.meta.url), 'utf8')), {
  http: {
    read: new WebAssembly.Suspending((exchange) => exchange.read()),
    pause: new WebAssembly.Suspending(() => {
      mostOpen = Math.max(mostOpen, ++open);
      if (open === count) letGo();
      return allAreOpen;
    }),
    respond(exchange, sum) {
      open--;
      exchange.response.end(`${sum}\n`, () => {
        if (++answered === count) server.close();
      });
    },
  },
});

const server = createServer((request, response) => {
  const task = scheduler.spawn(instance.exports.serve, [new Exchange(request, response)], { name: request.url });
  response.on('close', () => task.cancel());
  task.promise.catch(() => response.destroy());
});
server.on('close', () => console.log(`${mostOpen} were open at once; ${JSON.stringify(scheduler.statistics())}`));
server.listen({ path: socket, backlog: 1024 }, () => console.log('listening'));
