/** How the command line is read: files in place of commands, standard input, hints, completion, time limits, JSON. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { heddle, output, root } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-line-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, contents: string): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

const TEN = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n';
const odds = readFileSync(join(root, 'examples/odds.wat'), 'utf8');
const values = file(
  'values.wat',
  `(module (func (export "f") (param i64 f32 v128 externref) (result i64 f32 v128 externref f64)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (f64.const nan))
    (tag $oops (param i32)) (func (export "throws") (throw $oops (i32.const 7)))
    (func $inner unreachable) (func (export "trap") (call $inner)))`,
);
/** Waits for a minute, for input, or loops: by poll_oneoff and fd_read. */
const waits = file(
  'waits.wat',
  `(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (i32.store offset=16 (i32.const 0) (i32.const 1)) (i64.store offset=24 (i32.const 0) (i64.const 60000000000))
      (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200))))
    (func (export "input") (i32.store (i32.const 500) (i32.const 512)) (i32.store (i32.const 504) (i32.const 64))
      (drop (call $read (i32.const 0) (i32.const 500) (i32.const 1) (i32.const 508))))
    (func (export "loop") (loop $l (br $l)))
    (func (export "quick") (param i32) (result i32) (local.get 0)))`,
);

describe('a file in place of a command', () => {
  test('is run, with options in front as well', () => {
    expect(heddle(['examples/odds.wat'])).toEqual({ status: 0, stdout: TEN, stderr: '' });
    expect(heddle(['--invoke', 'sum', 'examples/generator.wat', '10'])).toEqual({ status: 0, stdout: '55\n', stderr: '' });
    // A name without a dot; commands come first.
    const path = spawnSync(
      'bash',
      [
        '-c',
        'cd "$1" && cp "$2"/examples/generator.wat plain && "$0" "$2"/bin/heddle.cjs --invoke sum plain 4',
        process.execPath,
        folder,
        root,
      ],
      { encoding: 'utf8' },
    );
    expect([path.stdout, path.stderr]).toEqual(['10\n', '']);
  });

  test('a word that is neither says both, and what may be meant', () => {
    const said = (...args: string[]): unknown => {
      const { status, stdout, stderr } = heddle(args);
      expect([status, stdout]).toEqual([2, '']);
      return stderr;
    };
    expect(said('vlidate')).toBe('heddle: there is no command vlidate, and no such file: did you mean validate? (HEDDLE_USAGE)\n');
    expect(said('missing.wasm')).toBe('heddle: there is no command missing.wasm, and no such file (HEDDLE_USAGE)\n');
    expect(said('--stats', 'run', 'x.wat')).toBe('heddle: options come behind the command: heddle run --stats (HEDDLE_USAGE)\n');
    expect(JSON.parse(heddle(['--json', 'run', 'x.wat']).stderr).error.code).toBe('HEDDLE_USAGE');
    expect(said('help', 'nonsense')).toBe('heddle: there is no command nonsense (HEDDLE_USAGE)\n');
    expect(said('run', '--stat', 'x')).toContain('Did you mean --stats?');
  });

  test('standard input is a file, as text and as bytes', () => {
    expect(heddle(['-'], {}, odds)).toEqual({ status: 0, stdout: TEN, stderr: '' });
    expect(heddle(['run', '--invoke', 'f', '-', '1', '2', 'i32x4:1,2,3,4', 'null'], {}, readFileSync(values, 'utf8')).stdout).toBe(
      '1\n2\ni32x4:1,2,3,4\nnull\nnan\n',
    );
    expect(heddle(['validate', '-'], {}, '\0asm\x01\0\0\0').stdout).toBe('standard input: valid\n');
    expect(heddle(['validate', '-'], {}, '(module (func').stderr).toMatch(/^heddle: standard input:1:14: /);
    expect(heddle(['wast', '-'], {}, '(module) (assert_invalid (module (func (result i32))) "type mismatch")').stdout).toContain(
      'standard input: 1 passed, 0 failed\n',
    );
  });

  test('-v, -V, --version and version are one', () => {
    const version = output(['--version']);
    for (const word of ['-v', '-V', 'version']) expect(output([word])).toBe(version);
  });
});

