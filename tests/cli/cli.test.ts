import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { heddle, output, root } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file with these contents. */
function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

const TEN = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n';
const VALUES = `(module
  (func (export "all") (result i32 i64 f32 f64) (i32.const -1) (i64.const -2) (f32.const 0.5) (f64.const -inf))
  (func (export "same") (param i32 i64 f32 f64 externref) (result i32 i64 f32 f64 externref)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))
  (func $inner unreachable)
  (func (export "trap") (call $inner))
  (func (export "nothing")))`;
const values = file('values.wat', VALUES);

/** Two tasks that yield with a frame of 64 bytes on the stack in linear memory, whose size the module does not tell; and a recursion. */
const TASKS = `(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1) (global $sp (mut i32) (i32.const 65536)) (global $other (mut i32) (i32.const 32768))
  (func $frame (param $v i32) (result i32) (local $at i32)
    (global.set $sp (local.tee $at (i32.sub (global.get $sp) (i32.const 64))))
    (i32.store (local.get $at) (local.get $v))
    (drop (call $yield))
    (i32.load (local.get $at))
    (global.set $sp (i32.add (local.get $at) (i32.const 64))))
  (func (export "one") (result i32) (i32.add (call $frame (i32.const 1)) (call $frame (i32.const 10))))
  (func (export "two") (result i32) (i32.add (call $frame (i32.const 2)) (call $frame (i32.const 20))))
  (func $down (export "down") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
  (func (export "take") (param i32) (result i32) (i32.const 4096)) (func (export "give") (param i32)))`;
const tasks = file('tasks.wat', TASKS);

describe('heddle run, and the stack in linear memory', () => {
  const run = (...options: string[]): ReturnType<typeof heddle> => heddle(['run', ...options, '--invoke', 'one', '--invoke', 'two', tasks]);

  test.each([
    ['its lowest address', ['--shadow-stack-low', '1K']],
    ['the pointer, the lowest address and a size', ['--shadow-stack-pointer', '0', '--shadow-stack-low', '0', '--shadow-stack-size', '64']],
    ['an allocator', ['--shadow-stack-allocator', 'take,give', '--shadow-stack-size', '1024']],
    ['moving what lies on it', ['--shadow-stack-move']],
  ])('has options for %s', (_, options) => {
    const { status, stdout, stderr } = run(...options);
    expect({ status, stderr, lines: stdout.trim().split('\n').sort() }).toEqual({ status: 0, stderr: '', lines: ['11', '22'] });
  });

  test.each([
    [[], 'HEDDLE_TRAP_SHADOW_STACK'],
    [['--shadow-stack-low', '0', '--shadow-stack-size', '32'], 'HEDDLE_TRAP_SHADOW_OVERFLOW'],
    [['--shadow-stack-pointer', 'nobody'], 'HEDDLE_ARGUMENT'],
    [['--shadow-stack-allocator', 'take'], 'HEDDLE_USAGE'],
    [['--no-shadow-stack', '--shadow-stack-size', '64'], 'HEDDLE_USAGE'],
    [['--shadow-stack-move', '--shadow-stack-size', '64'], 'HEDDLE_ARGUMENT'],
  ])('%j ends with %s', (options, code) => {
    const { status, stderr } = run(...options);
    expect(status).not.toBe(0);
    expect(stderr).toContain(code);
  });

  test('--entry-stack-size lets calls nest deeper', () => {
    const down = (...options: string[]): ReturnType<typeof heddle> => heddle(['run', ...options, '--invoke', 'down', tasks, '100000']);
    expect(down('--entry-stack-size', '32M')).toEqual({ status: 0, stdout: '100000\n', stderr: '' });
    expect(down('--entry-stack-size', '256K').stderr).toContain('HEDDLE_TRAP_STACK_OVERFLOW');
  });
});

