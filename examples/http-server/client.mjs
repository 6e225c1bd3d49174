// `node examples/http-server/client.mjs SOCKET COUNT`: opens COUNT requests at once, each with a body of its own in two parts, and checks the answers.
import { request } from 'node:http';

const [socketPath, count] = [process.argv[2], Number(process.argv[3] ?? 1)];

/** Sends a request: promises of the server's leave to send the body, and of its answer. */
function ask(i) {
  const sent = request({ socketPath, path: `/${i}`, method: 'POST', agent: false, headers: { Expect: '100-continue' } });
  const taken = new Promise((resolve) => sent.once('continue', resolve));
  const answer = new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve(Number(text)));
    });
  });
  void taken.then(() => {
    sent.write(Buffer.from([i & 0xff]));
    setImmediate(() => sent.end(Buffer.from([(i >> 8) & 0xff])));
  });
  sent.flushHeaders();
  return { taken, answer };
}

const answers = [];
for (let i = 0; i < count; ) {
  // No more at a time than the server's backlog takes.
  const batch = [];
  while (i < count && batch.length < 200) batch.push(ask(i++));
  answers.push(...batch.map(({ answer }) => answer));
  await Promise.all(batch.map(({ taken }) => taken));
}
const given = await Promise.all(answers);
const wrong = given.filter((answer, i) => answer !== (i & 0xff) + ((i >> 8) & 0xff)).length;
console.log(`${given.length} answers, ${wrong} wrong`);
