/**
 * Programs of real compilers (Kotlin with and without stack switching, TeaVM, MoonBit), by their own glue. They are no part of the repository: `../shared/gc`, or the folder
 * that HEDDLE_GC_PROGRAMS names, has them. Builds of one program print the same text; with HEDDLE_PEER_NODE, a Node 26, V8 is asked as well.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle } from '../../ts/api/index.js';
import { runProgram } from '../traps/child.js';

const folder = process.env['HEDDLE_GC_PROGRAMS'] ?? fileURLToPath(new URL('../../../shared/gc', import.meta.url));
const register = new URL('../../dist/register.mjs', import.meta.url).href;
const peer = process.env['HEDDLE_PEER_NODE'];

/** What a program prints. */
async function printed(path: string, env: Readonly<Record<string, string>> = {}, node?: string): Promise<string> {
  const start = node === undefined ? { flags: ['--import', register], env } : { node };
  const { status, output, errors } = await runProgram(pathToFileURL(join(folder, path)), start);
  expect({ status, errors }).toEqual({ status: 0, errors: '' });
  return output;
}

describe.skipIf(!existsSync(join(folder, 'kotlin')))('programs', () => {
  test.each([
    ['generators', 'gen', ['gen-exn', 'gen-ss']],
    ['coroutines', 'co', ['co-ss']],
  ])('Kotlin: %s', async (_what, machine, others) => {
    const text = await printed(`kotlin/${machine}/${machine}.mjs`);
    expect(text.split('\n').length).toBeGreaterThan(5);
    for (const other of others) {
      for (const compile of ['lazy', 'eager'])
        expect(await printed(`kotlin/${other}/${other}.mjs`, { HEDDLE_COMPILE: compile })).toBe(text);
    }
    if (peer !== undefined) expect(await printed(`kotlin/${machine}/${machine}.mjs`, {}, peer)).toBe(text);
  });

  test('TeaVM', async () => {
    const text = await printed('teavm/run.mjs');
    // 0 + 1 + … + 99, handed from one green thread to another.
    expect(text).toContain('handOver 4950');
    if (peer !== undefined) expect(await printed('teavm/run.mjs', {}, peer)).toBe(text);
  });

  test('MoonBit', () => {
    const module = new Heddle.Module(readFileSync(join(folder, 'moonbit/trees.wasm')), {
      builtins: ['js-string'],
      importedStringConstants: '_',
    });
    const { binary_trees } = new Heddle.Instance(module, { spectest: { print_char: () => undefined } }).exports as Record<
      string,
      (n: number) => number
    >;
    // The benchmark: a tree of a depth more, one that lives long, and of each other depth so many that they have as many nodes.
    const nodes = (depth: number): number => 2 ** (depth + 1) - 1;
    const depth = 10;
    let sum = nodes(depth + 1) + nodes(depth);
    for (let d = 4; d <= depth; d += 2) sum += 2 ** (depth - d + 4) * nodes(d);
    expect(binary_trees?.(depth)).toBe(sum);
  });
});
