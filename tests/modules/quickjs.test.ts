/** QuickJS from npm through its own glue: as under V8, and with host functions that give promises. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { QuickJSAsyncContext, QuickJSContext, QuickJSHandle } from 'quickjs-emscripten-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure, WebAssembly as Heddle } from '../../ts/index.js';
import { quickjs, waitingQuickjs } from './quickjs.mjs';

// QuickJS takes about 600 bytes of stack for a call inside of it, and has a limit of its own, which V8's stack is too small for.
configure({ stack: { size: 1 << 20 }, entryStackSize: 8 << 20 });

/** What a program gives or throws, as a value. */
function evaluate(context: QuickJSContext, program: string): unknown {
  const result = context.evalCode(program);
  return result.error === undefined ? result.value.consume(context.dump) : { thrown: result.error.consume(context.dump) };
}

async function evaluateWaiting(context: QuickJSAsyncContext, program: string): Promise<unknown> {
  const result = await context.evalCodeAsync(program);
  return result.error === undefined ? result.value.consume(context.dump) : { thrown: result.error.consume(context.dump) };
}

describe('host functions that return at once', () => {
  let ours: QuickJSContext;
  let v8: QuickJSContext;

  beforeAll(async () => {
    ours = (await quickjs(Heddle)).newContext();
    v8 = (await quickjs(WebAssembly)).newContext();
    for (const context of [ours, v8]) {
      const scale = context.newFunction('scale', (a, b) => context.newNumber(context.getNumber(a) * context.getNumber(b)));
      scale.consume((f) => context.setProp(context.global, 'scale', f));
      const fails = context.newFunction('fails', () => {
        throw new Error('the host says no');
      });
      fails.consume((f) => context.setProp(context.global, 'fails', f));
    }
  }, 60_000);

  test.each([
    '[3, 1, 2].sort().map((x) => x ** 2).join()',
    'JSON.stringify({ a: [1, { b: null }], c: "\\u00e9" })',
    '"the quick brown fox".replace(/(\\w+) (\\w+)/g, "$2 $1")',
    'let x = 1n; for (let i = 1n; i <= 50n; i++) x *= i; String(x)',
    'function* g() { for (let i = 0; i < 5; i++) yield i * i; } [...g()].reduce((a, b) => a + b)',
    'new Float64Array([0.1, 0.2]).reduce((a, b) => a + b)',
    'scale(6, 7) + scale(0.5, 3)',
    'try { fails() } catch (e) { e.message }',
    'null.x',
    'this is no program',
    'function down(n) { return n === 0 ? 0 : 1 + down(n - 1) } down(1000)',
  ])('%s', (program) => {
    const result = evaluate(ours, program);
    const expected = evaluate(v8, program);
    // Lines of QuickJS's own stack are the same as well.
    expect(result).toEqual(expected);
    expect(result).toBeDefined();
  });

  test("a recursion without end meets QuickJS's own limit, which the program may catch", () => {
    const program = 'function endless() { return endless() + 1 } try { endless() } catch (e) { e.name + ": " + e.message }';
    expect(evaluate(ours, program)).toBe('InternalError: stack overflow');
    expect(evaluate(ours, '1 + 1')).toBe(2);
  });
});

describe('host functions that give promises, without Asyncify', () => {
  let context: QuickJSAsyncContext;
  let waiting = 0;

  beforeAll(async () => {
    context = (await waitingQuickjs(Heddle)).newContext();
    const define = (name: string, fn: (...args: QuickJSHandle[]) => Promise<QuickJSHandle>): void =>
      context.newAsyncifiedFunction(name, fn).consume((f) => context.setProp(context.global, name, f));
    define('later', async (x = context.undefined) => {
      const value = context.getNumber(x);
      waiting++;
      await sleep(1);
      waiting--;
      return context.newNumber(value + 1);
    });
    define('refused', async () => {
      await sleep(1);
      throw new Error('not today');
    });
    const now = context.newFunction('now', (x) => context.newNumber(context.getNumber(x) + 1));
    now.consume((f) => context.setProp(context.global, 'now', f));
  }, 60_000);

  test('the program sees the value, and the event loop goes on meanwhile', async () => {
    const result = evaluateWaiting(context, 'later(40) + later(0)');
    expect(waiting).toBe(1);
    expect(await result).toBe(42);
  });

  test('many calls one after another, from inside functions, loops and sorting', async () => {
    expect(await evaluateWaiting(context, 'var n = 0; for (let i = 0; i < 100; i++) n = later(n); n')).toBe(100);
    // A comparison function is called by C code in the middle of a sort.
    expect(await evaluateWaiting(context, '[5, 3, 9, 1].sort((a, b) => later(a) - later(b)).join()')).toBe('1,3,5,9');
    expect(await evaluateWaiting(context, '[1, 2, 3].map(later).join()')).toBe('2,3,4');
  });

  test('a promise that is rejected is an exception that the program may catch', async () => {
    expect(await evaluateWaiting(context, 'try { refused() } catch (e) { "caught: " + e.message }')).toBe('caught: not today');
    expect(await evaluateWaiting(context, 'refused()')).toMatchObject({ thrown: { name: 'Error', message: 'not today' } });
    expect(await evaluateWaiting(context, 'later(1)')).toBe(2);
  });

  test('a recursion 1,000 deep waits at its bottom and returns', async () => {
    expect(await evaluateWaiting(context, 'function down(n) { return n === 0 ? later(0) : 1 + down(n - 1) } down(1000)')).toBe(1001);
    expect(await evaluateWaiting(context, 'later(0); function up(n) { return n === 0 ? 0 : 1 + up(n - 1) } up(1000)')).toBe(1000);
  });

  test('a plain value does not make the program wait', async () => {
    expect(await evaluateWaiting(context, 'now(41)')).toBe(42);
    expect(waiting).toBe(0);
  });
});
