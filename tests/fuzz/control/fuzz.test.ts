/**
 * The parts of the fuzzer that must work for its silence to mean something.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../../ts/api/index.js';
import { compareBatch, differenceOf, expectationOf } from './compare.js';
import { CELLS, Coverage, impossible } from './coverage.js';
import { encode } from './encode.js';
import { heddleOf } from './engines.js';
import { type Engine, type Namespace, Session } from './env.js';
import { programOf } from './generator.js';
import { print } from './print.js';
import type { Program } from './program.js';
import { shrink, sizeOf } from './shrink.js';
import { Patience, processorTime } from './worker.js';

const engine = heddleOf(Heddle as unknown as Namespace);
const seeds = Array.from({ length: 6 }, (_, i) => 500 + i);

/** Whether a program does something of a sort. */
function does(program: Program, wanted: (cell: (typeof CELLS)[number]) => boolean): boolean {
  const { counts } = expectationOf(program).coverage;
  return CELLS.some((cell, i) => wanted(cell) && (counts[i] ?? 0) > 0);
}

test('a seed gives one program', () => {
  for (const seed of seeds) expect(print(programOf(seed).program)).toBe(print(programOf(seed).program));
  expect(new Set(seeds.map((seed) => print(programOf(seed).program))).size).toBe(seeds.length);
});

test('the text of a program does what its bytes do', () => {
  for (const seed of seeds) {
    const { program } = programOf(seed);
    const { log } = expectationOf(program);
    expect(new Session(engine, [program], encode([program])).run(0)).toEqual(log);
    expect(new Session(engine, [program], parseWat(print(program))).run(0)).toEqual(log);
  }
});

test('programs of one module do not touch each other', () => {
  const { programs, failures } = compareBatch(engine, 700, 10);
  expect(failures).toEqual([]);
  expect(programs).toBe(10);
});

describe('a wrong engine is found', () => {
  test('that traps for another reason', () => {
    const wrong: Engine = { ...engine, trapKind: (error) => engine.trapKind(error) && 'unreachable' };
    expect(compareBatch(wrong, 800, 10).failures.length).toBeGreaterThan(0);
  });

  test('that gives a copy of a structure instead of the structure', () => {
    const programs = Array.from({ length: 60 }, (_, i) => programOf(1000 + i).program).filter((program) =>
      print(program).includes('struct.new'),
    );
    // What is written is then seen by nobody.
    const copying = (program: Program): boolean => {
      const text = print(program).replaceAll(/struct\.set \$t\d+ 0$/gm, 'drop\n    drop');
      return new Session(engine, [program], parseWat(text)).run(0).join() !== expectationOf(program).log.join();
    };
    expect(programs.length).toBeGreaterThan(5);
    expect(programs.filter(copying).length).toBeGreaterThan(programs.length / 4);
  });

  test('that makes no clones', () => {
    const cloning = Array.from({ length: 40 }, (_, i) => programOf(900 + i)).filter(({ features }) => features.cloning);
    // Whoever hands back what it was given.
    const sharing = ({ program }: { readonly program: Program }): boolean => {
      const { log } = expectationOf(program);
      const text = print(program).replaceAll(/call \$clone\d+/g, 'ref.as_non_null');
      return new Session(engine, [program], parseWat(text)).run(0).join() !== log.join();
    };
    expect(cloning.filter(sharing).length).toBeGreaterThan(cloning.length / 4);
  });

  test('that rejects a module', () => {
    class Module {
      constructor() {
        throw new Error('no');
      }
    }
    const wrong: Engine = { ...engine, namespace: { ...engine.namespace, Module } };
    expect(differenceOf(wrong, programOf(1).program)?.error).toBe('Error: no');
  });
});

test('shrinking keeps what fails and takes the rest out', async () => {
  const wanted = ({ operation, state }: (typeof CELLS)[number]) => operation === 'switch' && state === 'fresh';
  const fits = (candidate: Program): boolean => does(candidate, wanted) && sizeOf(candidate) > 200;
  const seed = Array.from({ length: 1000 }, (_, i) => i).find((candidate) => fits(programOf(candidate).program)) ?? 0;
  const { program } = programOf(seed);
  const smallest = await shrink(program, async (candidate) => {
    try {
      return does(candidate, wanted);
    } catch {
      return false;
    }
  });
  expect(does(smallest, wanted)).toBe(true);
  expect(sizeOf(smallest)).toBeLessThan(sizeOf(program) / 2);
  expect(Heddle.validate(encode([smallest]) as Uint8Array<ArrayBuffer>)).toBe(true);
});

describe('a process hangs', () => {
  /** How often a process that uses `work` seconds of processor time in each tick is asked until it is said to hang; it does a step each `steps` ticks. */
  function asked(work: number, steps = Number.POSITIVE_INFINITY): number {
    let time = 3;
    const patience = new Patience(() => time);
    for (let tick = 1; tick <= 1000; tick++) {
      if (tick % steps === 0) patience.step();
      if (patience.tick() !== undefined) return tick;
      time += work;
    }
    return Number.POSITIVE_INFINITY;
  }

  // A tick is 5 s: 60 s of one core are 12 of them, of a tenth of a core 120.
  test('that computes and does no step', () => {
    expect(asked(5)).toBe(14);
    expect(asked(0.5)).toBe(122);
  });

  test('that waits', () => expect(asked(0)).toBe(25));

  test('not: that does a step now and then, and that gets a thousandth of a core', () => {
    expect(asked(5, 10)).toBe(Number.POSITIVE_INFINITY);
    expect(asked(0.005)).toBe(Number.POSITIVE_INFINITY);
  });

  test("by the system's account of its processor time", () => {
    const before = processorTime(process.pid) ?? Number.NaN;
    const { user, system } = process.cpuUsage();
    const after = processorTime(process.pid) ?? Number.NaN;
    // Microseconds; the account is in hundredths of a second, of which each of its two numbers may lack one.
    expect((user + system) / 1e6).toBeGreaterThan(before - 0.03);
    expect((user + system) / 1e6).toBeLessThan(after + 0.03);
    expect(processorTime(undefined)).toBeUndefined();
  });

  test('not: that is gone, which is told otherwise', () => {
    const patience = new Patience(() => undefined);
    for (let tick = 0; tick < 100; tick++) expect(patience.tick()).toBeUndefined();
  });
});

describe('coverage', () => {
  test('counts cells, and complains of rare and of impossible ones', () => {
    const coverage = new Coverage();
    for (const cell of CELLS) if (impossible(cell) === undefined) coverage.add(cell.operation, cell.state, cell.kind);
    expect(coverage.wrong(1)).toEqual([]);
    expect(coverage.wrong(2).length).toBe(CELLS.filter((cell) => impossible(cell) === undefined).length);
    coverage.add('suspend', 'fresh', 'one');
    expect(coverage.wrong(1)).toEqual(['suspend / fresh / one cannot be, and was hit 1 times']);
  });

  test('programs hit most of it soon', () => {
    const coverage = new Coverage();
    for (let seed = 0; seed < 300; seed++) coverage.merge(expectationOf(programOf(seed).program).coverage.counts);
    expect(coverage.wrong(1).length).toBeLessThan(CELLS.length / 2);
  });
});
