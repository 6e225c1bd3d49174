/**
 * What ends calls that may wait: timeouts, deadlines and signals, of loops as well as of waits, for everybody who makes such calls.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { type CallLimits, Continuation, call, collect, WebAssembly as Heddle, parseWat, Scheduler, statistics } from '../../ts/index.js';

// `spin` never ends. `run` waits, and calls `act`; a handler of everything logs 1, and goes on as `$how` says: 0 rethrow, 1 stop, 2 for ever, 3 wait again.
const TEXT = `(module
  (import "env" "wait" (func $wait)) (import "env" "act" (func $act)) (import "env" "log" (func $log (param i32)))
  (tag $ask (export "ask"))
  (func $spin (export "spin") (loop $l (br $l)))
  (func (export "fine") (result i32) (i32.const 42))
  (func (export "wait_spin") (call $wait) (call $spin))
  (func (export "act_spin") (call $act) (call $log (i32.const 9)) (call $spin))
  (func (export "waits") (param $n i32) (result i32) (local $i i32)
    (loop $l (call $wait) (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (local.get $n)))) (local.get $i))
  (func (export "suspends") (suspend $ask) (call $spin))
  (func (export "run") (param $how i32) (result i32) (local $e exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $act) (call $log (i32.const 9)) (call $wait) (call $log (i32.const 8)))
      (return (i32.const 7)))
    (local.set $e)
    (call $log (i32.const 1))
    (if (i32.eqz (local.get $how)) (then (throw_ref (local.get $e))))
    (if (i32.eq (local.get $how) (i32.const 2)) (then (call $spin)))
    (if (i32.eq (local.get $how) (i32.const 3)) (then (call $wait) (call $log (i32.const 2))))
    (i32.const 8)))`;

type Fn = (...args: unknown[]) => unknown;
type Exports = Heddle.Exports;

let act: () => unknown = () => undefined;
let waiting: () => unknown = () => undefined;
let logged: number[] = [];

const module = new Heddle.Module(parseWat(TEXT));
const { exports } = new Heddle.Instance(module, {
  env: { wait: new Heddle.Suspending(() => waiting()), act: () => act(), log: (n: number) => logged.push(n) },
}) as unknown as { exports: Exports };

const never = (): Promise<never> => new Promise(() => {});
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Who makes calls that may wait, and how each is ended. */
const CALLERS: Readonly<Record<string, (name: string, args: readonly unknown[], limits: CallLimits) => Promise<unknown>>> = {
  promising: (name, args, limits) => Heddle.promising(exports[name], limits)(...args),
  'a task': (name, args, limits) => new Scheduler().spawn(exports[name], args, limits).promise,
  'a continuation': async (name, args, limits) => {
    const step = await new Continuation(exports[name] as Fn, limits).resumeAsync(...args);
    return step.done ? step.value : 'suspended';
  },
};

const timeout = expect.objectContaining({
  name: 'TimeoutError',
  code: 'HEDDLE_TIMEOUT',
  message: expect.stringMatching(/longer than \d+ ms$/),
});
const deadline = expect.objectContaining({ name: 'RuntimeError', code: 'HEDDLE_TRAP_DEADLINE' });

beforeEach(() => {
  act = () => undefined;
  waiting = () => undefined;
  logged = [];
});

/** Nothing is left, and others go on. */
function expectClean(): void {
  collect();
  const { continuationsHeld, stacksLive, exceptionsLive } = statistics();
  expect([continuationsHeld, stacksLive, exceptionsLive]).toEqual([0, 0, 0]);
  expect(exports['fine']?.()).toBe(42);
}

