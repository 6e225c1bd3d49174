/** What the command line says of files and modules that are wrong. */
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { readToEnd } from '../../ts/cli/input.js';
import { heddle, root } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-errors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

describe('a file that is no module is told by a sentence', () => {
  test.each([
    ['empty', '', 'is empty'],
    ['gzip', gzipSync('(module)'), 'is compressed (gzip): decompress it first'],
    ['zip', 'PK\x03\x04….', 'is a zip archive: unpack it first'],
    ['native', readFileSync(process.execPath).subarray(0, 4096), 'is a native program or library (ELF), not WebAssembly'],
    ['component', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), 'is a component, not a module'],
    ['text of a component', ';; c\n(component $c)', 'is a component, not a module'],
    [
      'JavaScript',
      "import { x } from './x.js';\nx();\n",
      'looks like JavaScript: heddle run takes it if its name ends in .js, .mjs or .cjs',
    ],
    ['a web page', '<!DOCTYPE html><html></html>', 'is a web page or XML'],
    ['other text', 'hello', "is text, but no module's"],
  ])('%s', (_, contents, sentence) => {
    const path = file('it.wasm', contents);
    const { status, stdout, stderr } = heddle(['validate', path]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^heddle: .* \(HEDDLE_INVALID_MODULE\)\n$/);
    expect(stderr).toContain(`${path} ${sentence}`);
  });
});

