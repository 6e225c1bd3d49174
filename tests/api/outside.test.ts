/**
 * A call of an export is left for each import of few numbers, which JavaScript calls as any function, and gone on with then (docs/decisions/0042). What a program sees of
 * it is nothing: each row runs on V8 as well, and, where an engine of Heddle's own is another process, with imports called from C++.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { call, collect, dispose, WebAssembly as Heddle, hibernate, inspect, parseWat, Scheduler, statistics } from '../../ts/index.js';

const { WebAssembly: V8 } = globalThis;
type Exports = Record<string, (...args: unknown[]) => unknown>;
type Imports = Record<string, (...args: never[]) => unknown>;

/** Calls imports of several types, from several depths, and what they throw is caught or not. */
const TEXT = `(module $outside
  (import "m" "i" (func $i (param i32) (result i32)))
  (import "m" "none" (func $none))
  (import "m" "d" (func $d (param f64 f32 i64) (result f64)))
  (import "m" "l" (func $l (param i64) (result i64)))
  (import "m" "x" (func $x (param externref) (result externref)))
  (import "m" "many" (func $many (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $state (mut i32) (i32.const 0))
  (func $behind (param $n i32) (param $kept i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.sub (i32.add (call $behind (i32.sub (local.get $n) (i32.const 1)) (local.get $kept)) (local.get $kept)) (local.get $kept)))
      (else (call $i (local.get $kept)))))
  (func (export "i") (param i32) (result i32) (call $i (local.get 0)))
  (func (export "deep") (param i32 i32) (result i32) (call $behind (local.get 0) (local.get 1)))
  (func (export "none") (call $none))
  (func (export "d") (param f64 f32 i64) (result f64) (call $d (local.get 0) (local.get 1) (local.get 2)))
  (func (export "l") (param i64) (result i64) (i64.add (call $l (local.get 0)) (call $l (i64.const 1))))
  (func (export "x") (param externref) (result externref) (call $x (local.get 0)))
  (func (export "many") (param i32) (result i32)
    (i32.add (call $many (local.get 0) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)) (call $i (i32.const 7))))
  (func (export "sum") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $i (local.get $n))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "catches") (param i32) (result i32)
    (try (result i32) (do (call $behind (i32.const 3) (local.get 0))) (catch_all (i32.add (i32.const 1000) (call $i (i32.const 0))))))
  (func (export "grown") (param i32) (result i32) (drop (call $i (local.get 0))) (i32.load (i32.const 65536)))
  (func (export "traps") unreachable)
  (func (export "state") (result i32) (global.get $state))
  (func (export "set") (param i32) (global.set $state (local.get 0))))`;
const BYTES = new Uint8Array(parseWat(TEXT));

function instance(engine: typeof Heddle | typeof V8, m: Imports): Exports {
  const imports = { m: { i: (x: number) => x, none: () => 0, d: () => 0, l: (x: bigint) => x, x: (x: unknown) => x, many: () => 0, ...m } };
  const { Module, Instance } = engine as typeof V8;
  return new Instance(new Module(BYTES), imports as unknown as WebAssembly.Imports).exports as unknown as Exports;
}

/** How many fibers of calls there are. */
const running = (): number => inspect().fibers.filter(({ state }) => state === 'calling').length;

/** Calls it with so much more of the stack in use. */
function deeper(run: () => unknown, depth: number): unknown {
  return depth === 0 ? run() : [deeper(run, depth - 1)][0];
}

