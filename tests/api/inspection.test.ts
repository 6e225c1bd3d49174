/** What `util.inspect` shows of Heddle's objects: what they are, and how they are. Expected values are the module's text. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Continuation, parseWat, Scheduler, WebAssembly } from '../../ts/index.js';

const TEXT = `(module $shop
  (import "env" "price" (func $price (param i32) (result i32)))
  (import "env" "oops" (tag $oops (param i32 i64)))
  (tag $ask (export "ask") (param i32) (result i64))
  (global (export "g") (mut i64) (i64.const 5))
  (global (export "v") v128 (v128.const i64x2 0 0))
  (table (export "t") 3 10 funcref)
  (func $total (export "total") (param i32) (result i32) (call $price (local.get 0)))
  (func (export "fail") (throw $oops (i32.const 7) (i64.const 8)))
  (func $asks (export "asks") (result f64) (drop (suspend $ask (i32.const 1))) (f64.const 2)))`;

const oops = new WebAssembly.Tag({ parameters: ['i32', 'i64'] });

async function shop() {
  const waiting: ((value: number) => void)[] = [];
  const price = new WebAssembly.Suspending(() => new Promise((resolve) => waiting.push(resolve)));
  const bytes = parseWat(TEXT);
  return { ...(await WebAssembly.instantiate(bytes, { env: { price, oops } })), bytes, waiting, price };
}

/** Node before 26 puts the class in front of a tag that ends with it: `Tag [WebAssembly.Tag]`. */
const line = (value: unknown): string =>
  inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 4 }).replace(
    /\b(\w+) \[WebAssembly\.\1\]/g,
    'WebAssembly.$1',
  );

test('a Module: its name, size, imports and exports', async () => {
  const { module, bytes } = await shop();
  expect(line(module)).toBe(
    `WebAssembly.Module { name: 'shop', bytes: ${bytes.length}, imports: [ 'function env.price', 'tag env.oops' ], ` +
      `exports: [ 'tag ask', 'global g', 'global v', 'table t', 'function total', 'function fail', 'function asks' ] }`,
  );
});

test('an Instance: its module and its exports', async () => {
  const { instance } = await shop();
  const text = line(instance);
  expect(text).toContain("WebAssembly.Instance { module: 'shop', exports: { ask: WebAssembly.Tag {");
  expect(text).toContain('asks: [Function');
});

test('a Global: type and value, where that crosses to JavaScript', async () => {
  const { g, v } = (await shop()).instance.exports;
  g.value = 6n;
  expect(line(g)).toBe("WebAssembly.Global { type: 'i64', mutable: true, value: 6n }");
  expect(line(v)).toBe("WebAssembly.Global { type: 'v128', mutable: false }");
});

test('a Table: type, length and limits', async () => {
  const { t } = (await shop()).instance.exports;
  t.grow(1);
  expect(line(t)).toBe("WebAssembly.Table { element: 'funcref', length: 4, maximum: 10 }");
  const wide = new WebAssembly.Table({ element: 'externref', initial: 1n, address: 'i64' });
  expect(line(wide)).toBe("WebAssembly.Table { element: 'externref', length: 1n, address: 'i64' }");
});

test('a Tag: name and types', async () => {
  const { ask } = (await shop()).instance.exports;
  expect(line(ask)).toBe("WebAssembly.Tag { name: 'ask', parameters: [ 'i32' ], results: [ 'i64' ] }");
});

test('an Exception: tag and payload, and where it was made', async () => {
  const { fail } = (await shop()).instance.exports;
  let thrown: unknown;
  try {
    fail();
  } catch (error) {
    thrown = error;
  }
  expect(line(thrown)).toMatch(/^WebAssembly\.Exception: uncaught exception: .* \{ code: 'HEDDLE_EXCEPTION', payload: \[ 7, 8n \] \}$/);
  expect(line(new WebAssembly.Exception(oops, [1, 2n], { traceStack: true }))).toContain('inspection.test.ts');
});

test('a Continuation: state, function, what it takes and returns', async () => {
  const { asks } = (await shop()).instance.exports;
  const first = new Continuation(asks);
  expect(line(first)).toBe("Continuation { state: 'fresh', function: 'asks', takes: [], returns: [ 'f64' ] }");
  const step = first.resume();
  if (step.done) throw new Error('it must have suspended');
  expect(line(first)).toBe("Continuation { state: 'used' }");
  expect(line(step.continuation)).toBe("Continuation { state: 'suspended', function: 'asks', takes: [ 'i64' ], returns: [ 'f64' ] }");
  step.continuation.cancel();
  expect(line(step.continuation)).toBe("Continuation { state: 'done' }");
});

test('a Task and a Scheduler: state, what it waits in, counters', async () => {
  const { instance, waiting, price } = await shop();
  const scheduler = new Scheduler({ maximum: 1 });
  const task = scheduler.spawn(instance.exports['total'], [1], { name: 'a sum' });
  const queued = scheduler.spawn(instance.exports['total'], [2], { priority: 5 });
  await new Promise(setImmediate);
  expect(line(task)).toBe("Task { id: 1, name: 'a sum', state: 'waiting', import: 'env.price', priority: 3 }");
  expect(line(queued)).toBe("Task { id: 2, name: 'total', state: 'queued', priority: 5 }");
  expect(line(scheduler)).toContain('Scheduler { maximum: 1, spawned: 2, queued: 1, active: 1, ready: 0, completed: 0');
  expect(line(price)).toContain('WebAssembly.Suspending { function: [Function');
  waiting[0]?.(3);
  await task.promise;
  expect(line(task)).toBe("Task { id: 1, name: 'a sum', state: 'ended', priority: 3 }");
  queued.cancel();
  await queued.promise.catch(() => undefined);
  const group = scheduler.group();
  expect(line(group)).toBe('TaskGroup { size: 0, spawned: 0, cancelled: false }');
});

test('what only has their prototype is shown as any other object', () => {
  const { Module, Instance, Table, Global, Tag, Exception, Suspending } = WebAssembly;
  for (const type of [Module, Instance, Table, Global, Tag, Exception, Suspending, Continuation, Scheduler]) {
    const made: unknown = Object.create(type.prototype);
    expect(line(made)).toMatch(/\{\}$/);
    expect(line(type.prototype)).not.toContain('state');
  }
});
