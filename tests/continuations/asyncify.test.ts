/**
 * Programs that suspend calls by the imports of asyncify. Heddle runs them as they are; what they should do is what V8 does with what Binaryen's pass Asyncify makes
 * of them (tests/modules/asyncify).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat, statistics } from '../../ts/index.js';

const file = (name: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(readFileSync(new URL(`../modules/asyncify/${name}`, import.meta.url)));
const SOURCES = {
  programs: Uint8Array.from(parseWat(new TextDecoder().decode(file('programs.wat')))),
  fibers: file('fibers.wasm'),
} as const;

const MODULES = { programs: new Heddle.Module(SOURCES.programs), fibers: new Heddle.Module(SOURCES.fibers) } as const;

type Call = (...args: number[]) => number | undefined;
interface Program {
  readonly log: (number | string)[];
  readonly call: (name: string, ...args: number[]) => number | undefined;
}

/** Both implementations: calls by name; what comes of each, and what is logged, is in the log. */
function program(source: keyof typeof SOURCES, on: 'heddle' | 'v8', told: (value: number) => void = () => {}): Program {
  const log: (number | string)[] = [];
  const imports = {
    env: {
      log: (value: number) => {
        log.push(value);
        told(value);
      },
    },
  };
  const exports =
    on === 'heddle'
      ? new Heddle.Instance(MODULES[source], imports).exports
      : new WebAssembly.Instance(new WebAssembly.Module(file(`${source}.asyncify.wasm`)), imports).exports;
  return { log, call: (name, ...args) => (exports[name] as Call)(...args) };
}

/** What a call of an export does, on each. */
function both(source: keyof typeof SOURCES, name: string, ...args: number[]): readonly (number | string)[] {
  const [heddle, v8] = (['heddle', 'v8'] as const).map((on) => {
    const { log, call } = program(source, on);
    log.push(`gives ${call(name, ...args)}`);
    return log;
  });
  expect(heddle).toEqual(v8);
  return heddle ?? [];
}

function trapOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return Reflect.get(error as object, 'code');
  }
}