/** What a run gives, or throws: the kind of error, and its text where a program gave it. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Error)) return ['threw', error];
    return error.message.startsWith('mine') ? [error.name, error.message] : error.name;
  }
}

/** Rows: what is done with an instance; all of it runs on both engines. */
const ROWS: Record<string, (make: (m: Imports) => Exports) => unknown> = {
  'numbers of each type': (make) => {
    const seen: unknown[] = [];
    const note = <T>(value: T, ...all: unknown[]): T => {
      seen.push(value, ...all);
      return value;
    };
    const e = make({
      i: (x: number) => note(x),
      none: () => note(7),
      d: (x: number, y: number, z: bigint) => note(x + y + Number(z)),
      l: (x: bigint) => note(-x),
    });
    const values = [e['i']?.(-1), e['none']?.(), e['d']?.(1.5, 0.25, 2n ** 40n), e['l']?.(2n ** 62n), e['d']?.(Number.NaN, 0, 0n)];
    return [values, seen];
  },
  references: (make) => {
    const object = { a: 1 };
    const e = make({ x: (x: unknown) => (x === object ? [x] : undefined) });
    return [e['x']?.(object), e['x']?.(null), e['x']?.('text')];
  },
  'what imports return is converted': (make) => {
    const e = make({ i: () => ({ valueOf: () => 41.9 }) as unknown as number, l: () => 1 as unknown as bigint });
    return [e['i']?.(0), outcome(() => e['l']?.(0n))];
  },
  'beside imports that go by values': (make) => {
    const e = make({ many: (...all: never[]) => (all as number[]).reduce((x, y) => x + y), i: (x: number) => x * 2 });
    return e['many']?.(1);
  },
  'in a loop': (make) => make({ i: (x: number) => x * 3 })['sum']?.(1000),
  'behind frames': (make) => make({ i: (x: number) => x + 1 })['deep']?.(500, 6),
  throws: (make) => {
    const e = make({
      i: (x: number) => {
        if (x === 5) throw new TypeError(`mine ${x}`);
        if (x === 6) throw 'mine';
        return x;
      },
    });
    return [
      outcome(() => e['deep']?.(4, 5)),
      outcome(() => e['i']?.(6)),
      e['i']?.(7),
      e['catches']?.(5),
      e['catches']?.(6),
      e['catches']?.(8),
    ];
  },
  'throws what conversion throws': (make) => {
    const e = make({
      i: () =>
        ({
          valueOf: () => {
            throw new Error('mine');
          },
        }) as unknown as number,
    });
    return [outcome(() => e['i']?.(1)), e['i'] && outcome(() => e['catches']?.(1))];
  },
  'a trap inside an import goes through all of it': (make) => {
    const e: Exports = make({ i: (x: number) => (x === 0 ? 9 : (e['traps']?.() as number)) });
    return [outcome(() => e['deep']?.(3, 1)), outcome(() => e['catches']?.(1)), e['i']?.(0)];
  },
  're-enters itself, and each level has its own values': (make) => {
    const e: Exports = make({ i: (x: number) => (x === 0 ? 1 : x * (e['deep']?.(2, x - 1) as number)) });
    return [e['i']?.(10), e['deep']?.(3, 5)];
  },
  'throws through several levels': (make) => {
    const e: Exports = make({
      i: (x: number) => {
        if (x === 0) throw new Error('mine');
        if (x % 3 === 0) {
          try {
            return e['deep']?.(1, x - 1) as number;
          } catch {
            return e['catches']?.(x - 1) as number;
          }
        }
        return e['deep']?.(2, x - 1) as number;
      },
    });
    return [2, 3, 4, 7].map((x) => outcome(() => e['i']?.(x)));
  },
  'grows memory meanwhile': (make) => {
    const e: Exports = make({
      i: (pages: number) => {
        const memory = e['memory'] as unknown as WebAssembly.Memory;
        memory.grow(pages);
        new Uint32Array(memory.buffer)[16384] = 77;
        return 0;
      },
    });
    return e['grown']?.(1);
  },
  'an overflow of the stack of JavaScript is not caught': (make) => {
    const e: Exports = make({
      i: (x: number) => {
        const recurse = (): number => recurse() + 1;
        return x === 0 ? 3 : recurse();
      },
    });
    return [outcome(() => e['catches']?.(1)), outcome(() => e['i']?.(1)), e['catches']?.(0)];
  },
  'sets what the caller reads': (make) => {
    const e: Exports = make({ i: (x: number) => (e['set']?.(x) as undefined) ?? x });
    e['sum']?.(5);
    return e['state']?.();
  },
};

describe('as on V8', () => {
  test.each(Object.keys(ROWS))('%s', (name) => {
    const row = ROWS[name];
    if (row === undefined) throw new Error('no such row');
    expect(row((m) => instance(Heddle, m))).toEqual(row((m) => instance(V8, m)));
    expect(running()).toBe(0);
  });
});

