/**
 * The examples do what they say.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProgram, withFolder } from '../traps/child.js';

const example = (path: string): URL => new URL(`../../examples/${path}`, import.meta.url);

/** A program that runs: its output so far, and its end. */
interface Running {
  readonly output: () => string;
  readonly said: (text: string) => Promise<void>;
  readonly ended: Promise<unknown>;
  readonly kill: () => boolean;
}

function start(path: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [fileURLToPath(example(path)), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  const said = async (text: string): Promise<void> => {
    while (!output.includes(text)) await once(child.stdout, 'data');
  };
  return { output: () => output, said, ended: once(child, 'close'), kill: () => child.kill('SIGKILL') };
}

test('scheme-select: pauses of direct, indirect and tail calls, a select, one-shot continuations', async () => {
  // ask(20) and ask(21) come back doubled; three pauses of 300,000 tail calls, then their result; the root of 49; 22 doubled.
  const output = '40\n42\n1001\n1001\n1001\n0\n7\nreturned 44\nHEDDLE_TRAP_CONTINUATION_CONSUMED\n';
  expect(await runProgram(example('scheme-select/host.mjs'))).toEqual({ status: 0, signal: null, output, errors: '' });
});

test('fibers in C: two trees are walked in turns', async () => {
  const heddle = new URL('../../bin/heddle.cjs', import.meta.url);
  const output = 'the same\ndifferent\n';
  expect(await runProgram(heddle, { args: ['run', fileURLToPath(example('fibers/same_fringe.wasm'))] })).toEqual({
    status: 0,
    signal: null,
    output,
    errors: '',
  });
});

test('http-server: 10,000 requests are open at once, each a coroutine', async () => {
  const count = 10_000;
  await withFolder(async (folder) => {
    const socket = join(folder, 'http');
    const server = start('http-server/server.mjs', [socket, String(count)]);
    try {
      await server.said('listening');
      const client = await runProgram(example('http-server/client.mjs'), { args: [socket, String(count)] });
      expect(client).toEqual({ status: 0, signal: null, output: `${count} answers, 0 wrong\n`, errors: '' });
      await server.ended;
    } finally {
      server.kill();
    }
    expect(server.output()).toContain(`${count} were open at once`);
    expect(server.output()).toContain(`"completed":${count},"failed":0,"cancelled":0`);
  });
}, 120_000);

test('the example of docs/cpp.md is the one that is built and run', () => {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  expect(read('docs/cpp.md')).toContain(`\`\`\`cpp\n${read('native/examples/words.cc')}\`\`\``);
});
