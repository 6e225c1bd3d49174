/**
 * Where WebAssembly's frames stand in the stacks of errors, and what stands there of Heddle's own: nothing.
 */
import { expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat, Scheduler } from '../../ts/index.js';

type Exports = Heddle.Exports;

function instance(text: string, env: Record<string, unknown> = {}): Exports {
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports as Exports;
}

/** The names of an error's frames, as far as `last`. */
function frames(error: unknown, last: string): string[] {
  const lines = ((error as Error).stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  const names = lines.map((line) => / at (?:async )?(?:\w+\.)?([$\w]+) \(/.exec(line)?.[1] ?? line);
  return names.slice(0, names.indexOf(last) + 1);
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const NESTED = `(module $nested (import "env" "js" (func $js)) (func $inner (export "inner") unreachable)
  (func $outer (export "outer") (call $middle)) (func $middle (call $js)))`;

test('a trap shows the frames of each entry where it was entered', () => {
  const exports: Exports = instance(NESTED, {
    js: function userImport() {
      exports['inner']?.();
    },
  });
  function userCaller(): void {
    exports['outer']?.();
  }
  expect(frames(thrownBy(userCaller), 'userCaller')).toEqual(['inner', 'userImport', 'middle', 'outer', 'userCaller']);
});

test('also where the values are more than few numbers', () => {
  const text = `(module (import "env" "js" (func $js (param externref) (result externref)))
    (func $inner (export "inner") (param externref) (result externref) unreachable)
    (func $outer (export "outer") (param externref) (result externref) (call $js (local.get 0))))`;
  const exports: Exports = instance(text, {
    js: function userImport(value: unknown) {
      return exports['inner']?.(value);
    },
  });
  function userCaller(): void {
    exports['outer']?.({});
  }
  expect(frames(thrownBy(userCaller), 'userCaller')).toEqual(['inner', 'userImport', 'outer', 'userCaller']);
});

test('a trap of a task, or of a call of promising, shows no frame of Heddle', async () => {
  const wait = new Heddle.Suspending(() => Promise.resolve());
  const { run } = instance('(module (import "env" "wait" (func $wait)) (func $run (export "run") (call $wait) unreachable))', { wait });
  const errors = await Promise.all([
    Heddle.promising(run)().catch((error: unknown) => error),
    new Scheduler().spawn(run).promise.catch((error: unknown) => error),
  ]);
  for (const error of errors) {
    const { stack = '' } = error as Error;
    expect(stack).toMatch(/^RuntimeError: .*\n {4}at run \(/);
    expect(stack).not.toMatch(/\/ts\/(schedule|instance|errors|api)\//);
  }
});

test('what a program makes of stacks keeps, and sees the frames of JavaScript', () => {
  const { inner } = instance(NESTED, { js: () => undefined });
  const prepared: string[] = [];
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, sites) => {
    prepared.push(...sites.map((site) => site.getFunctionName() ?? ''));
    return `mine: ${error.message}`;
  };
  function userCaller(): void {
    inner?.();
  }
  let stack: string | undefined;
  try {
    stack = (thrownBy(userCaller) as Error).stack;
  } finally {
    Error.prepareStackTrace = before;
  }
  expect(stack).toMatch(/^mine: unreachable/);
  expect(prepared).toContain('userCaller');
});

test('a module without a name is told by its bytes, in each run the same', () => {
  const text = '(module (func (export "f") unreachable))';
  const stacks = [1, 2].map(() => (thrownBy(() => instance(text)['f']?.()) as Error).stack?.split('\n')[1]);
  expect(stacks[0]).toBe(stacks[1]);
  expect(stacks[0]).toMatch(/module-[0-9a-f]{8}:wasm-function\[0\]/);
  const other = (thrownBy(() => instance('(module (func) (func (export "f") unreachable))')['f']?.()) as Error).stack?.split('\n')[1];
  expect(other?.replace('[1]', '[0]')).not.toBe(stacks[0]);
});

test('bytes that only look like such an operator are no reason', () => {
  const constant = parseWat('(module (func (export "f") (result f64) (f64.const nan:0x0fb02fb00fb01)))');
  expect(Heddle.validate(constant)).toBe(true);
});
