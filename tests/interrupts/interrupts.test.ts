import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { ENDLESS } from './programs.js';

const workerFile = fileURLToPath(new URL('./worker.mjs', import.meta.url));

function runChild(source: string): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}

describe.each(Object.entries(ENDLESS))('%s', (_name, text) => {
  test('worker.terminate() ends it', async () => {
    const worker = new Worker(workerFile, { workerData: { text } });
    await once(worker, 'message');
    // It never ends by itself: that this settles at all is the assertion.
    expect(await worker.terminate()).toBe(1);
  }, 20_000);

  test('process.exit() in the parent ends it', async () => {
    const { status, output } = await runChild(`
      import { Worker } from 'node:worker_threads';
      const worker = new Worker(${JSON.stringify(workerFile)}, { execArgv: [], workerData: { text: ${JSON.stringify(text)} } });
      worker.on('message', () => process.exit(7));
      worker.on('error', (e) => { console.error(e); process.exit(1); });
    `);
    expect(output).toBe('');
    expect(status).toBe(7);
  }, 20_000);
});