test('JavaScript and WebAssembly nest 1,500 levels deep, and overflow without harm', () => {
  const node = fileURLToPath(new URL('programs/levels.mjs', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [node], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const [levels, name, after] = stdout.trim().split(' ');
  expect(Number(levels)).toBeGreaterThanOrEqual(1500);
  expect([name, after]).toEqual(['RangeError', '42']);
});

test('an overflow anywhere in a call of an import leaves nothing behind', () => {
  const e: Exports = instance(Heddle, { i: (x: number) => (x === 0 ? 1 : (e['deep']?.(1, x) as number)) });
  for (let k = 0; k < 30; k++) {
    // Each time the stack ends at another place.
    expect(outcome(() => deeper(() => e['i']?.(1), k))).toBe('RangeError');
    expect(e['i']?.(0)).toBe(1);
  }
  expect(running()).toBe(0);
});

/** Ends after so many milliseconds what runs, as `vm` does: JavaScript's `finally` does not run. */
function terminated(run: () => unknown): unknown {
  const script = new Script('run()');
  Object.assign(globalThis, { run });
  return outcome(() => script.runInThisContext({ timeout: 20 }));
}

/** Loops for ever. */
function forever(): number {
  for (let x = 0; ; x++) if (x < 0) return x;
}

describe('a termination that is taken back', () => {
  test('inside an import of another call: that one goes on', () => {
    const e: Exports = instance(Heddle, {
      i: (x: number) => {
        if (x === 1) return forever();
        if (x === 0) return 5;
        return terminated(() => e['deep']?.(3, x - 1)) === 'Error' ? (e['deep']?.(1, 0) as number) : -1;
      },
    });
    expect(e['deep']?.(4, 2)).toBe(5);
    expect(e['deep']?.(4, 2)).toBe(5);
    expect(running()).toBe(0);
  });

  test('inside an import that C++ calls', () => {
    const e: Exports = instance(Heddle, {
      i: (x: number) => (x === 1 ? forever() : 3),
      many: () => (terminated(() => e['deep']?.(3, 1)) === 'Error' ? 4 : -1),
    });
    expect(e['many']?.(1)).toBe(7);
  });

  test('outside of all: what waited is given up', async () => {
    const e: Exports = instance(Heddle, { i: (x: number) => (x === 0 ? 3 : x === 1 ? forever() : (e['deep']?.(2, x - 1) as number)) });
    for (let k = 0; k < 3; k++) {
      expect(deeper(() => terminated(() => e['deep']?.(3, 3)), 200)).toBe('Error');
      expect(e['i']?.(0)).toBe(3);
    }
    // Noticed by the next call that nests, when its turn is over.
    e['deep']?.(1, 0);
    const nested: Exports = instance(Heddle, { i: (x: number) => (x === 0 ? 1 : (nested['i']?.(x - 1) as number)) });
    nested['i']?.(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(running()).toBe(0);
    expect(e['i']?.(0)).toBe(3);
  });
});

describe('while a call is left for its import', () => {
  test('it is seen to run, and cannot wait, hibernate or end', async () => {
    const seen: unknown[] = [];
    const wait = new Heddle.Suspending(() => Promise.resolve(1));
    const waits = new Heddle.Instance(
      new Heddle.Module(parseWat('(module (import "m" "w" (func $w (result i32))) (func (export "w") (result i32) (call $w)))')),
      { m: { w: wait } },
    );
    const e: Exports = instance(Heddle, {
      i: (x: number) => {
        hibernate();
        collect();
        seen.push(inspect().fibers.map((fiber) => `${fiber.function} ${fiber.state}`));
        seen.push(outcome(() => (waits.exports['w'] as () => unknown)()));
        return x;
      },
    });
    expect(e['deep']?.(2, 8)).toBe(8);
    expect(seen).toEqual([['deep calling'], 'SuspendError']);
    expect(running()).toBe(0);
  });

  test('references in its frames, and those among its values, are kept', () => {
    const text = `(module (import "m" "x" (func $x (param externref) (result externref)))
      (func (export "f") (param externref) (result externref externref) (local $first externref)
        (local.set $first (call $x (local.get 0))) (local.get $first) (call $x (local.get $first))))`;
    const made = new Heddle.Instance(new Heddle.Module(parseWat(text)), { m: { x: (x: { n: number }) => (collect(), { n: x.n + 1 }) } });
    const f = made.exports['f'] as (x: unknown) => unknown;
    for (let k = 0; k < 20; k++) expect(f({ n: k })).toEqual([{ n: k + 1 }, { n: k + 2 }]);
  });

  test('an instance that was disposed of meanwhile ends it at its next import', () => {
    const text =
      '(module (import "m" "f" (func $f (param i32) (result i32))) (func (export "g") (param i32) (result i32) (call $f (call $f (local.get 0)))))';
    let calls = 0;
    const made: InstanceType<typeof Heddle.Instance> = new Heddle.Instance(new Heddle.Module(parseWat(text)), {
      m: {
        f: (x: number) => {
          calls++;
          dispose(made);
          return x;
        },
      },
    });
    expect(outcome(() => (made.exports['g'] as (x: number) => unknown)(1))).toBe('Error');
    expect(calls).toBe(1);
  });

  test('a deadline and a timeout hold', async () => {
    const e = instance(Heddle, {
      i: (x: number) => {
        const end = performance.now() + 2;
        while (performance.now() < end);
        return x;
      },
    });
    const outer: Exports = instance(Heddle, { i: (n: number) => e['sum']?.(n) as number });
    expect(outcome(() => call(outer['i'] as never, [1_000_000] as never, { deadline: 30 }))).toBe('RuntimeError');
    const task = new Scheduler().spawn(outer['i'] as never, [1_000_000] as never, { timeout: 30 });
    await expect(task.promise).rejects.toThrow();
    expect(outer['i']?.(2)).toBe(3);
    expect(running()).toBe(0);
  });

  test('a worker ends in it', () => {
    const node = fileURLToPath(new URL('programs/ended_outside.mjs', import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [node], { encoding: 'utf8' });
    expect([stdout, stderr, status]).toEqual(['1\n1\n1\n', '', 0]);
  });

  test('imports of instances that are gone give their numbers back', () => {
    const live = (): number => statistics().hostFunctions;
    const module = new Heddle.Module(BYTES);
    const make = (): unknown =>
      new Heddle.Instance(module, {
        m: { i: (x: number) => x, none: () => 0, d: () => 0, l: (x: bigint) => x, x: (x: unknown) => x, many: () => 0 },
      }).exports;
    make();
    collect();
    const before = live();
    for (let k = 0; k < 200; k++) make();
    collect();
    expect(live()).toBeLessThanOrEqual(before + 200 * 6);
    const e = make() as Exports;
    expect([e['i']?.(4), e['sum']?.(4)]).toEqual([4, 10]);
  });
});
