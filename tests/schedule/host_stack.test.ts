import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { call, parseWat, WebAssembly } from '../../ts/index.js';

const entry = new URL('../../dist/heddle.mjs', import.meta.url).href;

const RECURSIVE = [
  '(global.set $sp (i32.sub (global.get $sp) (i32.const 64))) (resume $k (cont.new $k (ref.func $kid))) (i32.const 4096)',
  'shadow stack overflow: its allocator failed: call stack exhausted',
] as const;

/** What an allocator of a shadow stack, which is code of the module, may do instead of its work; and what comes of a call then. */
const ALLOCATORS: Readonly<Record<string, readonly [body: string, message: string | undefined]>> = {
  'resumes a continuation, for which it is called again': RECURSIVE,
  'resumes two of them': [
    `(global.set $sp (i32.sub (global.get $sp) (i32.const 64))) (resume $k (cont.new $k (ref.func $kid)))
     (resume $k (cont.new $k (ref.func $kid))) (i32.const 4096)`,
    RECURSIVE[1],
  ],
  'calls its caller by way of JavaScript': ['(call $again) (i32.const 4096)', 'shadow stack overflow: its allocator threw an exception'],
  traps: ['unreachable', 'shadow stack overflow: its allocator failed: unreachable'],
  throws: ['(throw $e)', 'shadow stack overflow: its allocator threw an exception'],
  suspends: ['(suspend $t) (i32.const 4096)', 'shadow stack overflow: its allocator failed: unhandled tag'],
  'never ends': ['(loop $l (br $l)) (i32.const 0)', 'the deadline of the call has passed'],
  'has nothing': [
    '(i32.const 0)',
    'shadow stack overflow: calls that wait have all of it; the option shadowStack.size makes parts smaller, shadowStack.allocator gives it space',
  ],
  works: ['(i32.const 4096)', undefined],
};

const moduleOf = (body: string): string => `(module (type $f (func)) (type $k (cont $f)) (tag $t) (tag $e)
  (import "m" "again" (func $again))
  (memory (export "memory") 2) (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
  (func $kid (global.set $sp (i32.sub (global.get $sp) (i32.const 32))) (suspend $t) (global.set $sp (i32.add (global.get $sp) (i32.const 32))))
  (elem declare func $kid)
  (func (export "malloc") (param i32) (result i32) ${body})
  (func (export "free") (param i32))
  (func (export "fine") (result i32) (i32.const 42))
  (func (export "go") (local $k (ref null $k))
    (global.set $sp (i32.sub (global.get $sp) (i32.const 64)))
    (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $kid))) (return)) (local.set $k)
    (resume $k (local.get $k))
    (global.set $sp (i32.add (global.get $sp) (i32.const 64)))))`;

const OPTIONS = { shadowStack: { pointer: '__stack_pointer', allocator: { allocate: 'malloc', free: 'free' } } };

describe.each(Object.entries(ALLOCATORS))('an allocator that %s', (_name, [body, message]) => {
  test('ends the call as it should, each time', () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(moduleOf(body)), OPTIONS), {
      m: { again: () => (exports['go'] as () => void)() },
    });
    const go = exports['go'] as () => void;
    for (let i = 0; i < 3; i++) {
      const run = (): unknown => call(go, [], { deadline: message === ALLOCATORS['never ends']?.[1] ? 50 : 0 });
      if (message === undefined) expect(run()).toBeUndefined();
      else expect(run).toThrow(message);
      expect((exports['fine'] as () => number)()).toBe(42);
    }
  });
});

/** Calls that nest without end, by JavaScript and by an allocator, on the stack of this thread or of a Worker. Prints the errors. */
const NESTING = `
  import { Worker, isMainThread } from 'node:worker_threads';
  const { WebAssembly, parseWat } = await import(process.env.HEDDLE_ENTRY);
  if (isMainThread && process.env.MIB !== '') {
    const worker = new Worker(process.argv[1], { resourceLimits: { stackSizeMb: Number(process.env.MIB) } });
    worker.on('error', (error) => console.log('worker:', error.message));
  } else {
    const report = (f) => { try { f(); console.log('returned'); } catch (error) { console.log(error.name + ': ' + error.message.replace(/:.*thread.*/, '')); } };
    const nesting = new WebAssembly.Instance(new WebAssembly.Module(parseWat('(module (import "m" "f" (func $f)) (func (export "go") (call $f)))')),
      { m: { f: () => nesting.exports.go() } });
    const module = new WebAssembly.Module(parseWat(process.env.TEXT), ${JSON.stringify(OPTIONS)});
    const { exports } = new WebAssembly.Instance(module, { m: { again() {} } });
    for (let i = 0; i < 2; i++) {
      report(nesting.exports.go);
      report(exports.go);
    }
  }`;

const folder = mkdtempSync(join(tmpdir(), 'heddle-host-stack-'));
const file = join(folder, 'nesting.mjs');
writeFileSync(file, NESTING);
afterAll(() => rmSync(folder, { recursive: true }));

const V8S = 'RangeError: Maximum call stack size exceeded';
const OURS = 'RangeError: call stack exhausted';

describe.each([
  // The size of the thread's stack that V8 believes in, or of a Worker's; and whose error comes first.
  ['as Node begins', [], '', V8S],
  ['with little for V8', ['--stack-size=300'], '', V8S],
  ['with more for V8 than there is', ['--stack-size=60000'], '', OURS],
  ['of a small Worker', [], '0.5', V8S],
  ['of a Worker', [], '1', V8S],
  ['of a large Worker', [], '16', V8S],
] as const)('the stack of a thread, %s', (_name, flags, mebibytes, error) => {
  test('ends with an error, each time', () => {
    const text = moduleOf(RECURSIVE[0]);
    // Where every safepoint collects, each call would look at all the calls that it is nested in.
    const env = { ...process.env, HEDDLE_COLLECT: '', HEDDLE_CACHE: folder, HEDDLE_ENTRY: entry, MIB: mebibytes, TEXT: text };
    const output = execFileSync(process.execPath, [...flags, file], { encoding: 'utf8', env });
    const allocator = `RuntimeError: ${RECURSIVE[1]}`;
    expect(output.trim().split('\n')).toEqual([error, allocator, error, allocator]);
  });
});
