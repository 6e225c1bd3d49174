// What a stop of the server, a stream that is cancelled and a client that does not read do, as a client sees it.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { withServer } from './processes.mjs';

const CALLS = 100;
/** More milliseconds than any of these may take. */
const LONG = 300;

async function textOf(stream) {
  let text = '';
  stream.setEncoding('utf8');
  for await (const part of stream) text += part;
  return text;
}

async function withClient(port, use) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  try {
    return await use(session);
  } finally {
    session.destroy();
  }
}

const get = (session, path) => {
  const stream = session.request({ ':path': path });
  stream.on('error', () => {});
  return stream;
};

/** How many requests are under way, and the resident bytes. */
async function live(session) {
  const [open, resident] = (await textOf(get(session, '/live'))).split(' ').map(Number);
  return { open, resident };
}

/** Waits until so many requests are under way. */
async function until(session, count) {
  while ((await live(session)).open !== count) await sleep(5);
}

/** A server that is stopped while requests wait: how many of them are answered, and how it ends. */
const stopped = (node, options) =>
  withServer(node, { ...options, delay: LONG }, (server, port) =>
    withClient(port, async (session) => {
      const answers = Array.from({ length: CALLS }, (_, key) => textOf(get(session, `/orders/${key}`)).catch(() => ''));
      await until(session, CALLS);
      server.stop();
      const answered = (await Promise.all(answers)).filter((text) => text.includes('Together')).length;
      return `${answered} of ${CALLS} answered, ends with ${await server.ended}`;
    }),
  );

/** Streams that are cancelled while the service waits for what does not come: how many calls are left. */
const cancelled = (node, options) =>
  withServer(node, { ...options, open: CALLS + 1 }, (_, port) =>
    withClient(port, async (session) => {
      const streams = Array.from({ length: CALLS }, (_, key) => get(session, `/orders/${key}`));
      await until(session, CALLS);
      for (const stream of streams) stream.close(8);
      await Promise.all(streams.map((stream) => stream.closed || once(stream, 'close')));
      await sleep(LONG);
      return `${(await live(session)).open} of ${CALLS} calls left`;
    }),
  );

/** Clients that ask for a long answer and do not read: megabytes that the server holds for each, and whether another is answered meanwhile. */
const slow = (node, options) =>
  withServer(node, options, (_, port) =>
    withClient(port, async (session) => {
      const before = await live(session);
      return withClient(port, async (other) => {
        for (let i = 0; i < CALLS; i++) get(other, '/report');
        await until(session, CALLS);
        await sleep(LONG);
        const { resident } = await live(session);
        const answered = (await textOf(get(session, '/orders/1'))).includes('Together');
        const held = (resident - before.resident) / CALLS / 1e6;
        return `${held.toFixed(2)} MB each held back, another is ${answered ? '' : 'not '}answered`;
      });
    }),
  );

/** By what happens: a line for an engine. */
export const BEHAVIOUR = { 'stop the server': stopped, 'cancel streams': cancelled, 'clients that do not read': slow };
