/**
 * Shared memories and atomics between threads that each have an instance of one module. What is expected is arithmetic (a count of increments that get lost unless
 * they are atomic), the specification's numbers, and JavaScript's own Atomics on the same buffer.
 */
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { call, type ExportedFunction, WebAssembly as Heddle, parseWat } from '../../ts/index.js';

const TEXT = `(module
  (import "m" "memory" (memory 1 100 shared))
  (func (export "add") (param $n i32)
    (loop $again
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
      (drop (i64.atomic.rmw8.add_u (i32.const 16) (i64.const 1)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n))))
  ;; A lock at 24 around an increment of 32 that is not atomic.
  (func (export "locked") (param $n i32)
    (loop $again
      (loop $take (br_if $take (i32.atomic.rmw.cmpxchg (i32.const 24) (i32.const 0) (i32.const 1))))
      (i32.store (i32.const 32) (i32.add (i32.load (i32.const 32)) (i32.const 1)))
      (i32.atomic.store (i32.const 24) (i32.const 0))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n))))
  (func (export "wait32") (param i32 i32 i64) (result i32)
    (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wait64") (param i32 i64 i64) (result i32)
    (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "notify") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))
  (func (export "size") (result i32) (memory.size))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "wait_for_page") (param $address i32) (result i32)
    (loop $again (br_if $again (i32.lt_u (memory.size) (i32.const 2))))
    (i32.load (local.get $address))))`;

const bytes = new Uint8Array(parseWat(TEXT));
const module = new Heddle.Module(bytes);
const workers: Worker[] = [];

interface Message {
  readonly results?: unknown[];
  readonly error?: string;
  readonly calling?: string;
}

function start(data: Record<string, unknown>): Worker {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { module, ...data } });
  workers.push(worker);
  return worker;
}

/** What a worker has at its end. */
function ended(worker: Worker): Promise<Message> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: Message) => {
      if (message.calling === undefined) resolve(message);
    });
    worker.on('error', reject);
  });
}

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: 100, shared: true });
}

type Run = Record<string, (...args: unknown[]) => unknown>;

function here(memory: WebAssembly.Memory): Run {
  return new Heddle.Instance(module, { m: { memory } }).exports;
}

/** Calls until the result is not 0: nothing else tells that another thread has fallen asleep. */
async function untilWoken(notify: () => unknown): Promise<unknown> {
  for (;;) {
    const woken = notify();
    if (woken !== 0) return woken;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function code(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return Reflect.get(error as object, 'code');
  }
}

describe('atomic accesses', () => {
  test('no increment of three threads is lost', async () => {
    const memory = sharedMemory();
    const times = 100_000;
    const others = [1, 2].map(() => ended(start({ memory, calls: [['add', times]] })));
    here(memory)['add']?.(times);
    expect(await Promise.all(others)).toEqual([{ results: [undefined] }, { results: [undefined] }]);
    expect(new Int32Array(memory.buffer)[2]).toBe(3 * times);
    expect(new Uint8Array(memory.buffer).subarray(16, 24)).toEqual(Uint8Array.of((3 * times) % 256, 0, 0, 0, 0, 0, 0, 0));
  });

  test('a lock of compare-exchange and store keeps plain accesses apart', async () => {
    const memory = sharedMemory();
    const times = 20_000;
    const others = [1, 2].map(() => ended(start({ memory, calls: [['locked', times]] })));
    await Promise.all(others);
    expect(new Int32Array(memory.buffer)[8]).toBe(2 * times);
  });

  test('V8, JavaScript and Heddle count in one cell', async () => {
    const memory = sharedMemory();
    const other = ended(start({ memory, calls: [['add', 1000]] }));
    const v8 = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } }).exports as unknown as Run;
    v8['add']?.(1000);
    for (let i = 0; i < 1000; i++) Atomics.add(new Int32Array(memory.buffer), 2, 1);
    await other;
    expect(Atomics.load(new Int32Array(memory.buffer), 2)).toBe(3000);
  });
});

const WAKERS: readonly (readonly [who: string, make: (memory: WebAssembly.Memory) => () => unknown])[] = [
  ['Heddle', (memory) => () => here(memory)['notify']?.(64, 1)],
  ['JavaScript', (memory) => () => Atomics.notify(new Int32Array(memory.buffer), 16, 1)],
  [
    'V8',
    (memory) => {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } });
      return () => (exports['notify'] as (a: number, n: number) => number)(64, 1);
    },
  ],
];

