/** Compiling in worker threads, which only the built package has. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as ArtifactModule from '../../ts/compile/artifact.js';
import type * as CompileModule from '../../ts/compile/compile.js';
import type * as PoolModule from '../../ts/compile/pool.js';
import type * as SettingsModule from '../../ts/compile/settings.js';
import { parseWat } from '../../ts/source/bytes.js';

const built = <T>(path: string): Promise<T> => import(new URL(`../../dist/ts/compile/${path}.js`, import.meta.url).href);
const gofmt = readFileSync(new URL('../../node_modules/@wasm-fmt/gofmt/gofmt.wasm', import.meta.url));

let compile: typeof CompileModule;
let artifact: typeof ArtifactModule;
let pool: typeof PoolModule;
let settings: typeof SettingsModule;

beforeAll(async () => {
  compile = await built('compile');
  artifact = await built('artifact');
  pool = await built('pool');
  settings = await built('settings');
});
afterAll(() => pool.endWorkers());

const options = (workers: number, target: 'x64' | 'arm64' = 'x64'): CompileModule.CompileOptions => ({
  target,
  cpu: settings.baselineFeatures(target),
  workers,
  verify: false,
});

describe('worker threads', () => {
  test.each(['x64', 'arm64'] as const)('make the same artifact as one thread, however many there are (%s)', async (target) => {
    const bytes = async (workers: number): Promise<Buffer> =>
      Buffer.concat(artifact.serializeArtifact(await compile.compileModule(gofmt, options(workers, target))));
    const alone = await bytes(0);
    for (const workers of [1, 2, 3]) expect((await bytes(workers)).equals(alone), `${workers} workers`).toBe(true);
  });

  test('inline functions of other parts of the module', async () => {
    const callers = Array.from({ length: 60 }, (_, i) => `(func (result i32) ${'(call $yield)'.repeat(i % 7)} (i32.const ${i}))`);
    const text = `(module (type $f (func)) (type $k (cont $f)) (tag $t) (func $yield (suspend $t)) ${callers.join('\n')})`;
    const of = (workers: number): Promise<ArtifactModule.Artifact> => compile.compileModule(parseWat(text), options(workers));
    const alone = await of(0);
    const calls = callers.reduce((sum, _, i) => sum + (i % 7), 0);
    // A row for each place of a body that was inlined, and this one has one place.
    expect(alone.inlined.length).toBe(3 * calls);
    for (const workers of [1, 3]) expect(await of(workers)).toEqual(alone);
  });

  test('compile modules at the same time', async () => {
    const alone = Buffer.concat(artifact.serializeArtifact(compile.compileModuleSync(gofmt, options(0))));
    const all = await Promise.all([1, 2, 3].map(() => compile.compileModule(gofmt, options(2))));
    for (const one of all) expect(Buffer.concat(artifact.serializeArtifact(one)).equals(alone)).toBe(true);
  });

  test('report what is refused with its code and offset, and the next compile works', async () => {
    const bytes = parseWat(`(module (func) (func ${'(loop '.repeat(300)}${')'.repeat(300)}))`);
    const refusal = { name: 'CompileError', code: 'HEDDLE_LIMIT', offset: expect.any(Number) };
    await expect(compile.compileModule(bytes, options(2))).rejects.toMatchObject(refusal);
    await expect(compile.compileModule(bytes, options(0))).rejects.toMatchObject(refusal);
    const small = parseWat('(module (func (export "f") (result i32) (i32.const 1)))');
    expect((await compile.compileModule(small, options(2))).functions.length).toBe(6);
  });

  test('have nothing to do for a module without functions', async () => {
    expect((await compile.compileModule(parseWat('(module)'), options(2))).code.length).toBe(512);
  });

  test('that ended while idle are replaced', async () => {
    pool.warmWorkers(2);
    pool.endWorkers();
    expect((await compile.compileModule(gofmt, options(2))).functions.length).toBeGreaterThan(1500);
  });

  test('do not keep a process alive', async () => {
    const { execFileSync } = await import('node:child_process');
    const script = `const { compileModule } = await import(${JSON.stringify(new URL('../../dist/ts/compile/compile.js', import.meta.url).href)});
      const bytes = Buffer.from('0061736d01000000', 'hex');
      await compileModule(bytes, { target: 'x64', cpu: [], workers: 2 });
      console.log('done');`;
    const start = performance.now();
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('done\n');
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
