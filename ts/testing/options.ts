/**
 * What `explore` and `replay` are given, checked.
 */
import { Continuation } from '../api/continuation.js';
import { type Global, globalOf } from '../api/objects.js';
import type { WebAssembly } from '../base/v8_types.js';
import { wrongArgument, wrongChoice } from '../errors/catalog.js';
import { isMemory } from '../errors/v8.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import { aboutMapped } from '../instance/mapped_memory.js';
import { amount, flag, oneOf, optionsOf, type Reader, shown } from '../source/options.js';
import { Coroutine } from '../typed/coroutine.js';
import type { Source } from '../typed/source.js';
import { type AnyTag, nameOf, typesOf } from '../typed/tag.js';
import { type KnownType, requireValues, valuesOf } from '../typed/types.js';
import type { Shared } from './state.js';

/** A function that is explored, what stands for one, or a coroutine that takes nothing now. The last two stay as they are. */
export type Program<Return> = ExportedFunction | Continuation | Coroutine<readonly [], AnyTag, Return>;

/** How many outcomes a choice has, or which; undefined where the suspension is none. */
export type Outcomes = number | bigint | readonly unknown[] | undefined;

/** What exploring and replaying have in common. */
export interface ReplayOptions<Return = unknown> {
  /**
   * What a choice is: a suspension with this tag, whose first parameter is the number of outcomes and whose result is the one that is chosen, from 0 on; or a function that is asked at each suspension,
   * and gives that number, or the list of answers. No outcome is a dead end.
   */
  readonly choices: AnyTag | ((values: readonly unknown[], tag: AnyTag) => Outcomes);
  /** What an exported function is called with. */
  readonly args?: readonly unknown[];
  /** Whether what a run returned is right: false, or an error that is thrown, makes it a failure. */
  readonly check?: (value: Return, path: readonly number[]) => unknown;
  /** Memories that each branch finds as they were at its choice; otherwise branches see what the ones before have written. */
  readonly memories?: readonly WebAssembly.Memory[];
  /** The same for mutable globals. */
  readonly globals?: readonly Global[];
  /** Gives what else a branch is to find: called at each choice. */
  readonly save?: () => unknown;
  /** Puts back what `save` has given. */
  readonly restore?: (saved: unknown) => void;
  /** Ends it with its reason between two resumptions. */
  readonly signal?: AbortSignal;
}

/** What `explore` takes besides the program. */
export interface ExploreOptions<Return = unknown> extends ReplayOptions<Return> {
  /** Which branch is next: the newest (`depth`, unless said otherwise) or the oldest (`breadth`). */
  readonly order?: 'depth' | 'breadth';
  /** Ends after so many runs. */
  readonly runs?: number;
  /** Ends after so many runs that have returned what is right. */
  readonly outcomes?: number;
  /** Ends after so many failures. */
  readonly failures?: number;
  /** Ends each run at its choice number `depth + 1`. */
  readonly depth?: number;
  /** Ends where more suspended versions would have to be kept. */
  readonly snapshots?: number;
  /** Is called with what each run has returned. */
  readonly visit?: (value: Return, path: readonly number[]) => void;
  /** Whether `outcomes` of the result are kept; they are unless this is false. */
  readonly keep?: boolean;
}

const fn: Reader<(...given: readonly unknown[]) => unknown> = (value, name) => {
  if (typeof value !== 'function') throw wrongArgument(`the option ${name} must be a function, not ${shown(value)}`);
  return value as (...given: readonly unknown[]) => unknown;
};

const list =
  <T>(wanted: string, is: (value: unknown) => value is T): Reader<readonly T[]> =>
  (value, name) => {
    if (!Array.isArray(value) || !value.every(is)) throw wrongArgument(`the option ${name} must be a list of ${wanted}`);
    return [...value];
  };

const isAnyMemory = (value: unknown): value is WebAssembly.Memory => isMemory(value) || aboutMapped(value) !== undefined;
const isMutableGlobal = (value: unknown): value is Global => globalOf(value)?.mutable === true;

const choices: Reader<ReplayOptions['choices']> = (value, name) => {
  const types = typesOf(value);
  if (types === undefined) {
    if (typeof value === 'function') return value as ReplayOptions['choices'];
    throw wrongArgument(`the option ${name} must be a Tag or a function, not ${shown(value)}`);
  }
  const [first] = types.parameters;
  const isInteger = (type: KnownType): boolean => type === 'i32' || type === 'i64';
  if (!isInteger(first) || types.results.length !== 1 || !isInteger(types.results[0])) {
    throw wrongArgument(`the tag of the option ${name} must have an integer as its first parameter and one as its only result`);
  }
  return value as AnyTag;
};

