/** JavaScript's built-in objects, patched: what runs is the same, and what is compiled is the same code or an error (docs/decisions/0021). */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { problemsOf } from '../../scripts/check_intrinsics.mjs';
import { parseWat, WebAssembly } from '../../ts/index.js';
import { resultOf, runProgram } from '../traps/child.js';

const folders: string[] = [];
/** A folder that is gone afterwards. */
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'heddle-intrinsics-'));
  folders.push(made);
  return made;
}
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

const program = (name: string): URL => new URL(`programs/${name}.mjs`, import.meta.url);

const PARTS = 6;
describe('each built-in object, patched in turn', () => {
  it.each(Array.from({ length: PARTS }, (_, part) => part))(
    'changes nothing, part %i',
    async (part) => {
      const ended = await runProgram(program('patched'), {
        args: [`${part}`, `${PARTS}`],
        env: { HEDDLE_CACHE: folder(), HEDDLE_COMPILE: 'eager' },
      });
      const [last] = ended.errors.trimEnd().split('\n').slice(-1);
      expect(ended.output, `the last patch: ${last}`).toMatch(/^\d{3,} patches, 0 differences, \d+ errors of compiling\n$/);
      expect(ended.status).toBe(0);
    },
    120_000,
  );
});

it('memories whose JavaScript lies are those of WebAssembly all the same, and fakes are none', async () => {
  const found = await resultOf<Record<string, unknown>>(program('memories'));
  const written = Object.entries(found).filter(([, value]) => Array.isArray(value));
  expect(written).toHaveLength(28);
  // 60,000 bytes filled and 100 copied; grown from one page to three, and no further than the maximum.
  for (const [name, value] of written) expect(value, name).toEqual([60_100, 1, -1, 3]);
  expect(found['others']).toBe(0);
  for (const name of ['an object', 'the prototype alone', 'the prototype, and a buffer', 'a proxy', 'what comes from a mapped memory']) {
    expect([found[name], found[`${name}, to the addon`]], name).toEqual(['LinkError', 'TypeError']);
  }
});

it('what a collection frees is told apart from what lives, whatever the prototypes have at the indices', async () => {
  const found = await resultOf<number[][]>(program('freed'), { flags: ['--expose-gc'] });
  expect(found).toEqual([
    [7, 8, 200, 220],
    [7, 8, 200, 220],
    [7, 8, 200, 220],
  ]);
});

it('what changes while worker threads compile makes no other code', async () => {
  const found = await resultOf<Record<string, unknown>>(program('changes'), { env: { HEDDLE_CACHE: folder(), HEDDLE_COMPILE: 'eager' } });
  expect(found).toEqual({
    size: true,
    ...Object.fromEntries(
      [0, 1, 5, 20].flatMap((turns) => [
        [`after ${turns} turns`, 42],
        [`the same after ${turns} turns`, true],
      ]),
    ),
  });
}, 60_000);

it('another thread compiles, parses and validates, and its errors are the same', () => {
  const { prototype } = Object;
  const bytes = parseWat('(module (func (export "f") (result i32) (i32.const 42)))');
  const faulty = bytes.map((byte) => (byte === 42 ? 0x80 : byte));
  const outcomes = (): unknown[] =>
    [
      () => parseWat('(module (func (export "f") (result i32) (i32.const 42)))'),
      () => parseWat('(module (fun))'),
      () => new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports['f'](),
      () => new WebAssembly.Module(faulty),
      () => [WebAssembly.validate(bytes), WebAssembly.validate(faulty)],
    ].map((act) => {
      try {
        return act();
      } catch (error) {
        const { name, message, code, offset } = error as Error & { readonly code: string; readonly offset?: number };
        return [name, message, code, offset, error instanceof WebAssembly.CompileError];
      }
    });
  const expected = outcomes();
  expect(expected[2]).toBe(42);
  expect(expected[3]).toMatchObject(['CompileError', expect.any(String), 'HEDDLE_INVALID_MODULE', expect.any(Number), true]);
  Object.defineProperty(prototype, 'added', { value: 1, configurable: true });
  let found: unknown[];
  try {
    found = outcomes();
  } finally {
    Reflect.deleteProperty(prototype, 'added');
  }
  expect(found).toEqual(expected);
});

describe('the check of the sources', () => {
  const root = folder();
  mkdirSync(join(root, 'ts/instance'), { recursive: true });
  symlinkSync(join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'node_modules'), join(root, 'node_modules'));
  writeFileSync(
    join(root, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        lib: ['ES2023', 'DOM'],
        module: 'NodeNext',
        moduleResolution: 'NodeNext',
        types: ['node'],
        strict: true,
      },
      include: ['ts/**/*.ts'],
    }),
  );
  const REFUSED = [
    'list.map((x) => x);',
    'list.push(1);',
    'for (const x of list) text = `${x}`;',
    'const [first] = list; text = `${first}`;',
    'text = `${[...list]}`;',
    'Math.max(...list);',
    'text = `${words.length}`;',
    'const { buffer } = words; text = `${buffer}`;',
    'words = words.subarray(1);',
    'text = `${Number(text)}`;',
    'text = `${new Map()}`;',
    'text = JSON.stringify(list);',
    'if (given instanceof Error) text = `${given}`;',
    'text = `${/x/.test(text)}`;',
    'text = given.buffer === undefined ? `` : text;',
    'text = readFileSync(text, `utf8`);',
    'Object.defineProperty(list, `x`, { value: 1 });',
    'list[0] = 1;',
    'list[0] += 1;',
  ];
  const TAKEN = [
    'text = `${list.length} ${text.length} ${list[0]} ${words[0]}`;',
    'list.map((x) => x); // asks: a test',
    'words[0] = 1;',
    'if (given instanceof Own) text = ``;',
  ];
  const lines = [...REFUSED, ...TAKEN];
  writeFileSync(
    join(root, 'ts/instance/file.ts'),
    [
      "import { readFileSync } from 'node:fs';",
      'class Own {}',
      'const loaded = [1].map((x) => Math.abs(x)).length + new Map().size;',
      ...lines.map((line, i) =>
        `export function f${i}(list: number[], words: Uint32Array, text: string, given: WebAssembly.Memory): unknown { ${line.replace(/\/\/.*/, '')} return [list, words, text, given, loaded, Own, readFileSync.name]; } ${/\/\/.*/.exec(line)?.[0] ?? ''}`.replace(
          ', readFileSync.name',
          '',
        ),
      ),
    ].join('\n'),
  );
  const problems = problemsOf(root);
  const faulty = new Set(problems.map((problem) => Number(/:(\d+):/.exec(problem)?.[1]) - 4));

  it.each(REFUSED.map((line, i) => [line, i] as const))('refuses %s', (_, i) => {
    expect(faulty.has(i)).toBe(true);
  });
  it.each(TAKEN.map((line, i) => [line, i + REFUSED.length] as const))('takes %s', (_, i) => {
    expect(faulty.has(i)).toBe(false);
  });
});
