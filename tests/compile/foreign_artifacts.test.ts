/** Machine code is only loaded where it was made for: this version, this instruction set, and no feature that the CPU lacks. */
import { describe, expect, test } from 'vitest';
import { Instance, moduleOfArtifact } from '../../ts/api/web_assembly.js';
import type { Artifact } from '../../ts/compile/artifact.js';
import { compileModuleSync } from '../../ts/compile/compile.js';
import { parseWat } from '../../ts/index.js';
import { addon } from '../../ts/link/addon.js';

const bytes = parseWat('(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))');
const native = addon();
const artifact = compileModuleSync(bytes, { target: native.arch, cpu: native.cpuFeatures() });

function withKey(change: Partial<Artifact['key']>): Artifact {
  return { ...artifact, key: { ...artifact.key, ...change } };
}
const { settings } = artifact.key;
const other = native.arch === 'x64' ? 'arm64' : 'x64';

test('an artifact of this machine is a module', () => {
  expect(new Instance(moduleOfArtifact(bytes, artifact)).exports['f'](1)).toBe(2);
});

describe('an artifact is refused', () => {
  test.each<[string, () => Artifact, RegExp]>([
    ['of another instruction set', () => compileModuleSync(bytes, { target: other, cpu: [] }), new RegExp(`code for ${other}`)],
    ['for a CPU with more', () => withKey({ settings: { ...settings, cpu: [...settings.cpu, 'has_more'] } }), /CPU lacks has_more/],
    ['of another version', () => withKey({ version: '0.0.0' }), /heddle 0\.0\.0 made it/],
    ['of another format', () => withKey({ format: artifact.key.format + 1 }), /compile the module again/],
    ['for another addon', () => withKey({ contract: '00' }), /compile the module again/],
  ])('%s', (_, make, message) => {
    const foreign = make();
    expect(() => moduleOfArtifact(bytes, foreign)).toThrow(
      expect.objectContaining({ name: 'CompileError', code: 'HEDDLE_BAD_ARTIFACT', message: expect.stringMatching(message) }),
    );
  });
});
