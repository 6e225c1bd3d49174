/** Programs in JavaScript on Heddle as they are: `heddle/register`, and `heddle run app.mjs`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'heddle-register-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HOOK = join(root, 'dist/register.mjs');
const WAYS: Record<string, readonly string[]> = {
  '--import': ['--import', HOOK],
  '--require': ['--require', join(root, 'dist/register.cjs')],
  'heddle run': [join(root, 'bin/heddle.cjs'), 'run'],
};

function program(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function run(args: readonly string[], env: Record<string, string> = {}): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env }, cwd: folder });
}

/** The global of a V8 without stack switching has none of this; Heddle's SuspendError is its own there, and tags are its own everywhere. */
const IS_HEDDLE = `(() => { try { return new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]), { shadowStak: 1 }) && false; } catch (e) { return e.code === 'HEDDLE_ARGUMENT'; } })()`;

describe.each(Object.entries(WAYS))('%s', (_, way) => {
  test('an ES module, with its arguments', () => {
    const path = program('app.mjs', `console.log(${IS_HEDDLE}, import.meta.url, process.argv.slice(1));`);
    const { stdout, stderr } = run([...way, path, 'a', '--b']);
    expect(stderr).toBe('');
    expect(stdout).toBe(`true file://${path} [ '${path}', 'a', '--b' ]\n`);
  });

  test('a CommonJS module', () => {
    const path = program('app.cjs', `console.log(${IS_HEDDLE}, __filename, require.main === module || 'imported');`);
    expect(run([...way, path]).stdout).toMatch(new RegExp(`^true ${path} (true|imported)\n$`));
  });

  test('workers: of files and of text, with options of their own, and workers of workers', () => {
    const answer = `require('node:worker_threads').parentPort.postMessage(${IS_HEDDLE})`;
    program('worker.mjs', `import { parentPort } from 'node:worker_threads'; parentPort.postMessage(${IS_HEDDLE});`);
    const nested = `const { Worker, parentPort } = require('node:worker_threads');
      new Worker(${JSON.stringify(answer)}, { eval: true, execArgv: [] }).on('message', (m) => parentPort.postMessage(m));`;
    const path = program(
      'workers.mjs',
      `import { Worker } from 'node:worker_threads';
       import threads from 'node:worker_threads';
       const ask = (file, options) => new Promise((resolve, reject) => new Worker(file, options).on('message', resolve).on('error', reject));
       const answer = ${JSON.stringify(answer)};
       console.log(Worker.name, threads.Worker === Worker, new Worker(answer, { eval: true }) instanceof Worker);
       console.log(
         await ask(new URL('worker.mjs', import.meta.url)),
         await ask(new URL('worker.mjs', import.meta.url), { execArgv: ['--no-warnings'] }),
         await ask(answer, { eval: true }),
         await ask(answer, { eval: true, execArgv: [] }),
         await ask(answer, { eval: true, env: {} }),
         await ask(${JSON.stringify(nested)}, { eval: true }),
       );`,
    );
    // Options of the whole process, which a worker cannot be given.
    const { stdout, stderr } = run(['--expose-gc', '--stack-size=900', ...way, path]);
    expect(stderr).toBe('');
    expect(stdout).toBe('Worker true true\ntrue true true true true true\n');
  });

  test('processes that fork makes', () => {
    program('child.cjs', `process.send(${IS_HEDDLE}); process.disconnect();`);
    const path = program(
      'parent.mjs',
      `import { fork } from 'node:child_process'; fork('./child.cjs').on('message', (answer) => console.log(answer));`,
    );
    expect(run([...way, path]).stdout).toBe('true\n');
  });

  test('errors and statuses are the program’s', () => {
    const thrown = run([...way, program('throws.mjs', 'throw new Error("of the program");')]);
    expect(thrown.status).toBe(1);
    expect(thrown.stderr).toMatch(/Error: of the program\n\s+at file:.*throws\.mjs:1:7/);
    expect(run([...way, program('exits.mjs', 'process.exitCode = 7;')]).status).toBe(7);
    expect(run([...way, program('later.mjs', 'setTimeout(() => process.exit(9), 10);')]).status).toBe(9);
  });
});

