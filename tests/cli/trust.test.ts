/** What `heddle run` takes for native code that may run, and what the environment may choose. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { heddle, output } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-trust-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mine = { XDG_STATE_HOME: join(folder, 'mine') };
const theirs = { XDG_STATE_HOME: join(folder, 'theirs') };

const out = join(folder, 'sum.heddle');
output(['compile', 'examples/generator.wat', '-o', out], mine);
const run = (file: string, env: Readonly<Record<string, string>>, ...options: string[]): ReturnType<typeof heddle> =>
  heddle(['run', ...options, '--invoke', 'sum', file, '10'], env);
const ran = { status: 0, stdout: '55\n', stderr: '' };
const refused = {
  status: 1,
  stdout: '',
  stderr: expect.stringMatching(/^heddle: .* is native code .*--trust-compiled.* \(HEDDLE_UNTRUSTED\)\n$/),
};

describe('a compiled file', () => {
  test('of this user runs, from wherever it was moved to', () => {
    expect(run(out, mine)).toEqual(ran);
    const [copy, link] = [join(folder, 'copy'), join(folder, 'link')];
    copyFileSync(out, copy);
    symlinkSync(copy, link);
    expect(run(copy, mine)).toEqual(ran);
    expect(run(link, mine)).toEqual(ran);
  });

  test("of another user, or another machine, runs where the option says so, and this user's key is not made for it", () => {
    expect(run(out, theirs)).toEqual(refused);
    expect(run(out, theirs).stderr).toContain('there is no key');
    output(['compile', 'examples/odds.wat', '-o', join(folder, 'other')], theirs);
    expect(run(out, theirs)).toEqual(refused);
    expect(run(out, theirs, '--trust-compiled')).toEqual(ran);
  });

  test('with a header that was changed, or that is not signed, is refused; with other contents it is damaged', () => {
    const bytes = readFileSync(out);
    const changed = (at: number, length = 1): string => {
      const copy = Buffer.from(bytes);
      for (let i = at; i < at + length; i++) copy[i] = (copy[i] ?? 0) ^ 0x10;
      const path = join(folder, `changed-${at}`);
      writeFileSync(path, copy);
      return path;
    };
    for (const at of [8, 16, 48, 80, 111]) expect([at, run(changed(at), mine)]).toEqual([at, refused]);
    const unsigned = Buffer.from(bytes);
    unsigned.fill(0, 80, 112);
    writeFileSync(join(folder, 'unsigned'), unsigned);
    expect(run(join(folder, 'unsigned'), mine)).toEqual(refused);
    expect(run(join(folder, 'unsigned'), mine, '--trust-compiled')).toEqual(ran);
    for (const trust of [[], ['--trust-compiled']]) {
      expect(run(changed(bytes.length >> 1), mine, ...trust)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('HEDDLE_BAD_ARTIFACT'),
      });
    }
  });

  test('is written without a signature where there can be no key, and says so', () => {
    const readable = { XDG_STATE_HOME: join(folder, 'readable') };
    output(['compile', 'examples/generator.wat', '-o', join(folder, 'x')], readable);
    chmodSync(join(folder, 'readable', 'heddle', 'compiled-files.key'), 0o644);
    for (const env of [{ XDG_STATE_HOME: '/proc/none' }, { XDG_STATE_HOME: '', HOME: '' }, readable]) {
      const { status, stderr } = heddle(['compile', 'examples/generator.wat', '-o', join(folder, 'x')], env);
      expect([status, stderr]).toEqual([0, expect.stringMatching(/^heddle: .* is not signed, .*--trust-compiled: .*\n$/)]);
      expect(run(join(folder, 'x'), env)).toEqual(refused);
      expect(run(join(folder, 'x'), env, '--trust-compiled')).toEqual(ran);
    }
  });

  test('of a module alone needs no option', () => {
    expect(run('examples/generator.wat', theirs)).toEqual(ran);
    expect(run('examples/generator.wat', theirs, '--trust-compiled')).toEqual(ran);
  });
});

describe('the environment', () => {
  test('HEDDLE_CPU may only name what the CPU has', () => {
    const other = process.arch === 'x64' ? 'has_lse' : 'has_avx2';
    for (const names of [other, 'has_everything', `has_sse2,${other}`]) {
      expect(heddle(['run', 'examples/odds.wat'], { HEDDLE_CPU: names })).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/HEDDLE_CPU names has_.* \(HEDDLE_PLATFORM\)\n$/),
      });
      expect(heddle(['compile', 'examples/odds.wat', '-o', join(folder, 'y')], { HEDDLE_CPU: names })).toMatchObject({ status: 1 });
    }
    expect(run('examples/generator.wat', { HEDDLE_CPU: '' })).toEqual(ran);
  });

  test('HEDDLE_ADDON is that file, or an error: never another one', () => {
    const missing = join(folder, 'missing.node');
    const { status, stderr } = heddle(['run', 'examples/odds.wat'], { HEDDLE_ADDON: missing });
    expect([status, stderr]).toEqual([1, `heddle: HEDDLE_ADDON names ${missing}, which does not exist (HEDDLE_PLATFORM)\n`]);
    expect(run('examples/generator.wat', { HEDDLE_ADDON: 'build/Release/heddle.node' })).toEqual(ran);
  });
});

test('names in a module do not steer the terminal, nor look like other frames', () => {
  mkdirSync(join(folder, 'names'));
  const text = join(folder, 'names', 'names.wat');
  const name = String.raw`\1b]0;title\07\c2\9b31m\0a    at safe (file.js:1:1)`;
  writeFileSync(text, `(module (func $f (@name "${name}") unreachable) (func (export "f") (call $f)))`);
  const { status, stderr } = heddle(['run', '--invoke', 'f', text]);
  expect(status).toBe(134);
  expect(stderr).toContain(String.raw`\x1b]0;title\x07\x9b31m`);
  expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  expect(stderr.split('\n').filter((line) => /^ *at safe/.test(line))).toEqual([]);
  writeFileSync(text, `(module (import "m" "${name}" (func)))`);
  expect(heddle(['run', text]).stderr).not.toMatch(/[^\P{Cc}\n]/u);
  expect(output(['inspect', text])).not.toMatch(/[^\P{Cc}\n]/u);
});
