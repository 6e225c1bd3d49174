/**
 * The code generator on the program's own thread: an engine that knows nothing of the program's, entered from wherever the program compiles (docs/decisions/0022). Each case is a process of its
 * own, of the built package.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const child = new URL('own_engine_child.mjs', import.meta.url).pathname;
const SECONDS = 1000;
let folder: string;
let reference: string;
let isBuilt: boolean;

const environment = (env: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({ ...process.env, HEDDLE_CACHE: 'off', ...env });

// biome-ignore lint/suspicious/noExplicitAny: each case prints something else
function run(name: string, env: Readonly<Record<string, string>> = {}): any {
  const printed = execFileSync(process.execPath, [child, name], {
    encoding: 'utf8',
    env: environment(env),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(printed);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-engine-'));
  reference = run('code', { HEDDLE_CODEGEN: 'v8' }).code;
  isBuilt = run('code').own;
}, 60 * SECONDS);
afterAll(() => rmSync(folder, { recursive: true }));

describe('the code generator in an engine of its own', () => {
  test('makes the same bytes as when V8 runs it', ({ skip }) => {
    if (!isBuilt) skip('it was not built since the last change');
    expect(run('code')).toEqual({ code: reference, own: true });
    expect(run('large').code).toBe(run('large', { HEDDLE_CODEGEN: 'v8' }).code);
  });

  test('is not made where V8 is to run it', () => {
    expect(run('code', { HEDDLE_CODEGEN: 'v8' })).toEqual({ code: reference, own: false });
  });

  test('is entered from imports of calls that run, which go on', () => {
    // 10 → 1 + (0 → 1 + 10·11/2): each `run` adds one.
    expect(run('nested')).toEqual({ result: 57, trap: 'HEDDLE_TRAP_UNREACHABLE', again: 12, depths: [10, 4] });
  });

  test("knows no deadline of the program's calls", () => {
    expect(run('deadline')).toEqual({ same: true, ended: 'HEDDLE_TRAP_DEADLINE', after: 10 });
  });

  test("knows no options of the program's stacks", () => {
    expect(run('options')).toMatchObject({ code: reference, sum: 10, ...(isBuilt && { collections: 0 }) });
  });

  test("counts in none of the program's statistics", () => {
    expect(run('statistics')).toEqual({ entries: isBuilt });
  });

  test("knows nothing of what the environment says of the program's", ({ skip }) => {
    if (!isBuilt) skip('it was not built since the last change');
    const env = { HEDDLE_COLLECT: 'always', HEDDLE_HIBERNATE: 'always', HEDDLE_DEBUG_SNAPSHOT: '1', HEDDLE_DEBUG_STACKS: '1' };
    expect(run('environment', env)).toEqual({ code: reference, collections: 0, hibernations: 0, snapshotChecks: 0, sum: 10 });
  });

  test('panics with a typed error, and the next compile has a fresh instance', () => {
    expect(run('panic')).toEqual({ result: 11, seen: ['HEDDLE_INTERNAL', 'HEDDLE_INTERNAL', 'HEDDLE_INTERNAL'], same: true });
    expect(run('panicking')).toEqual({ ended: 'HEDDLE_INTERNAL', inside: [true, 'HEDDLE_INVALID_TEXT'], same: true });
  });

  test('is left by process.exit in the middle', () => {
    const { status, signal } = spawnSync(process.execPath, [child, 'exit'], { env: environment({}) });
    expect({ status, signal }).toEqual({ status: 7, signal: null });
  });

  test('compiles after a compile that was ended by a time limit of node:vm', () => {
    const timeout = 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    expect(run('timeout')).toEqual({ ended: [timeout, timeout, timeout], result: 11, same: true });
  });

  test("is refused at the end of the thread's own stack, and nowhere else", () => {
    expect(run('depth')).toEqual({ first: 42, inside: 43, failed: true });
  });

  test('ends with its worker in the middle of a compile', () => {
    expect(run('terminate')).toEqual({ exits: [1, 1, 1], same: true });
  });

  test('is one for each thread', () => {
    const each = { code: reference, own: isBuilt };
    expect(run('threads')).toEqual({ a: each, b: each, here: each });
  });

  test('is not made where another thread compiles because built-in objects were changed', () => {
    expect(run('changed')).toEqual({ sum: 10, made: false });
  });

  test('is not made for modules that the cache has', () => {
    const env = { HEDDLE_CACHE: join(folder, 'cache') };
    expect(run('cached', env)).toEqual({ made: isBuilt });
    expect(run('cached', env)).toEqual({ made: false });
  });
});