describe('HEDDLE_OPTIONS', () => {
  const app = program(
    'options.mjs',
    `import { statistics } from ${JSON.stringify(join(root, 'dist/heddle.mjs'))};
     import { parseWat } from ${JSON.stringify(join(root, 'dist/heddle.mjs'))};
     const text = '(module (type $f (func)) (type $k (cont $f)) (func $e) (elem declare func $e) (func (export "go") (resume $k (cont.new $k (ref.func $e)))))';
     new WebAssembly.Instance(new WebAssembly.Module(parseWat(text))).exports.go();
     console.log(statistics().stackBytesReserved > 0);
     const deep = '(module (type $f (func)) (type $k (cont $f)) (func $e (call $n (i32.const 5000))) (func $n (param i32) (if (local.get 0) (then (call $n (i32.sub (local.get 0) (i32.const 1)))))) (elem declare func $e) (func (export "go") (resume $k (cont.new $k (ref.func $e)))))';
     try { new WebAssembly.Instance(new WebAssembly.Module(parseWat(deep))).exports.go(); console.log('deep'); } catch (e) { console.log(e.code); }`,
  );
  const output = (options: string): string => {
    const { stdout, stderr } = run(['--import', HOOK, app], { HEDDLE_OPTIONS: options });
    return stdout + stderr;
  };

  test('are those of configure', () => {
    expect(output('')).toBe('true\ndeep\n');
    expect(output('{"stack":{"size":16384}}')).toBe('true\nHEDDLE_TRAP_STACK_OVERFLOW\n');
  });

  test('and those of modules, for modules that say nothing else', () => {
    const loops = program(
      'loops.mjs',
      `import { call, parseWat } from ${JSON.stringify(join(root, 'dist/heddle.mjs'))};
       const bytes = parseWat('(module (func (export "go") (param i32) (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0)))))');
       const end = (options) => { try { call(new WebAssembly.Instance(new WebAssembly.Module(bytes, options)).exports.go, [1 << 30], { deadline: 20 }); return 'ended'; } catch (e) { return e.code; } };
       console.log(end(), end({ interruptible: true }));`,
    );
    const { stdout } = run(['--import', HOOK, loops], { HEDDLE_OPTIONS: '{"interruptible":false}' });
    expect(stdout).toBe('ended HEDDLE_TRAP_DEADLINE\n');
  });

  test('among them when their functions are compiled', () => {
    const size = program(
      'size.mjs',
      `import { parseWat, statistics } from ${JSON.stringify(join(root, 'dist/heddle.mjs'))};
       const before = statistics().codeBytes;
       const f = (name) => '(func (export "' + name + '") (param f64) (result f64) ' + '(f64.sqrt '.repeat(500) + '(local.get 0)' + ')'.repeat(500) + ')';
       new WebAssembly.Instance(new WebAssembly.Module(parseWat('(module ' + f('a') + f('b') + ')')));
       console.log(statistics().codeBytes - before);`,
    );
    const bytes = (options: string): number => Number(run(['--import', HOOK, size], { HEDDLE_OPTIONS: options }).stdout);
    const eager = bytes('{"compile":"eager"}');
    expect(eager).toBeGreaterThan(4000);
    expect(bytes('{"compile":"lazy"}')).toBeLessThan(eager / 2);
  });

  test.each([
    ['{"stak":1}', 'HEDDLE_OPTIONS has no option "stak": the nearest is stack', 'HEDDLE_ARGUMENT'],
    ['{"stack":{"size":-1}}', 'the option stack.size must be', 'HEDDLE_ARGUMENT'],
    ['{', 'HEDDLE_OPTIONS is not JSON', 'HEDDLE_ARGUMENT'],
    ['7', 'the options of HEDDLE_OPTIONS must be an object, not 7', 'HEDDLE_ARGUMENT'],
    ['[]', 'the options of HEDDLE_OPTIONS must be an object, not an array', 'HEDDLE_ARGUMENT'],
    ['{"stack":[]}', 'the option stack must be an object, not an array', 'HEDDLE_ARGUMENT'],
    ['{"compile":"later"}', 'the option compile must be', 'HEDDLE_ARGUMENT'],
  ])('%s is an error that says so', (options, message, code) => {
    expect(output(options)).toContain(message);
    expect(output(options)).toContain(code);
  });
});

test('V8’s own stays reachable', () => {
  const path = program(
    'v8.mjs',
    `import { V8 } from ${JSON.stringify(HOOK)};
     console.log(V8 !== WebAssembly, new V8.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) instanceof WebAssembly.Module, WebAssembly.Memory === V8.Memory);`,
  );
  expect(run(['--import', HOOK, path]).stdout).toBe('true false true\n');
});
