import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseWat } from '../source/bytes.js';
import { FEATURE_BITS } from '../validate/validate.js';
import { type Artifact, artifactFile, deserializeArtifact, isArtifactFile, readArtifactFile, serializeArtifact } from './artifact.js';
import { Cache } from './cache.js';
import { type CompileOptions, compileModule, compileModuleSync } from './compile.js';
import { isSealed, pack } from './container.js';
import { artifactKey, baselineFeatures, compilerArguments, compileSettings, keyHash } from './settings.js';

const EXAMPLES = ['odds', 'generator'].map((name) => readFileSync(new URL(`../../examples/${name}.wat`, import.meta.url), 'utf8'));
const options: CompileOptions = { target: 'x64', cpu: baselineFeatures('x64'), verify: true };
const wat = (text: string): Uint8Array => parseWat(text);

/** One buffer at a multiple of 16, as a file that was read. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const code = (error: unknown): unknown => (error instanceof Error ? Reflect.get(error, 'code') : undefined);
function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('an artifact', () => {
  test.each(['x64', 'arm64'] as const)('has code for %s after the stubs, every table sorted', (target) => {
    for (const text of EXAMPLES) {
      const {
        functions,
        offsets,
        traps,
        sources,
        code: machine,
      } = compileModuleSync(wat(text), { target, cpu: baselineFeatures(target), verify: true });
      expect(functions[1]).toBe(512);
      for (let i = 0; i < functions.length; i += 3) {
        expect((functions[i + 1] ?? 1) % 32).toBe(0);
        expect(offsets[functions[i] ?? -1]).toBe(functions[i + 1]);
        expect((functions[i + 1] ?? 0) + (functions[i + 2] ?? 0)).toBeLessThanOrEqual(machine.length);
      }
      for (const [table, width] of [
        [functions, 3],
        [traps, 2],
        [sources, 2],
      ] as const) {
        const at = table === functions ? 1 : 0;
        const starts = Array.from({ length: table.length / width }, (_, i) => table[i * width + at] ?? 0);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
      }
    }
  });

  test('is the same each time, and when compiled asynchronously', async () => {
    const bytes = wat(EXAMPLES[0] ?? '');
    const first = joined(serializeArtifact(compileModuleSync(bytes, options)));
    expect(joined(serializeArtifact(compileModuleSync(bytes, options)))).toEqual(first);
    expect(joined(serializeArtifact(await compileModule(bytes, options)))).toEqual(first);
  });

  test('survives being written and read', () => {
    for (const text of EXAMPLES) {
      const bytes = wat(text);
      const artifact = compileModuleSync(bytes, options);
      expect(deserializeArtifact(joined(serializeArtifact(artifact)))).toEqual(artifact);
      const { module, ...rest } = readArtifactFile(joined(artifactFile(artifact, bytes)));
      expect(rest).toEqual(artifact);
      expect(module).toEqual(bytes);
    }
  });

  test('of an empty module has nothing but room for the stubs', () => {
    const artifact = compileModuleSync(wat('(module)'), options);
    expect(artifact.code.length).toBe(512);
    expect(deserializeArtifact(joined(serializeArtifact(artifact)))).toEqual(artifact);
  });
});

describe('an artifact file', () => {
  let file: Uint8Array;
  beforeAll(() => {
    const bytes = wat(EXAMPLES[1] ?? '');
    file = joined(artifactFile(compileModuleSync(bytes, options), bytes));
  });

  test('is known by its beginning', () => {
    expect(isArtifactFile(file)).toBe(true);
    expect(isArtifactFile(wat('(module)'))).toBe(false);
    expect(isArtifactFile(new Uint8Array(0))).toBe(false);
  });

  test('that is cut or changed anywhere is refused with a code', () => {
    for (let length = 0; length < file.length; length += 97) {
      expect(code(thrown(() => readArtifactFile(file.slice(0, length))))).toBe('HEDDLE_BAD_ARTIFACT');
    }
    for (let at = 0; at < file.length; at += 61) {
      if (at >= 80 && at < 128) continue;
      const changed = file.slice();
      changed[at] = (changed[at] ?? 0) ^ 4;
      expect(code(thrown(() => readArtifactFile(changed))), `byte ${at}`).toBe('HEDDLE_BAD_ARTIFACT');
    }
  });

  test('whose hash is right, but not what it holds, is refused', () => {
    const bytes = wat('(module)');
    const artifact = compileModuleSync(bytes, options);
    const whole = joined(serializeArtifact(artifact, bytes));
    const json = (text: string): Uint8Array => joined([new Uint8Array(Uint32Array.of(text.length).buffer), Buffer.from(text)]);
    const payloads = [
      new Uint8Array(0),
      whole.subarray(0, 3),
      whole.subarray(0, 64),
      json('{}'),
      json('null'),
      json('{"key":{"format":3}}'),
    ];
    for (const payload of payloads) {
      const packed = joined(pack(keyHash(artifact.key), [payload]));
      expect(code(thrown(() => readArtifactFile(packed)))).toBe('HEDDLE_BAD_ARTIFACT');
    }
    // Another module's key.
    const renamed = joined(pack(keyHash({ ...artifact.key, module: '00' }), [whole]));
    expect(code(thrown(() => readArtifactFile(renamed)))).toBe('HEDDLE_BAD_ARTIFACT');
    expect(readArtifactFile(joined(pack(keyHash(artifact.key), [whole]))).module).toEqual(bytes);
  });

  test('sealed with a secret is known by it, and by every byte of its header', () => {
    const [mine, theirs] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const bytes = wat('(module)');
    const file = joined(artifactFile(compileModuleSync(bytes, options), bytes, mine));
    expect([isSealed(file, mine), isSealed(file, theirs)]).toEqual([true, false]);
    expect(isSealed(joined(artifactFile(compileModuleSync(bytes, options), bytes)), mine)).toBe(false);
    for (let at = 0; at < 112; at++) {
      const changed = file.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect([at, isSealed(changed, mine)]).toEqual([at, false]);
    }
    for (const length of [0, 8, 80, 111, 127]) expect(isSealed(file.subarray(0, length), mine)).toBe(false);
  });

  test('without the module in it is refused', () => {
    const bytes = wat('(module)');
    const artifact = compileModuleSync(bytes, options);
    expect(code(thrown(() => readArtifactFile(joined(artifactFile(artifact, new Uint8Array(0))))))).toBe('HEDDLE_BAD_ARTIFACT');
  });
});

describe('the key', () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const settings = compileSettings('x64', ['has_sse41', 'has_avx']);
  const hash = (other: Parameters<typeof artifactKey>): string => keyHash(artifactKey(...other)).toString('hex');

  test('changes with everything that decides the code', () => {
    const keys = [
      hash([bytes, settings]),
      hash([Uint8Array.of(1, 2, 4), settings]),
      hash([bytes, compileSettings('arm64', ['has_sse41', 'has_avx'])]),
      hash([bytes, compileSettings('x64', ['has_sse41'])]),
      hash([bytes, { ...settings, checked: true }]),
      hash([bytes, { ...settings, interruptible: false }]),
      hash([bytes, { ...settings, features: 7 }]),
      keyHash({ ...artifactKey(bytes, settings), build: 'other' }).toString('hex'),
      keyHash({ ...artifactKey(bytes, settings), contract: 'other' }).toString('hex'),
      keyHash({ ...artifactKey(bytes, settings), version: 'other' }).toString('hex'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('does not change with the order of CPU features', () => {
    expect(hash([bytes, compileSettings('x64', ['has_avx', 'has_sse41'])])).toBe(hash([bytes, settings]));
  });

  test('settings reach the code generator', () => {
    expect(compilerArguments({ ...settings, verify: true })).toEqual({
      triple: 'x86_64-unknown-linux-gnu',
      settings: 'enable_verifier=true,has_avx,has_sse41',
    });
    expect(compilerArguments({ ...compileSettings('arm64', []), verify: false })).toEqual({
      triple: 'aarch64-unknown-linux-gnu',
      settings: '',
    });
  });
});

describe('with a cache', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-compile-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const cached: CompileOptions = { ...options, cache: new Cache({ folder }) };
  const bytes = (): Uint8Array => wat(EXAMPLES[1] ?? '');

  test('a module is compiled once; other settings are another entry', () => {
    const plain: Artifact = compileModuleSync(bytes(), options);
    expect(compileModuleSync(bytes(), cached)).toEqual(plain);
    expect(readdirSync(folder).length).toBe(1);
    expect(compileModuleSync(bytes(), cached)).toEqual(plain);
    compileModuleSync(bytes(), { ...cached, checked: true });
    expect(readdirSync(folder).length).toBe(2);
  });

  test('an entry that says of itself that it is another is not used', () => {
    const asked = artifactKey(bytes(), compileSettings(options.target, options.cpu, { ...options, features: FEATURE_BITS }));
    const other = compileModuleSync(wat('(module (func (export "other")))'), options);
    const entries = mkdtempSync(join(folder, 'other-'));
    const cache = new Cache({ folder: entries });
    const plain = compileModuleSync(bytes(), options);
    expect(cache.write(keyHash(asked), serializeArtifact({ ...plain, names: { ...plain.names, module: 'from the cache' } }))).toBe(true);
    expect(compileModuleSync(bytes(), { ...options, cache }).names.module).toBe('from the cache');
    expect(cache.write(keyHash(asked), serializeArtifact(other))).toBe(true);
    expect(compileModuleSync(bytes(), { ...options, cache })).toEqual(plain);
  });

  test('an invalid module leaves nothing', () => {
    const before = readdirSync(folder).length;
    expect(thrown(() => compileModuleSync(Uint8Array.of(0, 0x61, 0x73), cached))).toBeInstanceOf(WebAssembly.CompileError);
    expect(readdirSync(folder).length).toBe(before);
  });
});

describe('errors', () => {
  test('an invalid module says where', async () => {
    const bytes = wat('(module (func (result i32) (i32.const 1)))');
    const bad = bytes.slice();
    bad[bad.length - 3] = 0x7c;
    const error = thrown(() => compileModuleSync(bad, options));
    expect(code(error)).toBe('HEDDLE_INVALID_MODULE');
    await expect(compileModule(bad, options)).rejects.toMatchObject({ code: 'HEDDLE_INVALID_MODULE' });
  });
});
