// The service of benchmarks/server, small: in C on Heddle and in JavaScript it gives the same pages, and what becomes of a stop and of cancelled streams is what the report says.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { buildWith, findTools } from '../../benchmarks/peers/build.mjs';
import { BEHAVIOUR } from '../../benchmarks/server/behaviour.mjs';
import { withServer } from '../../benchmarks/server/processes.mjs';
import { expectedPage } from '../../benchmarks/server/store.mjs';

const SOURCE = fileURLToPath(new URL('../../benchmarks/server/service.c', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'heddle-server-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const tools = findTools();
const hasClang = tools.clang.missing === undefined;
const built = hasClang ? buildWith(tools, 'plain', SOURCE, folder) : {};
const { file = '' } = built;

const text = async (port: number, path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

test('the page of a user has what arithmetic says', () => {
  // 3 of the first for 1.00, 4 of the second for 1.07, 5 for 1.14.
  expect(expectedPage(2)).toBe(
    '<!doctype html>\n<h1>Orders of Conway 2</h1>\n<table>\n<tr><td>3<td>lamp<td>3.00\n<tr><td>4<td>chair<td>4.28\n<tr><td>5<td>a &lt;b> tag<td>5.70\n</table>\n<p>Together 12.98\n',
  );
});

describe.runIf(hasClang)('the service in C on Heddle', () => {
  test('answers as the one in JavaScript does, also where many wait at once', async () => {
    const pages = await withServer(process.execPath, { engine: 'heddle', protocol: 'http', delay: 20, file }, (_, port) =>
      Promise.all(Array.from({ length: 60 }, (_, key) => text(port, `/orders/${key}`))),
    );
    expect(pages).toEqual(Array.from({ length: 60 }, (_, key) => expectedPage(key)));
  });

  test('writes a long answer in parts', async () => {
    const report = await withServer(process.execPath, { engine: 'heddle', protocol: 'http', file }, (_, port) => text(port, '/report'));
    expect(report.split('\n')).toHaveLength(100_001);
    expect(report.endsWith('\n99999 times 3 is 299997\n')).toBe(true);
  });

  test('answers what is under way when it is stopped', async () => {
    const stopped = BEHAVIOUR['stop the server'](process.execPath, { engine: 'heddle', protocol: 'http2', file });
    expect(await stopped).toBe('100 of 100 answered, ends with 0');
  });

  test('ends the calls of streams that are cancelled', async () => {
    const cancelled = BEHAVIOUR['cancel streams'](process.execPath, { engine: 'heddle', protocol: 'http2', file });
    expect(await cancelled).toBe('0 of 100 calls left');
  });
});
