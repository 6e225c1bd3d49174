// `node examples/http-server/client.mjs SOCKET COUNT`: opens COUNT requests at once, each with a body of its own in two parts, and checks the answers.
import { request } from 'node:http';

const [socketPath, count] = [process.argv[2], Number(process.argv[3] ?? 1)];

/** Sends a request; resolves to the answer. */
function ask(i) {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: `/${i}`, method: 'POST', agent: false }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve(Number(text)));
    });
    sent.on('error', reject);
    sent.write(Buffer.from([i & 0xff]));
    setImmediate(() => sent.end(Buffer.from([(i >> 8) & 0xff])));
  });
}

const asked = [];
for (let i = 0; i < count; i++) {
  asked.push(ask(i));
  // Not more at a time than a server's backlog takes.
  if (i % 256 === 255) await new Promise((resolve) => setTimeout(resolve, 20));
}
const answers = await Promise.all(asked);
const wrong = answers.filter((answer, i) => answer !== (i & 0xff) + ((i >> 8) & 0xff)).length;
console.log(`${answers.length} answers, ${wrong} wrong`);