describe('heddle run', () => {
  test('says which exception nobody caught', () => {
    const path = file('throws.wat', '(module (tag $mine) (func (export "f") (throw $mine)))');
    const { status, stdout, stderr } = heddle(['run', '--invoke', 'f', path]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('uncaught exception mine() (HEDDLE_EXCEPTION)');
  });

  test('runs the example of goroutines', () =>
    expect(heddle(['run', 'examples/odds.wat'])).toEqual({ status: 0, stdout: TEN, stderr: '' }));

  test('invokes an export and prints its results alone, one a line', () => {
    expect(heddle(['run', '--invoke', 'sum', 'examples/generator.wat', '10'])).toEqual({ status: 0, stdout: '55\n', stderr: '' });
    expect(output(['run', '--invoke', 'all', values])).toBe('-1\n-2\n0.5\n-inf\n');
    expect(output(['run', '--invoke', 'nothing', values])).toBe('');
  });

  test('takes arguments of every type, signed or unsigned, decimal or hexadecimal', () => {
    const run = (...args: string[]): string => output(['run', '--invoke', 'same', values, ...args]);
    expect(run('4294967295', '0xffffffffffffffff', '0.1', '-0', 'null')).toBe('-1\n-1\n0.1\n-0\nnull\n');
    expect(run('-0x80000000', '-9223372036854775808', 'nan', '-inf', 'null')).toBe('-2147483648\n-9223372036854775808\nnan\n-inf\nnull\n');
  });

  test.each([
    [['1', '2', '3', '4'], 'takes 5 arguments, 4 given'],
    [['x', '2', '3', '4', 'null'], '"x" is not an i32'],
    [['4294967296', '2', '3', '4', 'null'], 'does not fit an i32'],
    [['1', '1.5', '3', '4', 'null'], '"1.5" is not an i64'],
    [['1', '2', '', '4', 'null'], '"" is not an f32'],
    [['1', '2', '3', '4', 'it'], 'only null'],
  ])('refuses arguments %j', (args, message) => {
    const { status, stdout, stderr } = heddle(['run', '--invoke', 'same', values, ...args]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^heddle: .* \(HEDDLE_ARGUMENT\)\n$/);
    expect(stderr).toContain(message);
  });

  test('an exception that nothing catches is told by its tag and its values, what JavaScript throws by itself', () => {
    const path = file(
      'throws.wat',
      `(module $throws (tag $oops (param i32 f64 i64 externref funcref)) (func $f)
        (elem declare func $f) (func (export "go")
          (throw $oops (i32.const 7) (f64.const 1.5) (i64.const -9) (ref.null extern) (ref.func $f))))`,
    );
    expect(heddle(['run', '--invoke', 'go', path])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'heddle: uncaught exception oops(7, 1.5, -9, null, funcref) (HEDDLE_EXCEPTION)\n',
    });
  });

  test('a module without a name is told by its file', () => {
    const { stderr } = heddle(['run', '--invoke', 'trap', values]);
    expect(stderr).toMatch(/^ {4}at inner \(values\.wat:wasm-function\[\d+\]:0x[0-9a-f]+\)$/m);
  });

  test('prints statistics to stderr, of a trap too', () => {
    const { stdout, stderr } = heddle(['run', '--stats', 'examples/odds.wat']);
    expect(stdout).toBe(TEN);
    const names = stderr.split('\n').map((line) => line.split(':')[0]);
    const counters = [
      'switches',
      'continuations made',
      'continuations live',
      'continuations suspended',
      'stacks live',
      'stacks hibernated',
      'stacks pooled',
      'stacks peak',
      'stack bytes reserved',
      'stack bytes resident',
      'stack bytes high water',
      'continuations collected',
      'collections',
      'last pause ms',
      'longest pause ms',
      'code bytes',
      'compile ms',
      'run ms',
    ];
    expect(names).toEqual([...counters, '']);
    expect(stderr).toContain('continuations made: 2\n');
    expect(heddle(['run', '--stats', '--invoke', 'trap', values]).stderr).toContain('switches: ');
  });

  test('ends with 134 and a backtrace by name where WebAssembly traps', () => {
    const { status, stdout, stderr } = heddle(['run', '--invoke', 'trap', values]);
    expect([status, stdout]).toEqual([134, '']);
    const lines = stderr.split('\n');
    expect(lines[0]).toBe('heddle: unreachable (HEDDLE_TRAP_UNREACHABLE)');
    expect(lines[1]).toMatch(/^ {4}at inner \(.*wasm-function\[2\]:0x[0-9a-f]+\)$/);
    expect(lines[2]).toMatch(/^ {4}at trap \(.*wasm-function\[3\]:0x[0-9a-f]+\)$/);
    expect(lines.slice(3)).toEqual(['']);
  });

  test("leaves with the program's own status, and gives it arguments, environment and folders", () => {
    const program = file(
      'wasi.wat',
      `(module
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get" (func $dir (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (drop (call $args (i32.const 0) (i32.const 4)))
          (drop (call $env (i32.const 8) (i32.const 12)))
          (call $exit (i32.add (i32.add (i32.mul (i32.load (i32.const 0)) (i32.const 10)) (i32.load (i32.const 8)))
            (i32.mul (i32.eqz (call $dir (i32.const 3) (i32.const 16))) (i32.const 100))))
          unreachable))`,
    );
    expect(heddle(['run', program])).toEqual({ status: 10, stdout: '', stderr: '' });
    // It imports no args_get, so that nothing reads what stands behind it.
    expect(heddle(['run', program, '--env', 'a', '--stats'])).toEqual({
      status: 40,
      stdout: '',
      stderr: expect.stringMatching(/^heddle: --env, --stats stand behind FILE, so they go to the program: .*\n$/),
    });
    expect(heddle(['run', '--env', 'A=1', '--env', 'B=2', '--dir', `${folder}::/data`, program, 'x']).status).toBe(122);
  });

  test('gives experiments to programs that import them', () => {
    const program = file(
      'barrier.wat',
      `(module (type $f (func (param i32) (result i32))) (import "heddle" "barrier" (func $barrier (param i32 (ref null $f)) (result i32)))
        (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))) (elem declare func $double)
        (func (export "run") (param i32) (result i32) (call $barrier (local.get 0) (ref.func $double))))`,
    );
    expect(heddle(['run', '--invoke', 'run', program, '21'])).toEqual({ status: 0, stdout: '42\n', stderr: '' });
  });

  test('says which import is missing, and that a program without _start needs --invoke', () => {
    const imports = file('imports.wat', '(module (import "env" "thing" (func)) (func (export "_start")))');
    expect(heddle(['run', imports])).toMatchObject({
      status: 1,
      stderr: 'heddle: unknown import: env.thing was not given (HEDDLE_LINK_MISSING)\n',
    });
    expect(heddle(['run', values])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no _start: .*--invoke \(HEDDLE_EXPORT\)\n {2}it exports all, same, trap, nothing\n$/),
    });
    expect(heddle(['run', '--invoke', 'none', values])).toMatchObject({ status: 1, stderr: expect.stringContaining('(HEDDLE_EXPORT)') });
    const noMemory = file(
      'no_memory.wat',
      '(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (func (export "_start")))',
    );
    expect(heddle(['run', noMemory])).toMatchObject({ status: 1, stderr: expect.stringMatching(/memory.*\(HEDDLE_LINK_TYPE\)\n$/) });
  });

  test('a library is initialised before its export is called', () => {
    const library = file(
      'library.wat',
      '(module (global $g (mut i32) (i32.const 1)) (func (export "_initialize") (global.set $g (i32.const 7))) (func (export "get") (result i32) (global.get $g)))',
    );
    expect(output(['run', '--invoke', 'get', library])).toBe('7\n');
  });

  test('ends quietly when nobody reads any more', () => {
    const count = file(
      'count.wat',
      `(module (func (export "many") (result ${'i32 '.repeat(1000)}) ${'(i32.const 1234567890)'.repeat(1000)}))`,
    );
    const script = `for i in 1 2 3; do "$0" bin/heddle.cjs run --invoke many "$1" | head -1; done`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, count], { cwd: root, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual(['1234567890\n'.repeat(3), '']);
  });
});