describe.each(Object.entries(CALLERS))('%s', (_name, begin) => {
  test('a timeout ends a loop', async () => {
    for (let i = 0; i < 3; i++) await expect(begin('spin', [], { timeout: 20 })).rejects.toEqual(timeout);
    expectClean();
  });

  test('a timeout ends a wait, and handlers run', async () => {
    waiting = never;
    await expect(begin('run', [0], { timeout: 300 })).rejects.toEqual(timeout);
    expect(logged).toEqual([9, 1]);
    expectClean();
  });

  test('a timeout ends a loop after a wait', async () => {
    waiting = soon;
    await expect(begin('wait_spin', [], { timeout: 20 })).rejects.toEqual(timeout);
    expectClean();
  });

  test('a timeout ends a call that never waits long', async () => {
    waiting = () => Promise.resolve();
    await expect(begin('waits', [-1], { timeout: 20 })).rejects.toEqual(timeout);
    waiting = () => undefined;
    await expect(begin('waits', [-1], { timeout: 20 })).rejects.toEqual(timeout);
    expectClean();
  });

  test('a deadline ends a loop, before and after a wait', async () => {
    await expect(begin('spin', [], { deadline: 20 })).rejects.toEqual(deadline);
    waiting = soon;
    await expect(begin('wait_spin', [], { deadline: 20, timeout: 60_000 })).rejects.toEqual(deadline);
    expectClean();
  });

  test('a deadline does not count waits', async () => {
    waiting = () => new Promise((resolve) => setTimeout(resolve, 250));
    expect(await begin('waits', [3], { deadline: 600 })).toBe(3);
    expectClean();
  });

  test('a signal ends a wait, and handlers run', async () => {
    const controller = new AbortController();
    waiting = () => {
      setTimeout(() => controller.abort('enough'), 1);
      return never();
    };
    await expect(begin('run', [0], { signal: controller.signal })).rejects.toBe('enough');
    expect(logged).toEqual([9, 1]);
    expectClean();
  });

  test('a signal that an import aborts ends the call when the import returns, and handlers run', async () => {
    const controller = new AbortController();
    act = () => controller.abort('enough');
    await expect(begin('act_spin', [], { signal: controller.signal })).rejects.toBe('enough');
    expect(logged).toEqual([]);
    const second = new AbortController();
    act = () => second.abort('enough');
    await expect(begin('run', [0], { signal: second.signal })).rejects.toBe('enough');
    expect(logged).toEqual([1]);
    expectClean();
  });

  test('the same of an import that may wait, whatever it gives', async () => {
    const results = [() => undefined, never, () => Promise.resolve()];
    for (const result of results) {
      logged = [];
      const controller = new AbortController();
      waiting = () => {
        controller.abort('enough');
        return result();
      };
      await expect(begin('run', [0], { signal: controller.signal })).rejects.toBe('enough');
      expect(logged).toEqual([9, 1]);
    }
    expectClean();
  });

  test('what an import enters after it has ended the call goes on, and what it is in ends', async () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    act = () => {
      controller.abort('enough');
      seen.push(exports['fine']?.());
    };
    await expect(begin('act_spin', [], { signal: controller.signal })).rejects.toBe('enough');
    expect(seen).toEqual([42]);
    // Two calls deep: the inner one ends as well.
    const second = new AbortController();
    let depth = 0;
    act = () => (depth++ === 0 ? exports['act_spin']?.() : second.abort('enough'));
    await expect(begin('act_spin', [], { signal: second.signal })).rejects.toBe('enough');
    expect([depth, logged]).toEqual([2, []]);
    expectClean();
  });

  test('what an import that may wait has entered ends as well, by a trap', async () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    act = () => controller.abort('enough');
    waiting = () => {
      try {
        exports['act_spin']?.();
      } catch (error) {
        seen.push((error as { readonly code: string }).code);
      }
    };
    await expect(begin('waits', [1], { signal: controller.signal })).rejects.toBe('enough');
    expect([seen, logged]).toEqual([['HEDDLE_TRAP_CANCELLED'], []]);
    expectClean();
  });

  test('a signal that is aborted already', async () => {
    await expect(begin('fine', [], { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expectClean();
  });

  test('handlers may neither wait nor run for ever', async () => {
    waiting = never;
    await expect(begin('run', [3], { timeout: 300 })).rejects.toEqual(timeout);
    await expect(begin('run', [2], { timeout: 300 })).rejects.toEqual(timeout);
    await expect(begin('run', [1], { timeout: 300 })).rejects.toEqual(timeout);
    expect(logged).toEqual([9, 1, 9, 1, 9, 1]);
    expectClean();
  });

  test('a call inside has its own deadline, and the outer one still holds after it', async () => {
    act = () => {
      expect(() => call(exports['spin'] as Fn, [], { deadline: 10 })).toThrow(deadline);
    };
    await expect(begin('act_spin', [], { timeout: 500 })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(logged).toEqual([9]);
    expectClean();
  });

  test('calls that end in time are as ever, and others too', async () => {
    const limits = { timeout: 60_000, deadline: 60_000, signal: new AbortController().signal };
    expect(await begin('fine', [], limits)).toBe(42);
    waiting = soon;
    expect(await begin('waits', [3], limits)).toBe(3);
    expect(await begin('run', [0], limits)).toBe(7);
    waiting = () => Promise.reject(new TypeError('mine'));
    await expect(begin('waits', [3], limits)).rejects.toThrow('mine');
    const others = Promise.all([1, 2, 3].map((n) => Heddle.promising(exports['waits'])(n)));
    waiting = soon;
    await expect(begin('spin', [], { deadline: 20 })).rejects.toEqual(deadline);
    expect(await others.catch((error: Error) => error.message)).toBe('mine');
    expectClean();
  });

  test.each([
    [{ timeout: 0 }, 'HEDDLE_RANGE', /timeout/],
    [{ timeout: '5' }, 'HEDDLE_ARGUMENT', /timeout/],
    [{ deadline: -1 }, 'HEDDLE_ARGUMENT', /deadline/],
    [{ signal: {} }, 'HEDDLE_ARGUMENT', /signal/],
    [{ dedline: 5 }, 'HEDDLE_ARGUMENT', /deadline/],
  ])('%o is refused', async (limits, code, message) => {
    const refused = await Promise.resolve()
      .then(() => begin('fine', [], limits as unknown as CallLimits))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('tasks', () => {
  test('others go on where one is ended, and what it is called is told', async () => {
    const scheduler = new Scheduler();
    waiting = soon;
    const others = [1, 2, 3].map((n) => scheduler.spawn(exports['waits'], [n]));
    const spin = scheduler.spawn(exports['spin'], [], { name: 'spinner', timeout: 20 });
    const signal = spin.signal;
    await expect(spin.promise).rejects.toThrow('task spinner took longer than 20 ms');
    expect([spin.state, signal.aborted, (signal.reason as Error).name]).toEqual(['ended', true, 'TimeoutError']);
    expect(await Promise.all(others.map((task) => task.promise))).toEqual([1, 2, 3]);
    expect(scheduler.statistics()).toMatchObject({ completed: 3, failed: 0, cancelled: 1, active: 0 });
    const stopped = scheduler.spawn(exports['waits'], [5], { name: 'other' });
    stopped.cancel();
    await expect(stopped.promise).rejects.toMatchObject({ name: 'AbortError', message: 'task other was cancelled' });
    expectClean();
  });

  test('a task whose time is over before its turn is not begun', async () => {
    const scheduler = new Scheduler({ maximum: 1 });
    waiting = never;
    const first = scheduler.spawn(exports['waits'], [1], { timeout: 60 });
    const second = scheduler.spawn(exports['run'], [0], { timeout: 20 });
    await expect(second.promise).rejects.toEqual(timeout);
    await expect(first.promise).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(logged).toEqual([]);
    expectClean();
  });
});

describe('a task without limits that is cancelled where it runs', () => {
  /** Runs an export as a task, which `act` can cancel. */
  const run = (name: string, how: () => unknown): Promise<unknown> => {
    const task = new Scheduler().spawn(exports[name], name === 'run' ? [0] : []);
    act = () => {
      task.cancel('enough');
      return how();
    };
    return task.promise;
  };

  test('ends when the import returns, and handlers run', async () => {
    await expect(run('act_spin', () => undefined)).rejects.toBe('enough');
    expect(logged).toEqual([]);
    await expect(run('run', () => undefined)).rejects.toBe('enough');
    expect(logged).toEqual([1]);
    expectClean();
  });

  test('what the import enters after it goes on', async () => {
    const seen: unknown[] = [];
    await expect(run('act_spin', () => seen.push(exports['fine']?.(), exports['fine']?.()))).rejects.toBe('enough');
    expect(seen).toEqual([42, 42]);
    expectClean();
  });

  test('what the import is in ends by a trap, and what is entered then goes on', async () => {
    const task = new Scheduler().spawn(exports['act_spin']);
    const seen: unknown[] = [];
    let depth = 0;
    act = () => {
      if (depth++ > 0) return task.cancel('enough');
      try {
        exports['act_spin']?.();
      } catch (error) {
        seen.push((error as { readonly code: string }).code);
      }
      return seen.push(exports['fine']?.());
    };
    await expect(task.promise).rejects.toBe('enough');
    expect([seen, logged]).toEqual([['HEDDLE_TRAP_CANCELLED', 42], []]);
    expectClean();
  });

  test('an import that throws has its exception seen first', async () => {
    const thrown = new Error('its own');
    await expect(
      run('act_spin', () => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    // The next task is another one.
    act = () => undefined;
    waiting = () => undefined;
    expect(await new Scheduler().spawn(exports['run'], [0]).promise).toBe(7);
    expectClean();
  });

  test('calls that its import has begun by itself are not meant', async () => {
    const task = new Scheduler().spawn(exports['waits'], [1]);
    let inner: Promise<unknown> | undefined;
    let begun = false;
    act = () => task.cancel('enough');
    waiting = () => {
      if (begun) return undefined;
      begun = true;
      inner = Heddle.promising(exports['run'])(0);
      return undefined;
    };
    await expect(task.promise).rejects.toBe('enough');
    expect(await inner).toBe(7);
    expectClean();
  });
});

describe("a task's name", () => {
  const trapping = new Heddle.Instance(
    new Heddle.Module(
      parseWat('(module (func (export "job") unreachable) (func $inner (export "other") unreachable) (func (export "") unreachable))'),
    ),
  ).exports as unknown as Exports;

  /** The last line of the stack of the trap that an export ends with. */
  const lastLine = async (name: string, options?: { readonly name: string }): Promise<string | undefined> => {
    const task = new Scheduler().spawn(trapping[name], [], options);
    const error = await task.promise.catch((reason: Error) => reason);
    return (error as Error).stack?.split('\n').at(-1);
  };

  test('is that of the function in its module, or as an export', async () => {
    expect(new Scheduler().spawn(exports['fine']).name).toBe('fine');
    expect(new Scheduler().spawn(Heddle.promising(exports['fine'])).name).toBe('fine');
    const task = new Scheduler().spawn(trapping['other']);
    expect(task.name).toBe('inner');
    await expect(task.promise).rejects.toThrow('unreachable');
  });

  test("stands at the end of a trap's stack", async () => {
    expect(await lastLine('job')).toBe('    at task job');
    expect(await lastLine('other')).toBe('    at task inner');
    expect(await lastLine('job', { name: 'import\n  at night' })).toBe('    at task import   at night');
  });
});

describe('continuations', () => {
  test('limits hold for each resumption, and for what stands for the continuation later', () => {
    const step = new Continuation(exports['suspends'] as Fn, { timeout: 20 }).bind().resume();
    if (step.done) throw new Error('it has suspended');
    expect(() => step.continuation.resume()).toThrow(timeout);
    expect(step.continuation.state).toBe('done');
    const other = new Continuation(exports['suspends'] as Fn, { deadline: 20 }).resume();
    if (other.done) throw new Error('it has suspended');
    expect(() => other.continuation.resume()).toThrow(deadline);
    expectClean();
  });

  test('an aborted signal ends it', () => {
    const controller = new AbortController();
    const step = new Continuation(exports['suspends'] as Fn, { signal: controller.signal }).resume();
    if (step.done) throw new Error('it has suspended');
    controller.abort('enough');
    let thrown: unknown;
    try {
      step.continuation.resume();
    } catch (error) {
      thrown = error;
    }
    expect([thrown, step.continuation.state]).toEqual(['enough', 'done']);
    expectClean();
  });
});

test('promising has the length that V8 gives it, and V8 takes no options', () => {
  expect(Heddle.promising.length).toBe(1);
  return expect(Heddle.promising(exports['fine'], undefined)()).resolves.toBe(42);
});
