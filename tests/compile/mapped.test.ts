// Cached code is run where its file lies: the same as code that was copied, whatever becomes of the file.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Instance, moduleOfArtifact } from '../../ts/api/web_assembly.js';
import type { Artifact } from '../../ts/compile/artifact.js';
import { CACHE_LIMIT, Cache } from '../../ts/compile/cache.js';
import { type CompileOptions, compileModuleSync } from '../../ts/compile/compile.js';
import type { FileAccess } from '../../ts/compile/entry.js';
import { usableFeatures } from '../../ts/instance/compiling.js';
import { addon } from '../../ts/link/addon.js';
import { parseWat } from '../../ts/source/bytes.js';

/** Enough that the code is worth mapping. */
const COUNT = 3000;
const functions = Array.from(
  { length: COUNT },
  (_, i) => `(func (export "f${i}") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then unreachable))
    (i32.add (i32.mul (local.get 0) (i32.const ${i})) (i32.const ${i * 7})))`,
);
const bytes = parseWat(`(module ${functions.join('\n')}
  (tag $t)
  (func (export "caught") (result i32) (block $h (try_table (catch $t $h) (throw $t))) (i32.const 5)))`);

let folder = '';
const options = (access: FileAccess | undefined): CompileOptions => ({
  target: addon().arch,
  cpu: usableFeatures(addon()),
  workers: 0,
  ...(access !== undefined && { cache: new Cache({ folder }, CACHE_LIMIT, access) }),
});
const entry = (): string => join(folder, readdirSync(folder)[0] ?? '');
const run = (artifact: Artifact): Record<string, (x: number) => number> => new Instance(moduleOfArtifact(bytes, artifact)).exports;
/** The lines of this process's memory map that name the entry. */
const maps = (): string[] =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder));

/** Some of what the functions give, and where they trap. */
function results(exports: Record<string, (x: number) => number>): unknown[] {
  const all: unknown[] = [exports['caught']?.(0)];
  for (let i = 0; i < COUNT; i += 197) {
    all.push(exports[`f${i}`]?.(3));
    try {
      exports[`f${i}`]?.(0);
    } catch (error) {
      all.push(error instanceof Error && `${error.message} ${(error as { code?: string }).code} ${error.stack?.split('\n').length}`);
    }
  }
  return all;
}

let copied: unknown[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-mapped-'));
  copied = results(run(compileModuleSync(bytes, options(undefined))));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a module of the cache', () => {
  test('computes what it says', () => expect(copied.slice(0, 2)).toEqual([5, 0]));

  test('is run in the file by who has just compiled it, and by who finds it', () => {
    for (let i = 0; i < 2; i++) {
      const exports = run(compileModuleSync(bytes, options(addon())));
      expect(results(exports)).toEqual(copied);
      expect(maps().some((line) => line.includes(' r-xp '))).toBe(true);
    }
  });

  test('is never writable and executable, and writable in no part of the file', () => {
    const exports = run(compileModuleSync(bytes, options(addon())));
    expect(maps().filter((line) => / .w.. /.test(line))).toEqual([]);
    expect(results(exports)).toEqual(copied);
  });

  test('gives the same where the file system lets nobody map it', () => {
    const access: FileAccess = { mapFile: () => undefined, readEntry: () => false, sumFile: (...range) => addon().sumFile(...range) };
    expect(results(run(compileModuleSync(bytes, options(access))))).toEqual(copied);
  });

  test('goes on when its file is replaced and removed', () => {
    const exports = run(compileModuleSync(bytes, options(addon())));
    const path = entry();
    const whole = readFileSync(path);
    rmSync(path);
    writeFileSync(path, whole, { mode: 0o600 });
    expect(results(exports)).toEqual(copied);
    rmSync(path);
    expect(results(exports)).toEqual(copied);
    compileModuleSync(bytes, options(addon()));
  });

  test('with a flipped bit of its code is compiled anew by a process that starts', () => {
    const path = entry();
    const good = readFileSync(path);
    const bad = Buffer.from(good);
    // The code is the last section.
    bad[bad.length - 100] = (bad[bad.length - 100] ?? 0) ^ 4;
    writeFileSync(path, bad);
    const before = statSync(path).ino;
    const script = `
      const { compileModuleSync } = await import(${JSON.stringify(join(import.meta.dirname, '../../ts/compile/compile.ts'))});
      const { Cache, CACHE_LIMIT } = await import(${JSON.stringify(join(import.meta.dirname, '../../ts/compile/cache.ts'))});
      const { addon } = await import(${JSON.stringify(join(import.meta.dirname, '../../ts/link/addon.ts'))});
      const { readFileSync } = await import('node:fs');
      const options = ${JSON.stringify(options(undefined))};
      compileModuleSync(readFileSync(process.argv[1]), { ...options, cache: new Cache({ folder: process.argv[2] }, CACHE_LIMIT, addon()) });`;
    const module = join(folder, 'module.wasm');
    writeFileSync(module, bytes);
    execFileSync(process.execPath, ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script, module, folder]);
    rmSync(module);
    expect(statSync(path).ino).not.toBe(before);
    expect(readFileSync(path).equals(good)).toBe(true);
  });
});