describe('a file that is not a module', () => {
  const bad = (name: string, contents: string | Uint8Array, code: string): void => {
    for (const command of ['run', 'validate', 'inspect']) {
      const { status, stdout, stderr } = heddle([command, file(name, contents)]);
      expect([command, status, stdout]).toEqual([command, 1, '']);
      expect(stderr).toMatch(new RegExp(`^heddle: .*\\(${code}\\)\n( \\d+ \\| .*\n +\\| +\\^\n)?$`));
    }
  };
  test('random bytes', () =>
    bad(
      'random.bin',
      Uint8Array.from({ length: 100 }, (_, i) => (i * 197 + 131) % 256),
      'HEDDLE_INVALID_MODULE',
    ));
  test('nothing at all', () => bad('empty.wasm', '', 'HEDDLE_INVALID_MODULE'));
  test('a module cut short', () => bad('cut.wasm', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 9), 'HEDDLE_INVALID_MODULE'));
  test('text with a mistake says where', () => {
    bad('bad.wat', '(module\n  (func (result)))) x', 'HEDDLE_INVALID_TEXT');
    expect(heddle(['run', join(folder, 'bad.wat')]).stderr).toContain('bad.wat:2:19: ');
  });
  test("a C module's stack pointer is named, and how it was found", () => {
    const module = (name: string): string => fileURLToPath(new URL(`../modules/c/${name}.wasm`, import.meta.url));
    const said = (path: string): string => heddle(['validate', path]).stdout;
    expect(said(module('locals'))).toBe(`${module('locals')}: valid\nstack pointer: global 0, by its export\n`);
    expect(said(module('locals_bare'))).toBe(
      `${module('locals_bare')}: valid\nstack pointer: global 0, the only one that functions lower when they begin\n`,
    );
    const lowers = (name: string): string => `(func (global.set ${name} (i32.sub (global.get ${name}) (i32.const 16))))`;
    const globals = '(global $a (mut i32) (i32.const 0)) (global $b (mut i32) (i32.const 0))';
    const two = file('two.wat', `(module ${globals} ${lowers('$a')} ${lowers('$b')})`);
    expect(said(two)).toBe(`${two}: valid\nstack pointer: not known: functions lower each of the globals 0, 1 when they begin\n`);
    const none = file('none.wat', '(module)');
    expect(said(none)).toBe(`${none}: valid\n`);
  });

  test('a module that does not validate says where', () => {
    const invalid = file('invalid.wat', '(module (func (result i32) (i64.const 0)))');
    expect(heddle(['validate', invalid])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('invalid.wat:1:41: type mismatch: expected i32, found i64, in function 0 (HEDDLE_INVALID_MODULE)\n'),
    });
  });

  test('objects are shown by what they are, i31 by their numbers, which can be given', () => {
    const path = file(
      'objects.wat',
      `(module (type $s (struct (field i32))) (type $a (array i8))
        (func (export "f") (param i31ref anyref) (result (ref null $a) (ref $s) (ref null $a) anyref i31ref)
          (ref.null $a) (struct.new $s (i32.const 1)) (array.new_default $a (i32.const 2)) (local.get 1) (local.get 0)))`,
    );
    expect(heddle(['run', '--invoke', 'f', path, '--', '-7', '1073741823'])).toMatchObject({
      status: 0,
      stdout: 'null\nstructref\narrayref\n1073741823\n-7\n',
    });
    const { status, stderr } = heddle(['run', '--invoke', 'f', path, '--', '2147483648', 'null']);
    expect([status, stderr]).toEqual([1, 'heddle: 2147483648 does not fit an i31 (HEDDLE_ARGUMENT)\n']);
  });

  test('a missing file, a folder, a file that may not be read', () => {
    for (const path of [join(folder, 'missing.wasm'), folder]) {
      const { status, stderr } = heddle(['run', path]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^heddle: cannot read .*: .* \(HEDDLE_FILE\)\n$/);
    }
  });
});