const signal: Reader<AbortSignal> = (value, name) => {
  if (typeof value === 'object' && value !== null && 'aborted' in value) return value as AbortSignal;
  throw wrongArgument(`the option ${name} must be an AbortSignal, not ${shown(value)}`);
};

const isAny = (_: unknown): _ is unknown => true;

const REPLAY = {
  choices,
  args: list('values', isAny),
  check: fn,
  memories: list('memories', isAnyMemory),
  globals: list('mutable globals', isMutableGlobal),
  save: fn,
  restore: fn,
  signal,
} as const;

const read = {
  explore: optionsOf('explore', {
    ...REPLAY,
    order: oneOf(['depth', 'breadth']),
    runs: amount,
    outcomes: amount,
    failures: amount,
    depth: amount,
    snapshots: amount,
    visit: fn,
    keep: flag,
  }),
  replay: optionsOf('replay', REPLAY),
};

/** What was given, and how a program is begun. */
export interface Plan {
  readonly root: Source;
  readonly args: readonly unknown[];
  readonly choices: ReplayOptions['choices'];
  readonly shared: Shared;
  readonly check: ((value: unknown, path: readonly number[]) => unknown) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly order: 'depth' | 'breadth';
  readonly runs: number;
  readonly outcomes: number;
  readonly failures: number;
  readonly depth: number;
  readonly snapshots: number;
  readonly visit: ((value: unknown, path: readonly number[]) => unknown) | undefined;
  readonly keep: boolean;
}

/** A version of its own of what a program is. */
function rootOf(program: unknown): Source {
  if (program instanceof Continuation) return program.snapshot() as Source;
  const source = Coroutine.sourceOf(program);
  return source === undefined ? (new Continuation(program as ExportedFunction) as Source) : source.snapshot();
}

/** Throws a TypeError or a RangeError where something is wrong. */
export function planOf(of: keyof typeof read, program: unknown, options: unknown): Plan {
  const given: ReturnType<typeof read.explore> = read[of](options ?? {});
  if (given.choices === undefined) throw wrongArgument(`${of} needs the option choices: a Tag or a function`);
  if ((given.save === undefined) !== (given.restore === undefined)) throw wrongArgument('the options save and restore go together');
  return {
    root: rootOf(program),
    args: given.args ?? [],
    choices: given.choices,
    shared: { memories: given.memories ?? [], globals: given.globals ?? [], save: given.save, restore: given.restore },
    check: given.check,
    signal: given.signal,
    order: given.order ?? 'depth',
    runs: given.runs ?? Infinity,
    outcomes: given.outcomes ?? Infinity,
    failures: given.failures ?? Infinity,
    depth: given.depth ?? Infinity,
    snapshots: given.snapshots ?? Infinity,
    visit: given.visit,
    keep: given.keep !== false,
  };
}

/** The outcomes of one choice. */
export interface Choice {
  readonly count: number;
  /** What the program is resumed with for one of them; throws a TypeError where that does not fit the tag. */
  answer(index: number): readonly unknown[];
}

/** Asks what outcomes a suspension has; undefined where it is no choice. Throws a TypeError where the answer is none. */
export function choiceOf(given: ReplayOptions['choices'], tag: AnyTag, values: readonly unknown[]): Choice | undefined {
  let outcomes: Outcomes;
  if (typeof given === 'function') outcomes = given(values, tag);
  else if (tag === given) outcomes = values[0] as number | bigint;
  if (outcomes === undefined) return undefined;
  const results = typesOf(tag)?.results ?? [];
  const what = `the choice ${nameOf(tag)}`;
  if (Array.isArray(outcomes)) {
    const answers: readonly unknown[] = outcomes;
    return {
      count: answers.length,
      answer(index) {
        const answer = valuesOf(results, answers[index], what);
        requireValues(results, answer, what);
        return answer;
      },
    };
  }
  const count = typeof outcomes === 'bigint' ? Number(outcomes) : outcomes;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) {
    throw wrongChoice(`${what} must have a number of outcomes from 0 on, not ${shown(outcomes)}`);
  }
  return {
    count,
    answer(index) {
      const answer = [results[0] === 'i64' ? BigInt(index) : index];
      requireValues(results, answer, what);
      return answer;
    },
  };
}

/** What a program suspends with that is no choice. */
export function noChoice(tag: AnyTag): Error {
  return wrongChoice(`the program has suspended with ${nameOf(tag)}, which is no choice`);
}