describe('wait', () => {
  test.each(WAKERS)('%s wakes a thread that waits in Heddle', async (_who, make) => {
    const memory = sharedMemory();
    const other = ended(
      start({
        memory,
        calls: [
          ['wait32', 64, 0, -1n],
          ['wait64', 64, 0n, -1n],
        ],
      }),
    );
    const notify = make(memory);
    expect([await untilWoken(notify), await untilWoken(notify)]).toEqual([1, 1]);
    expect(await other).toEqual({ results: [0, 0] });
  });

  test('Heddle wakes as many threads that wait in JavaScript as it says', async () => {
    const memory = sharedMemory();
    const others = [1, 2].map(() => ended(start({ memory, javascript: 'Atomics.wait(new Int32Array(memory.buffer), 16, 0)' })));
    const { notify } = here(memory);
    let woken = 0;
    while (woken < 2) woken += Number(await untilWoken(() => notify?.(64, -1)));
    expect([woken, await Promise.all(others)]).toEqual([2, [{ results: ['ok'] }, { results: ['ok'] }]]);
    expect(notify?.(64, -1)).toBe(0);
  });

  test('1 where the value is another, 2 where the time is over', () => {
    const { wait32, wait64, notify } = here(sharedMemory());
    expect([wait32?.(0, 1, -1n), wait32?.(0, -1, 0n), wait64?.(0, 1n << 40n, -1n), wait64?.(0, -1n, 5n)]).toEqual([1, 1, 1, 1]);
    expect([wait32?.(0, 0, 0n), wait32?.(0, 0, 1_000_000n), wait64?.(8, 0n, 1n), notify?.(0, 5)]).toEqual([2, 2, 2, 0]);
  });

  test('what is outside, not aligned, or of a memory that is not shared traps', () => {
    const { wait32, wait64, notify } = here(sharedMemory());
    expect([code(() => wait32?.(65_536, 0, 0n)), code(() => notify?.(-4, 0))]).toEqual([
      'HEDDLE_TRAP_MEMORY_BOUNDS',
      'HEDDLE_TRAP_MEMORY_BOUNDS',
    ]);
    expect([code(() => wait32?.(2, 0, 0n)), code(() => wait64?.(4, 0n, 0n)), code(() => notify?.(1, 0))]).toEqual(
      Array(3).fill('HEDDLE_TRAP_UNALIGNED_ATOMIC'),
    );
    const { exports } = new Heddle.Instance(
      new Heddle.Module(
        parseWat(`(module (memory 1)
          (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))
          (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1))))`),
      ),
    );
    expect([code(() => exports['wait']()), exports['notify']()]).toEqual(['HEDDLE_TRAP_EXPECTED_SHARED', 0]);
  });

  test('a deadline ends it', () => {
    const { wait32 } = here(sharedMemory());
    expect(code(() => call(wait32 as ExportedFunction, [0, 0, -1n], { deadline: 20 }))).toBe('HEDDLE_TRAP_DEADLINE');
    expect(call(wait32 as ExportedFunction, [0, 0, 1n], { deadline: 60_000 })).toBe(2);
  });

  test('terminate() ends it', async () => {
    const worker = start({ memory: sharedMemory(), calls: [['wait32', 0, 0, -1n]] });
    await new Promise<void>((resolve) => {
      worker.on('message', () => resolve());
    });
    expect(await worker.terminate()).toBe(1);
  });
});

describe('a shared memory that grows', () => {
  test('in another thread, while this one runs', async () => {
    const memory = sharedMemory();
    const other = ended(start({ memory, calls: [['wait_for_page', 65_536 + 16]] }));
    // The worker is in its loop now, or will be.
    const { grow, size, load } = here(memory);
    new Int32Array(memory.buffer)[4] = 1;
    expect(grow?.(2)).toBe(1);
    expect([size?.(), load?.(65_536)]).toEqual([3, 0]);
    expect(await other).toEqual({ results: [0] });
  });

  test('in JavaScript of another thread', async () => {
    const memory = sharedMemory();
    const { size, load } = here(memory);
    expect([size?.(), code(() => load?.(65_536))]).toEqual([1, 'HEDDLE_TRAP_MEMORY_BOUNDS']);
    expect(await ended(start({ memory, javascript: 'memory.grow(1)' }))).toEqual({ results: [1] });
    expect([size?.(), load?.(65_536), code(() => load?.(131_072))]).toEqual([2, 0, 'HEDDLE_TRAP_MEMORY_BOUNDS']);
  });
});