describe('options behind FILE', () => {
  const hint = "heddle: --invoke stands behind FILE, so it goes to the program: heddle's own options come before FILE\n";

  test('are remarked on where the program sees no arguments, or fails', () => {
    expect(heddle(['run', 'examples/generator.wat', '--invoke', 'sum', '10']).stderr).toContain(hint);
    expect(heddle(['run', 'examples/odds.wat', '--invoke', 'x'])).toEqual({ status: 0, stdout: TEN, stderr: hint });
  });

  test('and are none of our business where it takes them', () => {
    const takes = (exit: number): string =>
      file(
        `takes${exit}.wat`,
        `(module (import "wasi_snapshot_preview1" "args_get" (func (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const ${exit}))))`,
      );
    expect(heddle(['run', takes(0), '--invoke', 'x'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(heddle(['run', takes(3), '--invoke', 'x'])).toEqual({ status: 3, stdout: '', stderr: hint });
    expect(heddle(['run', takes(3), '--', '--invoke'])).toEqual({ status: 3, stdout: '', stderr: '' });
  });
});

describe('--timeout', () => {
  // So long that what is compiled comes to its loop, on a machine that is busy as well.
  const TIME = '4000';
  const over = `heddle: the run took longer than ${TIME} ms (HEDDLE_TIMEOUT)\n`;
  const limited = (...args: string[]): string[] => ['run', '--timeout', TIME, ...args];

  test.each([
    ['a wait for a clock', limited(waits), ''],
    ['a loop of a program that may wait', limited('--invoke', 'loop', waits), ''],
    [
      'a start function',
      limited(file('start.wat', '(module (func $s (loop $l (br $l))) (start $s))')),
      '    at s (start.wat:wasm-function[0]:0x',
    ],
    [
      '_initialize',
      limited('--invoke', 'f', file('init.wat', '(module (func (export "_initialize") (loop $l (br $l))) (func (export "f")))')),
      '    at _initialize (',
    ],
  ])('ends %s', (_, args, frame) => {
    const { status, stdout, stderr } = heddle(args);
    expect([status, stdout, stderr.slice(0, over.length + frame.length)]).toEqual([124, '', over + frame]);
  });

  test('ends a wait for input that nobody gives', async () => {
    const child = spawn(process.execPath, ['bin/heddle.cjs', ...limited('--invoke', 'input', waits)], {
      cwd: root,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    expect((await once(child, 'exit'))[0]).toBe(124);
  });

  test('leaves alone what ends in time', () => {
    const args = ['run', '--timeout', '600000'];
    expect(heddle([...args, '--invoke', 'quick', waits, '7'])).toEqual({ status: 0, stdout: '7\n', stderr: '' });
    expect(heddle([...args, 'examples/odds.wat'])).toEqual({ status: 0, stdout: TEN, stderr: '' });
    expect(heddle(['run', '--timeout', '0', 'examples/odds.wat']).status).toBe(2);
  });
});

describe('--json', () => {
  const json = (text: string): unknown => JSON.parse(text) as unknown;

  test('results have types; numbers are text', () => {
    const { stdout } = heddle(['run', '--json', '--invoke', 'f', values, '9007199254740993', 'nan:0x200001', 'i32x4:1,2,3,4', 'null']);
    expect(json(stdout)).toEqual({
      export: 'f',
      results: [
        { type: 'i64', value: '9007199254740993' },
        { type: 'f32', value: 'nan:0x200001' },
        { type: 'v128', value: 'i32x4:1,2,3,4' },
        { type: 'externref', value: null },
        { type: 'f64', value: 'nan' },
      ],
    });
  });

  test('errors have code, message and place, traps their frames, exceptions tag and values', () => {
    const error = (...args: string[]): unknown => json(heddle(args).stderr);
    expect(error('run', '--json', '--invoke', 'trap', values)).toEqual({
      error: {
        code: 'HEDDLE_TRAP_UNREACHABLE',
        message: 'unreachable',
        backtrace: [
          { function: 'inner', module: 'values.wat', index: 2, offset: expect.any(Number) },
          { function: 'trap', module: 'values.wat', index: 3, offset: expect.any(Number) },
        ],
      },
    });
    expect(error('run', '--json', '--invoke', 'throws', values)).toMatchObject({
      error: { code: 'HEDDLE_EXCEPTION', exception: { tag: 'oops', values: [{ type: 'i32', value: '7' }] } },
    });
    const wrong = file('wrong.wat', '(module (func $f (result i32)\n (i64.const 0)))');
    expect(error('validate', '--json', wrong)).toEqual({
      error: {
        code: 'HEDDLE_INVALID_MODULE',
        message: 'type mismatch: expected i32, found i64',
        file: wrong,
        line: 2,
        column: 15,
        function: { index: 0, name: 'f' },
        // The end of the body, which is its last byte: (module) is 8, types 7, functions 4, the code's header 4, then no locals and the constant.
        offset: 8 + 7 + 4 + 4 + 1 + 2,
      },
    });
    expect(error('run', '--json', '--frob', 'x')).toEqual({ error: { code: 'HEDDLE_USAGE', message: "unknown option '--frob'" } });
  });

  test('of validate, doctor and wast', () => {
    expect(json(heddle(['validate', '--json', values]).stdout)).toEqual({ file: values, valid: true });
    const { status, stdout } = heddle(['doctor', '--json']);
    expect([status, json(stdout)]).toMatchObject([0, { heddle: output(['--version']).trim(), pageSize: 4096 }]);
    const script = file('s.wast', '(module (func (export "f") (result i32) (i32.const 3)))\n(assert_return (invoke "f") (i32.const 2))');
    const lines = heddle(['wast', '--json', script]).stdout.trim().split('\n').map(json);
    const failures = [{ line: 2, directive: 'assert_return', message: 'expected i32 2, got i32 3' }];
    expect(lines).toEqual([
      { file: script, passed: 0, failed: 1, failures },
      { passed: 0, failed: 1 },
    ]);
  });
});

describe('--completion', () => {
  const script = file('completion.bash', output(['--completion', 'bash']));

  /** What bash offers for the last of these words. */
  function offered(...words: string[]): string[] {
    const run = 'source "$0"; cd "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _heddle; printf "%s\\n" "${COMPREPLY[@]}"';
    const { stdout, stderr } = spawnSync('bash', ['-c', run, script, root, 'heddle', ...words], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('bash completes commands, options, their values and files', () => {
    expect(offered('val')).toEqual(['validate']);
    expect(offered('exam')).toEqual(['examples']);
    expect(offered('run', '--st').sort()).toEqual(
      [
        '--stack-budget',
        '--stack-guard',
        '--stack-memory',
        '--stack-size',
        '--stack-strategy',
        '--stack-warm',
        '--stacks',
        '--stats',
      ].sort(),
    );
    expect(offered('validate', '--')).toEqual(['--json', '--help']);
    expect(offered('run', '--stack-strategy', '')).toEqual(['pool', 'mmap', 'malloc', 'deferred', 'hibernate']);
    expect(offered('run', 'examples/od')).toEqual(['examples/odds.wat']);
    expect(offered('help', 'ins')).toEqual(['inspect']);
    expect(offered('--completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  test.each(['zsh', 'fish'])('%s gets every option of every command', (shell) => {
    const text = output(['--completion', shell]);
    for (const name of ['run', 'validate', 'inspect', 'compile', 'wast', 'doctor', 'build']) expect(text).toContain(name);
    const options = output(['run', '--help']).match(/^ {2}--[a-z-]+/gm) ?? [];
    expect(options.length).toBeGreaterThan(15);
    for (const option of options) expect(text).toContain(shell === 'zsh' ? `'*${option.trim()}[` : `-l ${option.trim().slice(2)}`);
    const path = ['/bin', '/usr/bin'].map((place) => join(place, shell)).find(existsSync);
    if (path === undefined) return;
    expect(spawnSync(path, ['-n', file(`script.${shell}`, text)], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});