describe('heddle compile', () => {
  const out = join(folder, 'odds.heddle');

  test('writes what run takes', () => {
    expect(heddle(['compile', 'examples/odds.wat', '-o', out])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(output(['run', out])).toBe(TEN);
  });

  test('for any CPU of a kind', () => {
    const mine = process.arch === 'x64' ? 'x86_64' : 'aarch64';
    const other = process.arch === 'x64' ? 'aarch64' : 'x86_64';
    output(['compile', '--target', mine, 'examples/odds.wat', '-o', out]);
    expect(output(['run', out])).toBe(TEN);
    output(['compile', '--target', other, 'examples/odds.wat', '-o', out]);
    expect(heddle(['run', out])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/code for .*\(HEDDLE_BAD_ARTIFACT\)\n$/),
    });
  });

  test('and a damaged file is refused', () => {
    output(['compile', 'examples/odds.wat', '-o', out]);
    const bytes = readFileSync(out);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(out, bytes);
    expect(heddle(['run', out])).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('(HEDDLE_BAD_ARTIFACT)') });
    expect(heddle(['validate', out])).toMatchObject({ status: 1, stderr: expect.stringContaining('(HEDDLE_FILE)') });
  });

  test('leaves nothing behind where it cannot write', () => {
    expect(heddle(['compile', 'examples/odds.wat', '-o', join(folder, 'none', 'x')])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('(HEDDLE_FILE)'),
    });
  });
});

