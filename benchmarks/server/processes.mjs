// Servers in processes of their own, and what a load of requests does to them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));
/** Users whose orders are asked for, in turn. */
const KEYS = 100;
const TICKS_A_SECOND = 100;

/** A server that listens. */
class Server {
  #process;
  #lines = [];
  #waiting = [];

  constructor(node, args) {
    this.#process = spawn(node, ['--expose-gc', SERVER, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const taker = this.#waiting.shift();
      if (taker === undefined) this.#lines.push(JSON.parse(line));
      else taker(JSON.parse(line));
    });
    this.ended = once(this.#process, 'exit').then(([code, signal]) => signal ?? code);
  }

  /** The next thing that it says; undefined where it has ended instead. */
  next() {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift());
    return Promise.race([new Promise((resolve) => this.#waiting.push(resolve)), this.ended.then(() => undefined)]);
  }

  /** Seconds of processor time. */
  get processor() {
    const fields = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  }

  /** Resident bytes. */
  get resident() {
    return 1024 * Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${this.#process.pid}/status`, 'utf8'))[1]);
  }

  stop(signal = 'SIGTERM') {
    this.#process.kill(signal);
  }
}

/** Starts a server of an engine (engines.mjs), does something with it, and ends it. `use` gets it and the port. */
export async function withServer(node, { engine, protocol, delay = 0, open = 0, file = '' }, use) {
  const server = new Server(node, [engine, protocol, delay, open, file]);
  try {
    const first = await server.next();
    if (first === undefined) throw new Error(`the server ended with ${await server.ended}`);
    return await use(server, first.port);
  } finally {
    server.stop('SIGKILL');
    await server.ended;
  }
}

/** The line that says why there is no h2load; undefined where there is one. */
export function missingLoad() {
  return spawnSync('h2load', ['--version']).status === 0 ? undefined : 'h2load is missing: apt-get install nghttp2-client';
}

/** Sends `requests` requests by `clients` connections, `streams` at once on each: `{ rate, times }`, requests a second, and each one's microseconds in order. Throws where one failed. */
export async function load(protocol, port, { requests, clients, streams }) {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-server-'));
  try {
    const log = join(folder, 'log');
    const uris = join(folder, 'uris');
    writeFileSync(uris, Array.from({ length: KEYS }, (_, key) => `http://127.0.0.1:${port}/orders/${key}\n`).join(''));
    const kind = protocol === 'http' ? ['--h1'] : ['-p', 'h2c', '-m', streams];
    const child = spawn('h2load', [...kind, '-n', requests, '-c', clients, '-i', uris, `--log-file=${log}`].map(String), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
    });
    await once(child, 'close');
    const rate = Number(/finished in .*?, ([\d.]+) req\/s/.exec(text)?.[1]);
    const succeeded = Number(/(\d+) succeeded/.exec(text)?.[1]);
    const answered = Number(/status codes: (\d+) 2xx/.exec(text)?.[1]);
    if (succeeded !== requests || answered !== requests) throw new Error(`${answered} of ${requests} requests were answered`);
    const times = readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.split('\t')[2]));
    return { rate, times: times.sort((a, b) => a - b) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
