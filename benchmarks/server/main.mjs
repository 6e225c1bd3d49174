// A small service in blocking style on four engines, under load: `npm run bench:server [-- --requests 20000 --clients 20 --streams 10 --delay 0 --open 10000 --trials 3 --engines heddle,jspi]`.
// All servers run in one Node: the Node 26 of `bench:peers`, where there is one, since only that has V8's promise integration.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosen, header, median, number, peerNode, table } from '../harness.mjs';
import { buildWith, findTools } from '../peers/build.mjs';
import { BEHAVIOUR } from './behaviour.mjs';
import { ENGINES } from './engines.mjs';
import { load, missingLoad, withServer } from './processes.mjs';

const PROTOCOLS = ['http', 'http2'];
const SOURCE = fileURLToPath(new URL('service.c', import.meta.url));
const requests = number('requests', 20_000, 1);
const clients = number('clients', 20, 1);
const streams = number('streams', 10, 1);
const delay = number('delay', 0, 0);
const open = number('open', 10_000, 1);
const trials = number('trials', 3, 1);

/** What runs each engine: `{ engine, title, node, file }`, or `{ missing }` with why there is none. */
function prepare(asked, node, folder) {
  const tools = findTools();
  return asked.map((engine) => {
    const { title, build, needs } = ENGINES[engine];
    if (needs !== undefined && node.major < needs)
      return { title, missing: `Node ${node.version} has no promise integration: npm run bench:peers -- --install` };
    const { file, missing } = build === undefined ? { file: '' } : buildWith(tools, build, SOURCE, folder);
    return { engine, title, node: node.path, file, missing };
  });
}

const at = (times, part) => (times[Math.min(times.length - 1, Math.floor(times.length * part))] / 1000).toFixed(2);

async function measureLoad(engines, protocol) {
  const results = engines.map(() => []);
  for (let trial = 0; trial < trials; trial++) {
    for (const [k, { engine, node, file }] of engines.entries()) {
      await withServer(node, { engine, protocol, delay, file }, async (server, port) => {
        // V8 warms up.
        await load(protocol, port, { requests: Math.ceil(requests / 4), clients, streams });
        const before = server.processor;
        const { rate, times } = await load(protocol, port, { requests, clients, streams });
        results[k].push({ rate, times, processor: (1e6 * (server.processor - before)) / requests, resident: server.resident / 1e6 });
      });
    }
  }
  const rows = engines.map(({ title }, k) => {
    const runs = results[k].sort((a, b) => a.rate - b.rate);
    const { times } = runs[runs.length >> 1];
    const middle = (name) => median(runs.map((run) => run[name])).toFixed(0);
    return [title, middle('rate'), middle('processor'), at(times, 0.5), at(times, 0.99), at(times, 0.999), middle('resident')];
  });
  table([protocol, 'requests a second', 'us of processor each', '50% ms', '99% ms', '99.9% ms', 'resident MB'], rows);
}

async function measureOpen(engines) {
  const rows = [];
  for (const { engine, title, node, file } of engines) {
    rows.push(
      await withServer(node, { engine, protocol: 'http2', open, file }, async (server, port) => {
        const before = server.resident;
        const loading = load('http2', port, { requests: open, clients: Math.ceil(open / 100), streams: 100 });
        const found = await server.next();
        await loading;
        return [title, (found.resident / 1e6).toFixed(0), ((found.resident - before) / open).toFixed(0)];
      }),
    );
  }
  table([`${open} streams open`, 'resident MB', 'bytes each'], rows);
}

async function describe(engines) {
  const columns = Object.entries(BEHAVIOUR);
  const rows = [];
  for (const { engine, title, node, file } of engines) {
    const row = [title];
    for (const [, find] of columns) row.push(await find(node, { engine, protocol: 'http2', file }));
    rows.push(row);
  }
  table(['', ...columns.map(([name]) => name)], rows);
}

async function main() {
  const lacking = missingLoad();
  if (lacking !== undefined) throw new Error(lacking);
  const peer = peerNode() ?? { path: process.execPath, version: process.version };
  const node = { ...peer, major: Number(/^v(\d+)/.exec(peer.version)[1]) };
  const folder = mkdtempSync(join(tmpdir(), 'heddle-server-'));
  // As it is where a server is started again: only the first one compiles.
  process.env.HEDDLE_CACHE = folder;
  try {
    const engines = prepare(chosen('engines', Object.keys(ENGINES)), node, folder);
    const there = engines.filter(({ missing }) => missing === undefined);
    header(
      `a service that waits twice (${delay} ms each): ${trials} trials of ${requests} requests, ${clients} connections, with http2 ${streams} streams on each; servers in Node ${node.version}`,
    );
    for (const { title, missing } of engines) if (missing !== undefined) console.log(`${title}: ${missing}`);
    for (const protocol of PROTOCOLS) {
      await measureLoad(there, protocol);
      console.log();
    }
    await measureOpen(there);
    console.log();
    await describe(there);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