test('what Binaryen was given is what is tested', () => {
  const sums = Object.entries(SOURCES).map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}`);
  expect(sums).toEqual(new TextDecoder().decode(file('sources.sha256')).trim().split('\n'));
});

describe('as the rewritten program does on V8', () => {
  test.each<[string, string, ...number[]]>([
    ['tasks with locals of each type, and frames of their own in memory', 'schedule', 8, 0],
    ['one task', 'schedule', 1, 0],
    ['tasks that never suspend', 'schedule', 4, 2],
    ['suspensions below many frames', 'schedule', 30, 4],
    ['schedulers in tasks', 'schedule', 4, 1],
    ['what stands behind start_unwind is done, and locals are fresh', 'schedule', 3, 5],
    ['a function with stop_rewind calls one with start_unwind', 'schedule', 3, 6],
    ['values both ways', 'values', 0],
    ['several results, zero where the call suspends', 'values', 1],
    ['the function at the bottom calls the one at the top', 'bare'],
    ['two calls in one buffer', 'nest'],
    ['a buffer that is used again though a call lies in it', 'drop', 20],
    ['frames that another struct names', 'other_struct'],
  ])('%s', (_, name, ...args: number[]) => {
    expect(both('programs', name, ...args).length).toBeGreaterThan(1);
  });

  test('a switch that unwinds to a loop at the bottom, in C', () => {
    // Six fibers, four rounds each.
    expect(both('fibers', 'ring').length).toBe(6 * 4 + 6 + 1);
  });

  test('tasks that are stepped by calls from JavaScript, with other exports between', () => {
    const traces = (['heddle', 'v8'] as const).map((on) => {
      const { log, call } = program('programs', on);
      const task = (i: number): number => call('task', i) ?? 0;
      for (let i = 0; i < 3; i++) call('make', task(i), 0, i + 1);
      for (let round = 0; round < 6; round++) {
        for (let i = 0; i < 3; i++) {
          if (call('state', task(i)) !== 2) call('step', task(i));
          log.push(call('state', task(i)) ?? -1, call('stack') ?? -1);
        }
      }
      return log;
    });
    expect(traces[0]).toEqual(traces[1]);
  });

  test('a task that is stepped by JavaScript that another one called', () => {
    const traces = (['heddle', 'v8'] as const).map((on) => {
      const inside: { call?: Program['call'] } = {};
      const one = program('programs', on, (value) => {
        // Task 0 logs its number times 1000 plus the round.
        if (value < 2) inside.call?.('step', inside.call('task', 1) ?? 0);
      });
      const task = (i: number): number => one.call('task', i) ?? 0;
      one.call('make', task(0), 0, 0);
      one.call('make', task(1), 4, 3);
      inside.call = one.call;
      one.call('step', task(0));
      one.call('step', task(0));
      return one.log;
    });
    expect(traces[0]).toEqual(traces[1]);
    expect(traces[0]).toContain(1 + 4 + 9 + 1);
  });

  test('a trap in a task, and the others afterwards', () => {
    const traces = (['heddle', 'v8'] as const).map((on) => {
      const { log, call } = program('programs', on);
      const task = (i: number): number => call('task', i) ?? 0;
      call('make', task(0), 0, 1);
      call('make', task(1), 3, 7);
      call('step', task(0));
      call('step', task(1));
      try {
        call('step', task(1));
      } catch (error) {
        log.push((error as Error).constructor.name);
      }
      call('step', task(0));
      call('step', task(0));
      call('step', task(0));
      return log;
    });
    expect(traces[0]).toEqual(traces[1]);
    expect(traces[0]).toContain('RuntimeError');
  });
});

describe('what cannot go on is a trap', () => {
  test.each([
    [
      'a buffer that holds nothing',
      'UNKNOWN',
      (call: Program['call']) => [call('begin', 1), call('again', 1), call('again', 1), call('again', 1)],
    ],
    ['start_unwind that nobody catches', 'OUTSIDE', (call: Program['call']) => call('outside')],
    ['a full buffer', 'FULL', (call: Program['call']) => [call('begin', 1), call('set_end', 65_536 + 24 + 15), call('rebegin', 2)]],
  ])('%s', (_, code, run) => {
    const { call } = program('programs', 'heddle');
    call('schedule', 1, 2);
    expect(trapOf(() => run(call))).toBe(`HEDDLE_TRAP_ASYNCIFY_${code}`);
    // And the instance is as before.
    call('schedule', 3, 0);
  });

  test('a call that has gone on once does not so again, as longjmp would have it', () => {
    const v8 = program('fibers', 'v8');
    v8.call('jump');
    expect(v8.log).toEqual([1, 2]);
    const heddle = program('fibers', 'heddle');
    expect(trapOf(() => heddle.call('jump'))).toBe('HEDDLE_TRAP_ASYNCIFY_UNKNOWN');
    expect(heddle.log).toEqual([1]);
  });

  test('JavaScript between what suspends and what catches that', () => {
    const inside: { call?: Program['call'] } = {};
    const { call } = program('programs', 'heddle', () => inside.call?.('outside'));
    inside.call = call;
    expect(trapOf(() => call('begin', 1))).toBe('HEDDLE_TRAP_BARRIER');
  });
});

test('calls that nobody goes on with go with their instance, or when their buffer is used again', () => {
  const suspended = (): number => {
    collect();
    return statistics().stacksLive;
  };
  const before = suspended();
  (() => {
    const { call } = program('programs', 'heddle');
    call('drop', 50);
    expect(suspended()).toBe(before);
    for (let i = 0; i < 9; i++) {
      call('make', call('task', i) ?? 0, 0, i);
      call('step', call('task', i) ?? 0);
    }
    expect(suspended()).toBe(before + 9);
  })();
});
