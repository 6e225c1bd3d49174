/** Calls that end inside one of Emscripten's `invoke_…`: by deadlines, timeouts, cancellations, overflows. The stack pointer is then where the call began. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { call, WebAssembly as Heddle, parseWat, Scheduler } from '../../ts/index.js';

const TOP = 65_536;
const module = new Heddle.Module(
  parseWat(`(module (import "env" "invoke_v" (func $invoke (param i32))) (import "env" "wait" (func $wait))
    (memory (export "memory") 2) (global $sp (mut i32) (i32.const ${TOP})) (global $threw (mut i32) (i32.const 0))
    (table (export "table") 4 funcref) (elem (i32.const 1) $spins $overflows $waits)
    (func $frame (global.set $sp (i32.sub (global.get $sp) (i32.const 64))))
    (func $spins (call $frame) (loop (br 0)))
    (func $overflows (call $frame) (call $overflows) (call $overflows))
    (func $waits (call $frame) (call $wait) (global.set $sp (i32.add (global.get $sp) (i32.const 64))))
    (func (export "save") (result i32) (global.get $sp))
    (func (export "restore") (param i32) (global.set $sp (local.get 0)))
    (func (export "setThrew") (param i32 i32) (global.set $threw (local.get 0)))
    (func (export "run") (param i32) (result i32) (call $invoke (local.get 0)) (global.get $threw)))`),
);
const [SPINS, OVERFLOWS, WAITS] = [1, 2, 3];

interface Exports {
  readonly run: (index: number) => number;
  readonly save: () => number;
  readonly restore: (pointer: number) => void;
  readonly setThrew: (threw: number, value: number) => void;
  readonly table: WebAssembly.Table;
}

const ends: { settle: (value?: unknown) => void; fail: (reason: unknown) => void } = { settle: () => {}, fail: () => {} };
const wait = new Heddle.Suspending(
  () =>
    new Promise((settle, fail) => {
      Object.assign(ends, { settle, fail });
    }),
);

function instance(): Exports {
  const made: { exports?: Exports } = {};
  const own = (): Exports => made.exports as Exports;
  const stackSave = (): number => own().save();
  const stackRestore = (pointer: number): void => own().restore(pointer);
  const getWasmTableEntry = (index: number): (() => void) => own().table.get(index) as () => void;
  const setThrew = (threw: number, value: number): void => own().setThrew(threw, value);
  const glue = new Function(
    'stackSave',
    'stackRestore',
    'getWasmTableEntry',
    '_setThrew',
    'return function invoke_v(index) { var sp = stackSave(); try { getWasmTableEntry(index)(); } catch (e) { stackRestore(sp); if (e !== e + 0) throw e; _setThrew(1, 0); } }',
  ) as (...names: unknown[]) => () => void;
  const env = { invoke_v: glue(stackSave, stackRestore, getWasmTableEntry, setThrew), wait };
  made.exports = new Heddle.Instance(module, { env }).exports as unknown as Exports;
  return made.exports;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code ?? error;

test.each([5, 0.000001])('a deadline of %d ms', (deadline) => {
  const { run, save } = instance();
  expect(() => call(run, [SPINS], { deadline })).toThrow(expect.objectContaining({ code: 'HEDDLE_TRAP_DEADLINE' }));
  expect(save()).toBe(TOP);
});

test('an overflow', () => {
  const { run, save } = instance();
  expect(() => run(OVERFLOWS)).toThrow(RangeError);
  expect(save()).toBe(TOP);
});

test.each<readonly [string, () => void, unknown]>([
  ['is settled', () => ends.settle(), 0],
  ['is rejected with a number, which the glue catches', () => ends.fail(5), 1],
  ['is rejected with what it does not', () => ends.fail('other'), 'other'],
])('a wait that %s', async (_, end, expected) => {
  const { run, save } = instance();
  const result = Heddle.promising(run)(WAITS).catch((error: unknown) => error);
  await turn();
  end();
  expect(await result).toBe(expected);
  expect(save()).toBe(TOP);
});

test.each([
  ['that is cancelled', WAITS, {}, 'HEDDLE_CANCELLED'],
  ['whose time is over while it waits', WAITS, { timeout: 10 }, 'HEDDLE_TIMEOUT'],
  ['whose time is over while it runs', SPINS, { timeout: 10 }, 'HEDDLE_TIMEOUT'],
] as const)('a task %s', async (_, index, options, code) => {
  const { run, save } = instance();
  const task = new Scheduler().spawn(run, [index], options);
  const result = task.promise.catch(codeOf);
  await turn();
  if (!('timeout' in options)) task.cancel();
  expect(await result).toBe(code);
  expect(save()).toBe(TOP);
});