describe('heddle inspect', () => {
  test('sums a module up', () => {
    const text = output(['inspect', 'examples/odds.wat']);
    expect(text).toContain('import wasi_snapshot_preview1.fd_write: func (i32, i32, i32, i32) -> (i32)\n');
    expect(text).toContain('export _start: func 14 () -> ()\n');
  });

  test.each([
    ['--ops', /0x[0-9a-f]+ {2}suspend 0\n/],
    ['--clif', /function u0:0\(i64 vmctx\) tail \{/],
    ['--asm', /function 0:\n/],
  ])('prints functions with %s, one of them by number, name or export', (form, pattern) => {
    const numbers = output(['inspect', form, '--function', '0', 'examples/generator.wat']);
    expect(numbers).toMatch(pattern);
    expect(numbers).toBe(output(['inspect', form, '--function', '$numbers', 'examples/generator.wat']));
    const all = output(['inspect', form, 'examples/generator.wat']);
    expect(all).toBe(numbers + output(['inspect', form, '--function', 'sum', 'examples/generator.wat']));
  });

  test('for both instruction sets', () => {
    expect(output(['inspect', '--asm', '--target', 'aarch64', 'examples/generator.wat'])).toContain('stp fp, lr');
    expect(output(['inspect', '--asm', '--target', 'x86_64', 'examples/generator.wat'])).toContain('pushq %rbp');
  });

  test('says which functions there are', () => {
    expect(heddle(['inspect', '--ops', '--function', '99', 'examples/odds.wat'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('2 to 14'),
    });
  });
});

describe('heddle wast', () => {
  const good = file('good.wast', '(module (func (export "f") (result i32) (i32.const 1)))\n(assert_return (invoke "f") (i32.const 1))');
  const wrong = file(
    'wrong.wast',
    '(module (func (export "f") (result i32) (i32.const 1)))\n(assert_return (invoke "f") (i32.const 2))\n(assert_return (invoke "f") (i32.const 1))',
  );
  const broken = file('broken.wast', '(module');

  test('prints a line for each script and the sum', () => {
    expect(heddle(['wast', good, good])).toEqual({
      status: 0,
      stdout: `${good}: 1 passed, 0 failed\n${good}: 1 passed, 0 failed\n2 passed, 0 failed\n`,
      stderr: '',
    });
  });

  test('ends with 1 where an assertion failed, and says which', () => {
    const { status, stdout } = heddle(['wast', good, wrong]);
    expect(status).toBe(1);
    expect(stdout).toContain(`${wrong}:2: assert_return: `);
    expect(stdout).toMatch(/\n2 passed, 1 failed\n$/);
  });

  test('a script that is none, or is missing, is one error and no success', () => {
    expect(heddle(['wast', broken])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^heddle: .*broken\.wast:1:8: .*\n.*\n.*\^\n$/),
    });
    const missing = join(folder, 'missing.wast');
    const stderr = `heddle: cannot read ${missing}: no such file or folder (HEDDLE_FILE)\n`;
    expect(heddle(['wast', missing])).toEqual({ status: 1, stdout: '', stderr });
    expect(heddle(['wast', missing, good])).toEqual({ status: 1, stdout: `${good}: 1 passed, 0 failed\n1 passed, 0 failed\n`, stderr });
  });

  test('a script without an assertion is no success', () => {
    const none = file('none.wast', '(module)');
    expect(heddle(['wast', none])).toEqual({
      status: 1,
      stdout: `${none}: no assertion in it, so nothing was tested\n0 passed, 0 failed\n`,
      stderr: '',
    });
  });

  test('says what was expected and what came, of each type', () => {
    const path = file(
      'types.wast',
      `(module (func (export "f") (param f32) (result i32 i64 f32 v128 externref)
        (i32.const -1) (i64.const -2) (local.get 0) (v128.const i16x8 1 2 3 4 5 6 7 -8) (ref.null extern)))
      (assert_return (invoke "f" (f32.const 1.1)) (i32.const 1) (i64.const -2) (f32.const 1.1) (v128.const i16x8 1 2 3 4 5 6 7 -8) (ref.null extern))
      (assert_return (invoke "f" (f32.const 1.1)) (i32.const -1) (i64.const 2) (f32.const 1.1) (v128.const i16x8 1 2 3 4 5 6 7 -8) (ref.null extern))
      (assert_return (invoke "f" (f32.const 1.1)) (i32.const -1) (i64.const -2) (f32.const nan:canonical) (v128.const i16x8 1 2 3 4 5 6 7 -8) (ref.null extern))
      (assert_return (invoke "f" (f32.const 1.1)) (i32.const -1) (i64.const -2) (f32.const 1.1) (v128.const i16x8 1 2 3 4 5 6 7 8) (ref.null extern))
      (assert_return (invoke "f" (f32.const 1.1)) (i32.const -1) (i64.const -2) (f32.const 1.1) (v128.const i16x8 1 2 3 4 5 6 7 -8) (ref.extern 1))`,
    );
    const lines = heddle(['wast', path]).stdout.split('\n').slice(0, 5);
    expect(lines.map((line) => line.replace(/^.*assert_return: /, ''))).toEqual([
      'result 0: expected i32 1, got i32 -1',
      'result 1: expected i64 2, got i64 -2',
      'result 2: expected f32 nan:canonical, got f32 1.1',
      'result 3: expected v128 i16x8 1 2 3 4 5 6 7 8, got v128 i16x8 1 2 3 4 5 6 7 -8',
      'result 4: expected externref 1, got externref null',
    ]);
  });
});

