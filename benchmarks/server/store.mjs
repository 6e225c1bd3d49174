// What the service asks for, and what it answers in JavaScript: rows of two tables by key, and the pages that are made of them.
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

const NAMES = ['Ada', 'Böhm & Jacopini', 'Conway', 'Dahl <Simula>', 'Edsger'];
const GOODS = ['pencil', 'paper & ink', 'lamp', 'chair', 'a <b> tag', 'rope', 'stone'];
const REPORT_ROWS = 100_000;

/** The rows of the tables by their number, as text; whole numbers below 1,000,000 are keys. */
const TABLES = [
  (key) => `${NAMES[key % NAMES.length]} ${key}`,
  (key) =>
    Array.from({ length: 1 + (key % 5) }, (_, i) => `${1 + ((key + i) % 9)} ${100 + 7 * i} ${GOODS[(key + i) % GOODS.length]}\n`).join(''),
];

/** A row of a table, after `delay` milliseconds; 0 is the next turn of the event loop. */
export async function find(table, key, delay) {
  await (delay === 0 ? turn() : sleep(delay));
  return TABLES[table](key);
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const price = (cents) => (cents / 100).toFixed(2);

/** The page of a user's orders, from the two rows. */
function page(user, rows) {
  let total = 0;
  let lines = '';
  for (const line of rows.trimEnd().split('\n')) {
    const [, count, cents, name] = /^(\d+) (\d+) (.*)$/.exec(line);
    lines += `<tr><td>${count}<td>${escaped(name)}<td>${price(count * cents)}\n`;
    total += count * cents;
  }
  return `<!doctype html>\n<h1>Orders of ${escaped(user)}</h1>\n<table>\n${lines}</table>\n<p>Together ${price(total)}\n`;
}

/** Answers a request: the same as service.c. */
export async function serve(exchange) {
  if (exchange.path.startsWith('/r')) {
    for (let i = 0; i < REPORT_ROWS; ) {
      let part = '';
      for (; i < REPORT_ROWS && part.length < 1984; i++) part += `${i} times 3 is ${3 * i}\n`;
      await exchange.write(part);
    }
    exchange.end();
    return;
  }
  const key = Number(/^\/orders\/(\d+)/.exec(exchange.path)?.[1] ?? 0);
  const user = await exchange.find(0, key);
  const rows = await exchange.find(1, key);
  await exchange.write(page(user, rows));
  exchange.end();
}

/** What `/orders/KEY` answers. */
export const expectedPage = (key) => page(TABLES[0](key), TABLES[1](key));