describe('a module that is wrong', () => {
  const text = '(module\n\t(func $f (; é ;) (export "f") (result i32)\n\t\t(; é ;) (i32.add (i32.const 1) (i64.const 2))))';

  test('as text: file, line, column, the line and a caret below its character', () => {
    const path = file('wrong.wat', text);
    expect(heddle(['run', '--invoke', 'f', path])).toEqual({
      status: 1,
      stdout: '',
      stderr: `heddle: ${path}:3:12: type mismatch: expected i32, found i64, in function 0 (f) (HEDDLE_INVALID_MODULE)
 3 | \t\t(; é ;) (i32.add (i32.const 1) (i64.const 2))))
   | \t\t         ^
`,
    });
    const syntax = file('syntax.wat', `(module (func (;é;) $f (parm)${' '.repeat(500)}))`);
    expect(heddle(['validate', syntax]).stderr).toMatch(
      /syntax\.wat:1:25: .*\(HEDDLE_INVALID_TEXT\)\n 1 \| \(module \(func \(;é;\) \$f \(parm\) +…\n {3}\| {25}\^\n$/,
    );
  });

  test('as bytes: the function and the offset, in each command', () => {
    // (module (func $f (result i32) (i64.const 0))), by hand: the body begins at 0x17, its end is at 0x1a.
    const bytes = Uint8Array.of(
      0,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,
      1,
      5,
      1,
      0x60,
      0,
      1,
      0x7f,
      3,
      2,
      1,
      0,
      0x0a,
      6,
      1,
      4,
      0,
      0x42,
      0,
      0x0b,
      0,
      11,
      4,
      0x6e,
      0x61,
      0x6d,
      0x65,
      1,
      4,
      1,
      0,
      1,
      0x66,
    );
    const path = file('wrong.wasm', bytes);
    for (const command of [['run'], ['validate'], ['inspect'], ['compile', '-o', join(folder, 'out')]]) {
      const { status, stderr } = heddle([...command, path]);
      expect([command, status, stderr]).toEqual([
        command,
        1,
        `heddle: ${path}: type mismatch: expected i32, found i64, in function 0 (f) at offset 0x1a (HEDDLE_INVALID_MODULE)\n`,
      ]);
    }
  });
});

const program = file(
  'program.wat',
  `(module (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    ${Array.from({ length: 30 }, (_, i) => `(func (export "a_function_with_a_long_name_${i}"))`).join('\n')}
    (func $deep (export "deep") (call $deep) (nop)) (func $a (call $b) (nop)) (func $b (export "mutual") (call $a) (nop))
    (memory (export "memory") 1))`,
);

test('an unknown export: the nearest name, and all there are, in lines', () => {
  const { status, stderr } = heddle(['run', '--invoke', 'smu', program]);
  expect(status).toBe(1);
  const [first, ...lines] = stderr.trimEnd().split('\n');
  expect(first).toBe('heddle: the module exports no function smu: did you mean sum? (HEDDLE_EXPORT)');
  expect(lines[0]).toMatch(/^ {2}it exports sum, a_function/);
  expect(lines.every((line) => line.length <= 100)).toBe(true);
  const names = lines.join(' ').replace('it exports', '').split(',');
  expect(names.map((name) => name.trim()).sort()).toEqual(
    ['sum', 'deep', 'mutual', ...Array.from({ length: 30 }, (_, i) => `a_function_with_a_long_name_${i}`)].sort(),
  );
  expect(heddle(['run', '--invoke', 'memory', program]).stderr).toContain('no function memory: memory is a memory (HEDDLE_EXPORT)');
});

test('frames that repeat are written once', () => {
  const lines = (name: string): string[] => heddle(['run', '--invoke', name, program]).stderr.trimEnd().split('\n');
  const deep = lines('deep');
  expect(deep.length).toBeLessThan(10);
  expect(deep.filter((line) => /^ {4}\.\.\. this line \d+ times \.\.\.$/.test(line))).toHaveLength(2);
  const mutual = lines('mutual');
  expect(mutual.length).toBeLessThan(14);
  expect(mutual.filter((line) => /^ {4}\.\.\. these 2 lines \d+ times \.\.\.$/.test(line))).toHaveLength(2);
});

test('--dir names the folder that cannot be opened', () => {
  const run = (dir: string): string => heddle(['run', '--dir', dir, 'examples/odds.wat']).stderr;
  expect(run('/nonexistent')).toBe('heddle: cannot open --dir /nonexistent: no such file or folder (HEDDLE_FILE)\n');
  expect(run(`${program}::/data`)).toBe(`heddle: cannot open --dir ${program}: it is no folder (HEDDLE_FILE)\n`);
  expect(run('::/data')).toBe('heddle: --dir ::/data: a folder is missing (HEDDLE_USAGE)\n');
});

test('sizes and numbers of stacks that make no sense are refused, by the name of the option', () => {
  for (const [option, value] of [
    ['--stack-size', '1000'],
    ['--stacks', '0'],
    ['--stack-memory', '1'],
    ['--entry-stack-size', '16383'],
    ['--stacks', '99999999999999999999'],
  ] as const) {
    const { status, stderr } = heddle(['run', option, value, 'examples/odds.wat']);
    expect([option, status]).toEqual([option, 2]);
    expect(stderr).toMatch(new RegExp(`^heddle: option '${option} .*\\(HEDDLE_USAGE\\)\n$`));
  }
});

test('output that cannot be written is one line', () => {
  const { status, stderr } = spawnSync('bash', ['-c', '"$0" bin/heddle.cjs doctor >/dev/full', process.execPath], {
    cwd: root,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([1, 'heddle: cannot write the output: the disk is full (HEDDLE_FILE)\n']);
});

test('a file whose name is no UTF-8', () => {
  const name = Buffer.concat([Buffer.from(join(folder, 'b')), Buffer.of(0xff), Buffer.from('.wat')]);
  copyFileSync(program, name);
  const script = `"$0" bin/heddle.cjs run --invoke sum "$1"/b$'\\xff'.wat 1 2; "$0" bin/heddle.cjs validate "$1"/c$'\\xff'.wat`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, folder], { cwd: root, encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['3\n', `heddle: cannot read ${folder}/c\ufffd.wat: no such file or folder (HEDDLE_FILE)\n`]);
});

test('errors as JSON are JSON whatever a module calls its functions, and steer no terminal', () => {
  const name = 'a\u009b31m\u007f\u202eb\u001b[0m';
  const escaped = [...name].map((c) => `\\u{${c.codePointAt(0)?.toString(16)}}`).join('');
  const path = file('names.wat', `(module (func $"${escaped}" (export "t") unreachable))`);
  const { status, stderr } = heddle(['run', '--json', '--invoke', 't', path]);
  expect(status).toBe(134);
  expect(JSON.parse(stderr).error.backtrace[0].function).toBe(name);
  expect(stderr.trimEnd()).not.toMatch(/[\p{Cc}\u202e]/u);
  const text = heddle(['run', '--invoke', 't', path]).stderr;
  expect(text).toContain('a\\x9b31m\\x7f\\u202eb\\x1b[0m');
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
});

test('a pipe is read to its end, by its name as well; what has no end up to a limit', () => {
  const script = 'f=$1; "$0" bin/heddle.cjs run --invoke sum <(cat "$f") 1 2; "$0" bin/heddle.cjs run --invoke sum - 3 4 < "$f"';
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, program], { cwd: root, encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['3\n7\n', '']);
  const zero = openSync('/dev/zero', 'r');
  const none = openSync('/dev/null', 'r');
  expect(() => readToEnd(zero, 100_000)).toThrow('it has more than 100000 bytes');
  expect(readToEnd(none)).toHaveLength(0);
  closeSync(zero);
  closeSync(none);
});

test('a device without an end is not read', () => {
  // Where the file is read after all, the process is ended soon: the machine goes on.
  const script = 'timeout -s KILL 5 "$0" bin/heddle.cjs validate /dev/zero';
  const { stderr } = spawnSync('bash', ['-c', script, process.execPath], { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('heddle: cannot read /dev/zero: it is a device, which may have no end (HEDDLE_FILE)\n');
});