describe('heddle', () => {
  test.each(
    [[], ['--help'], ['help'], ...['run', 'validate', 'inspect', 'compile', 'wast', 'doctor'].map((c) => [c, '--help'])].map((a) => [a]),
  )('%j helps', (args) => {
    const { status, stdout, stderr } = heddle(args);
    expect(status).toBe(args.length === 0 ? 2 : 0);
    expect(args.length === 0 ? stderr : stdout).toMatch(/^Usage: heddle/);
  });

  test.each([
    [['frob']],
    [['run']],
    [['run', '--frob', 'x']],
    [['compile', 'x']],
    [['compile', 'x', '-o', 'y', '--target', 'z80']],
    [['inspect', '--ops', '--asm', 'x']],
  ])('%j is a wrong command line', (args) => {
    const { status, stdout, stderr } = heddle(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^heddle: .* \(HEDDLE_USAGE\)\n$/);
  });

  test('knows its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(output(['--version'])).toBe(`${version}\n`);
  });

  test('doctor says what it finds', () => {
    const cache = join(folder, 'doctor-cache');
    const text = output(['doctor'], { HEDDLE_CACHE: cache });
    for (const row of ['heddle', 'node', 'cpu', 'features', 'kernel', 'stack guard', 'memory maps', 'cache'])
      expect(text).toMatch(new RegExp(`^${row} +\\S`, 'm'));
    expect(text).toContain(cache);
    expect(output(['doctor'], { HEDDLE_CACHE: 'off' })).toContain('off: HEDDLE_CACHE=off');
  });

  test('an addon that is missing or no addon is one clear error', () => {
    const addon = file('heddle.node', 'not an addon');
    const { status, stderr } = heddle(['run', 'examples/odds.wat'], { HEDDLE_ADDON: addon });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heddle: the addon .* cannot be loaded \(.*\): run `npm run build` \(HEDDLE_PLATFORM\)\n$/);
  });

  test('doctor goes on without an addon, says what is wrong, and ends with status 1', () => {
    const missing = join(folder, 'no.node');
    const { status, stdout, stderr } = heddle(['doctor'], { HEDDLE_ADDON: missing });
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/^cache +\S/m);
    expect(stdout).toContain(`none: HEDDLE_ADDON names ${missing}, which does not exist\n`);
  });
});

