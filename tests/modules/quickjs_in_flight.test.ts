/**
 * The QuickJS build of npm, many programs at once in one instance: it has neither names nor an export of its stack pointer, so that its prologues tell.
 */
import { setTimeout as later } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { defineAsync, QuickJsEngine, quickJsAllocator } from './quickjs_engine.js';

/** What `program` computes, in this JavaScript. */
const fibonacci = (n: number): number => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));

describe('QuickJS with asynchronous host functions', () => {
  test('100 programs wait at the same time in one instance', async () => {
    const engine = await QuickJsEngine.load({ allocator: quickJsAllocator, size: 64 * 1024 });
    let [waiting, most] = [0, 0];
    const programs = Array.from({ length: 100 }, async (_, i) => {
      const vm = engine.context();
      defineAsync(vm, 'wait', async (value) => {
        most = Math.max(most, ++waiting);
        await later((i * 7) % 23);
        waiting--;
        return Number(value) + 1;
      });
      const value = await engine.evaluate(
        vm,
        `const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2);
         let total = 0;
         for (const k of [1, 2, 3]) total += [${i}].map((x) => wait(x * k))[0] * fib(k + 5);
         JSON.stringify({ total, text: 'program ' + ${i} })`,
      );
      const total = [1, 2, 3].reduce((sum, k) => sum + (i * k + 1) * fibonacci(k + 5), 0);
      expect(JSON.parse(String(value))).toEqual({ total, text: `program ${i}` });
      engine.dispose(vm);
    });
    await Promise.all(programs);
    expect(most).toBe(100);
  });

  test('a recursion 1,000 deep inside a call that waits', async () => {
    const engine = await QuickJsEngine.load({ allocator: quickJsAllocator, size: 1024 * 1024 });
    const results = [3, 4].map(async (step) => {
      const vm = engine.context();
      defineAsync(vm, 'wait', async (value) => {
        await later(1);
        return Number(value) * step;
      });
      return engine.evaluate(vm, 'const down = (n) => n === 0 ? wait(1) : n + down(n - 1); [down(1000), wait(2), down(1000)].join()');
    });
    const sum = (1000 * 1001) / 2;
    expect(await Promise.all(results)).toEqual([`${sum + 3},6,${sum + 3}`, `${sum + 4},8,${sum + 4}`]);
  });

  test('a program that throws, and a host function that fails', async () => {
    const engine = await QuickJsEngine.load({ low: 90_208 });
    const vm = engine.context();
    defineAsync(vm, 'wait', async (value) => {
      await later(1);
      return Number(value);
    });
    await expect(engine.evaluate(vm, 'throw new RangeError(`after ${wait(5)}`)')).rejects.toMatchObject({
      name: 'RangeError',
      message: 'after 5',
    });
    expect(await engine.evaluate(vm, 'wait(6)')).toBe(6);
  });

  test('where nobody says how large its stack is, a second program may not wait', async () => {
    const engine = await QuickJsEngine.load({});
    const values = ['1', '2'].map((program) => {
      const vm = engine.context();
      defineAsync(vm, 'wait', async (value) => {
        await later(5);
        return Number(value);
      });
      return engine.evaluate(vm, `wait(${program})`);
    });
    const [first, second] = await Promise.allSettled(values);
    expect(first).toEqual({ status: 'fulfilled', value: 1 });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'HEDDLE_TRAP_SHADOW_STACK' } });
  });
});
