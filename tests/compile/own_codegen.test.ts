/** The code generator compiled by itself makes what it makes when V8 runs it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const gofmt = join(root, 'node_modules/@wasm-fmt/gofmt/gofmt.wasm');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-own-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function heddle(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync(process.execPath, [join(root, 'bin/heddle.cjs'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, HEDDLE_CACHE: 'off', XDG_STATE_HOME: folder, ...env },
  });
}

const use = (env: Readonly<Record<string, string>> = {}): string => /^code generator +(.*)$/m.exec(heddle(['doctor'], env))?.[1] ?? '';

describe('the code generator compiled by itself', () => {
  test('is what is run, where it was built', ({ skip }) => {
    const found = use();
    if (found.includes('npm run build')) skip(`it was not built since the last change: ${found}`);
    expect(found).toBe("Heddle's own code");
  });

  test('is not used where the environment says so', () => {
    expect(use({ HEDDLE_CODEGEN: 'v8' })).toBe('run by V8: HEDDLE_CODEGEN=v8');
  });

  test('is the same for every setting of how modules are compiled', () => {
    const found = use();
    for (const setting of [{ HEDDLE_CPU: '' }, { HEDDLE_DEBUG_STORES: '1' }, { HEDDLE_INLINE: '0' }, { HEDDLE_VERIFY: '1' }]) {
      expect([setting, use(setting)]).toEqual([setting, found]);
    }
  });

  test('makes the same bytes as when V8 runs it', () => {
    const compile = (name: string, env: Readonly<Record<string, string>>): Buffer => {
      const out = join(folder, name);
      heddle(['compile', gofmt, '-o', out], env);
      return readFileSync(out);
    };
    expect(compile('own', {}).equals(compile('v8', { HEDDLE_CODEGEN: 'v8' }))).toBe(true);
  });
});