describe('the cache', () => {
  const cache = join(folder, 'cache');
  const env = { HEDDLE_CACHE: cache, HEDDLE_VERIFY: '0' };
  const run = (): string => output(['run', 'examples/odds.wat'], env);
  /** Files that were written once and since then only read keep their numbers: a new one replaces the old by renaming. */
  const files = (): readonly (readonly [string, number])[] =>
    readdirSync(cache)
      .sort()
      .map((name) => [name, statSync(join(cache, name)).ino]);

  test('keeps code, and a program starts the same from it', () => {
    expect(run()).toBe(TEN);
    const written = files();
    expect(written.length).toBeGreaterThan(0);
    expect(run()).toBe(TEN);
    expect(files()).toEqual(written);
  });

  test('with every entry damaged is rebuilt', () => {
    run();
    const written = files();
    // The module's code, the code generator's parse of its text, and what V8 made of Heddle's own JavaScript: of what each run uses, and of what
    // only a compile and the other commands use.
    expect(written.length).toBe(4);
    for (const [name] of written) {
      const path = join(cache, name);
      const bytes = readFileSync(path);
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 0x80;
      writeFileSync(path, bytes);
    }
    expect(run()).toBe(TEN);
    const rebuilt = files();
    expect(rebuilt.map(([name]) => name)).toEqual(written.map(([name]) => name));
    expect(rebuilt.filter(([, number], i) => number === written[i]?.[1])).toEqual([]);
    expect(run()).toBe(TEN);
    expect(files()).toEqual(rebuilt);
  });

  test('is all that a program needs: what only a compile uses is not read', () => {
    run();
    // What V8 made of Heddle's own JavaScript; a process writes that of each bundle that it has read.
    for (const name of readdirSync(cache)) if (statSync(join(cache, name)).size > 100_000) rmSync(join(cache, name));
    expect(run()).toBe(TEN);
    expect(readdirSync(cache)).toHaveLength(3);
    const loaded = "process.on('exit', () => process.stderr.write(process.moduleLoadList.join('\\n')))";
    const list = heddle(['run', 'examples/odds.wat'], { ...env, NODE_OPTIONS: `--require ${file('loaded.cjs', loaded)}` }).stderr;
    expect(list).toContain('NativeModule vm');
    for (const name of ['crypto', 'worker_threads', 'child_process']) expect(list.split('\n')).not.toContain(`NativeModule ${name}`);
  });

  test('in a folder that others may write is not used', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(output(['run', 'examples/odds.wat'], { HEDDLE_CACHE: open })).toBe(TEN);
    expect(spawnSync('ls', [open], { encoding: 'utf8' }).stdout).toBe('');
  });

  test('that cannot be made does not matter', () => {
    expect(output(['run', 'examples/odds.wat'], { HEDDLE_CACHE: '/proc/none' })).toBe(TEN);
  });
});
