/**
 * Programs on an engine against the reference interpreter.
 */
import { Coverage } from './coverage.js';
import { encode } from './encode.js';
import { type Engine, Session } from './env.js';
import { programOf } from './generator.js';
import { endText } from './host.js';
import { Machine } from './machine.js';
import type { TrapKind } from './outcomes.js';
import { classOf } from './payloads.js';
import type { Program } from './program.js';

/** What a program logs, and what it did. */
export interface Expectation {
  readonly log: readonly string[];
  readonly coverage: Coverage;
  /** Kinds of traps that ended calls. */
  readonly traps: ReadonlySet<TrapKind>;
}

/** An engine that did something else than the reference interpreter. */
export interface Difference {
  readonly expected: readonly string[];
  /** Undefined where the engine made nothing of the module at all: `error` says why. */
  readonly actual?: readonly string[];
  readonly error?: string;
}

export interface Failure extends Difference {
  readonly seed: number;
}

/** What came of a range of seeds. */
export interface Batch {
  readonly programs: number;
  /** Programs that the engine is known not to run. */
  readonly skipped: number;
  readonly counts: readonly number[];
  readonly failures: readonly Failure[];
}

/** Runs a program by the reference interpreter. */
export function expectationOf(program: Program): Expectation {
  const coverage = new Coverage();
  const traps = new Set<TrapKind>();
  const machine = new Machine(program, {
    trapped: (kind) => traps.add(kind),
    observe: (operation, state, payload) => coverage.add(operation, state, classOf(payload)),
  });
  for (const entry of program.entries) {
    try {
      machine.invoke(entry);
    } catch (error) {
      machine.log.push(endText(program, error));
    }
  }
  return { log: machine.log, coverage, traps };
}

/** Undefined where the engine does what the reference interpreter does. */
export function differenceOf(engine: Engine, program: Program): Difference | undefined {
  const { log } = expectationOf(program);
  try {
    const session = new Session(engine, [program], encode([program]));
    return compared(engine, log, session.run(0));
  } catch (error) {
    return { expected: log, error: String(error) };
  }
}

function compared(engine: Engine, log: readonly string[], actual: readonly string[]): Difference | undefined {
  const expected = log.map(engine.says);
  return expected.length === actual.length && expected.every((line, i) => line === actual[i]) ? undefined : { expected, actual };
}

/** The programs of `count` seeds, in one module. `reached` is told each step on the way: a program is made, the module is compiled, a program has run. */
export function compareBatch(engine: Engine, from: number, count: number, reached: () => void = () => {}): Batch {
  const coverage = new Coverage();
  const failures: Failure[] = [];
  const taken: { readonly seed: number; readonly program: Program; readonly log: readonly string[] }[] = [];
  for (let seed = from; seed < from + count; seed++) {
    reached();
    const { program, features } = programOf(seed);
    const expectation = expectationOf(program);
    if (!engine.runs(features, expectation)) continue;
    coverage.merge(expectation.coverage.counts);
    taken.push({ seed, program, log: expectation.log });
  }
  const programs = taken.map(({ program }) => program);
  try {
    const session = taken.length === 0 ? undefined : new Session(engine, programs, encode(programs));
    taken.forEach(({ seed, log }, i) => {
      reached();
      const difference = compared(engine, log, session?.run(i) ?? []);
      if (difference !== undefined) failures.push({ seed, ...difference });
    });
  } catch (error) {
    // The module as a whole: which of the programs it is shows one by one.
    if (count === 1) failures.push({ seed: from, expected: taken[0]?.log ?? [], error: String(error) });
    else return oneByOne(engine, from, count, reached);
  }
  return { programs: taken.length, skipped: count - taken.length, counts: coverage.counts, failures };
}

function oneByOne(engine: Engine, from: number, count: number, reached: () => void): Batch {
  const coverage = new Coverage();
  const batches = Array.from({ length: count }, (_, i) => compareBatch(engine, from + i, 1, reached));
  for (const { counts } of batches) coverage.merge(counts);
  return {
    programs: batches.reduce((sum, { programs }) => sum + programs, 0),
    skipped: batches.reduce((sum, { skipped }) => sum + skipped, 0),
    counts: coverage.counts,
    failures: batches.flatMap(({ failures }) => failures),
  };
}
