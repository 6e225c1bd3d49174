/**
 * Coroutines with types: an export, the tags that it suspends with, and what is sent, yielded and returned.
 */
import { Continuation, type ContinuationState } from '../api/continuation.js';
import { continuationUsed, wrongArgument, wrongDeclaration, wrongTag } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import { type CallLimits, LIMIT_OPTIONS } from '../schedule/limit.js';
import { exportOf } from '../schedule/promising.js';
import { anything, optionsOf } from '../source/options.js';
import { Declared, Handled, type Rule, type Source, type SourceStep } from './source.js';
import { type AnyTag, nameOf, type ParametersOf, type ResultsOf, typesOf } from './tag.js';
import {
  areNames,
  areSame,
  type KnownType,
  knownType,
  listed,
  requireValues,
  type Single,
  type TypeName,
  type Values,
  valuesOf,
} from './types.js';

/** The function has returned. */
export interface Done<Return> {
  /** It is over. */
  readonly done: true;
  /** There is none. */
  readonly tag: undefined;
  /** What the function has returned. */
  readonly value: Return;
}

/** It has suspended with a tag. */
export interface Yielded<T extends AnyTag, Yield extends AnyTag, Return> {
  /** It is not over. */
  readonly done: false;
  /** What it suspended with. */
  readonly tag: T;
  /** The tag's parameters. */
  readonly values: ParametersOf<T>;
  /** The rest, which takes the tag's results. */
  readonly coroutine: Coroutine<ResultsOf<T>, Yield, Return>;
}

/** What a resumption gives: `done`, and then `tag`, tell the compiler which it is. */
export type Step<Yield extends AnyTag, Return, Each = Yield> = Done<Return> | (Each extends AnyTag ? Yielded<Each, Yield, Return> : never);

/** What a handler of a tag gives: nothing, the answer, or the list of answers; or a promise of it, for who resumes with `resumeAsync`. */
export type Answer<T> = ResultsOf<T> extends readonly [] ? unknown : Single<ResultsOf<T>> | PromiseLike<Single<ResultsOf<T>>>;

/** What a coroutine returns that stands in for the answer to a tag. */
type Delegated<T> = ResultsOf<T> extends readonly [] ? unknown : Single<ResultsOf<T>>;

type IsUnion<T, All = T> = [T] extends [never] ? false : T extends unknown ? ([All] extends [T] ? false : true) : never;

/** Instead of an iterator, for the compiler to tell. */
interface NotIterable {
  readonly iterates: 'only what takes no values now and suspends with one tag';
}

/** `Iterator`, where there is one tag to iterate over and nothing to be sent first. */
type Iterates<Send, Yield, Iterator> = Send extends readonly [] ? (IsUnion<Yield> extends true ? NotIterable : Iterator) : NotIterable;

/** Where the coroutine that was started stands now. */
interface Run {
  source: Source;
}

/** What this module passes to the constructor. */
interface Parts {
  readonly source: Source;
  /** What it is to be resumed with. */
  readonly takes: readonly KnownType[];
  readonly run: Run;
  /** Tags that it may suspend with; undefined where another decides. */
  readonly tags: ReadonlySet<AnyTag> | undefined;
}

class Existing {
  constructor(readonly parts: Parts) {}
}

let make: <Send extends readonly unknown[], Yield extends AnyTag, Return>(
  source: Source,
  takes: readonly KnownType[],
  tags: ReadonlySet<AnyTag> | undefined,
  run?: Run,
) => Coroutine<Send, Yield, Return>;

/**
 * A suspended function. `Send` is what it is resumed with now, `Yield` the tags that it suspends with, `Return` what it returns. It goes on once: each step has the
 * coroutine of the rest.
 */
export class Coroutine<Send extends readonly unknown[], Yield extends AnyTag, Return> {
  readonly #source: Source;
  readonly #takes: readonly KnownType[];
  readonly #run: Run;
  readonly #tags: ReadonlySet<AnyTag> | undefined;

  private constructor(given: unknown) {
    if (!(given instanceof Existing)) throw wrongArgument('a Coroutine is made by coroutine(fn, declaration).start()');
    const { source, takes, run, tags } = given.parts;
    this.#source = source;
    this.#takes = takes;
    this.#run = run;
    this.#tags = tags;
    run.source = source;
  }

  static {
    make = (source, takes, tags, run = { source }) => new Coroutine(new Existing({ source, takes, run, tags }));
  }

  /** As a `Continuation` has it. */
  get state(): ContinuationState {
    return this.#source.state;
  }

  /**
   * Goes on until the function returns or suspends. Throws what it throws, and a TypeError where the values are not those that it takes (nothing has happened then), or
   * where it has been resumed already.
   */
  resume(...values: Send): Step<Yield, Return> {
    requireValues(this.#takes, values, 'the coroutine');
    return this.#step(this.#source.resume(...values));
  }

  /** The same as a promise; imports and handlers may wait meanwhile. */
  async resumeAsync(...values: Send): Promise<Step<Yield, Return>> {
    requireValues(this.#takes, values, 'the coroutine');
    return this.#step(await this.#source.resumeAsync(...values));
  }

  /** Throws an exception where it is suspended, and goes on as `resume` does. `WebAssembly.JSTag` with one value throws that value. */
  resumeThrow<T extends AnyTag>(tag: T, ...values: ParametersOf<T>): Step<Yield, Return> {
    const types = typesOf(tag);
    if (types === undefined) throw wrongArgument('a Tag is needed');
    requireValues(types.parameters, values, nameOf(tag));
    return this.#step(this.#source.resumeThrow(tag, ...values));
  }

  /**
   * A second coroutine in the same state, with the same handlers; both go on, each once. What is shared, and what cannot be copied, is as with {@link Continuation.snapshot}. `using` ends only what
   * came of the one that it is written at.
   */
  snapshot(): Coroutine<Send, Yield, Return> {
    return make(this.#source.snapshot(), this.#takes, this.#tags);
  }

  /** Ends it, where it has not been resumed yet: handlers of `catch_all` run, and its stack is given back. */
  cancel(): void {
    this.#source.cancel();
  }

  /** For `using`: ends the coroutine where it stands now, which may be behind this step. */
  [Symbol.dispose](): void {
    this.#run.source.cancel();
  }

  /** The values of each suspension; `next(answer)` resumes with the answer. To leave the loop early ends it. */
  [Symbol.iterator](): Iterates<Send, Yield, Generator<Single<ParametersOf<Yield>>, Return, Single<ResultsOf<Yield>>>> {
    return this.#iterate() as never;
  }

  /** The same; imports and handlers may wait for promises. */
  [Symbol.asyncIterator](): Iterates<Send, Yield, AsyncGenerator<Single<ParametersOf<Yield>>, Return, Single<ResultsOf<Yield>>>> {
    return this.#iterateAsync() as never;
  }

  /**
   * A coroutine that answers suspensions with a tag by a function: no value, the value, or the list of them. What the function throws is thrown where the coroutine is
   * suspended. This one is used up.
   */
  handle<T extends Yield, const Given extends Answer<T>>(
    tag: T,
    answer: (...values: ParametersOf<T>) => Given,
  ): Coroutine<Send, Exclude<Yield, T>, Return> {
    if (typeof answer !== 'function') throw wrongArgument('a handler must be a function');
    // spread: as many as a tag has parameters
    return this.#handled({ tag, answer: (payload) => answer(...(payload as ParametersOf<T>)), delegates: false });
  }

  /**
   * As `yield*` of JavaScript: where this suspends with a tag another coroutine runs in its place, and yields what that yields; what it returns is the answer. What it
   * throws is thrown where this one is suspended. This one is used up.
   */
  delegate<T extends Yield, Inner extends AnyTag>(
    tag: T,
    start: (...values: ParametersOf<T>) => Coroutine<readonly [], Inner, Delegated<T>>,
  ): Coroutine<Send, Exclude<Yield, T> | Inner, Return> {
    if (typeof start !== 'function') throw wrongArgument('what begins the other coroutine must be a function');
    const answer = (payload: readonly unknown[]): Source => {
      // spread: as many as a tag has parameters
      const inner: unknown = start(...(payload as ParametersOf<T>));
      if (!Coroutine.#isOne(inner)) throw wrongArgument('what is delegated to must be a Coroutine');
      requireValues(inner.#takes, [], 'the coroutine that is delegated to');
      return inner.#taken();
    };
    return this.#handled({ tag, answer, delegates: true });
  }

  /** What a coroutine runs on, undefined for other values. @internal */
  static sourceOf(value: unknown): Source | undefined {
    return Coroutine.#isOne(value) ? value.#source : undefined;
  }

  static #isOne(value: unknown): value is Coroutine<readonly unknown[], AnyTag, unknown> {
    return typeof value === 'object' && value !== null && #source in value;
  }

  /** Its source, for another coroutine. */
  #taken(): Source {
    if (this.state !== 'fresh' && this.state !== 'suspended') throw continuationUsed();
    return this.#source;
  }

  #handled<NowYields extends AnyTag>({ tag, answer, delegates }: Omit<Rule, 'results'>): Coroutine<Send, NowYields, Return> {
    const types = typesOf(tag);
    if (types === undefined) throw wrongArgument('a Tag is needed');
    const { results } = types;
    if (this.#tags?.has(tag) === false) throw wrongTag(`the coroutine was not declared with ${nameOf(tag)}`);
    const left = this.#tags === undefined || delegates ? undefined : new Set([...this.#tags].filter((one) => one !== tag));
    return make(new Handled(this.#taken(), { tag, results, answer, delegates }), this.#takes, left, this.#run);
  }

  #step(step: SourceStep): Step<Yield, Return> {
    if (step.done) return { done: true, tag: undefined, value: step.value as Return };
    const { tag, payload, continuation } = step;
    const coroutine = make(continuation, typesOf(tag)?.results ?? [], this.#tags, this.#run);
    return { done: false, tag, values: payload, coroutine } as unknown as Step<Yield, Return>;
  }

  #requireOneTag(): void {
    if (this.#tags !== undefined && this.#tags.size > 1)
      throw wrongTag(`a loop is over one tag, not ${this.#tags.size}: resume() tells them apart`);
  }

  *#iterate(): Generator<unknown, unknown, unknown> {
    this.#requireOneTag();
    requireValues(this.#takes, [], 'the coroutine');
    const loop = new Loop(this.#run);
    loop.step = this.#source.resume();
    try {
      while (!loop.step.done) {
        const answer = yield loop.value(loop.step);
        // spread: as many as a tag has results
        loop.step = loop.step.continuation.resume(...loop.answers(answer));
      }
      return loop.step.value;
    } finally {
      loop.end();
    }
  }

  async *#iterateAsync(): AsyncGenerator<unknown, unknown, unknown> {
    this.#requireOneTag();
    requireValues(this.#takes, [], 'the coroutine');
    const loop = new Loop(this.#run);
    loop.step = await this.#source.resumeAsync();
    try {
      while (!loop.step.done) {
        const answer = yield loop.value(loop.step);
        // spread: as many as a tag has results
        loop.step = await loop.step.continuation.resumeAsync(...loop.answers(answer));
      }
      return loop.step.value;
    } finally {
      loop.end();
    }
  }
}

/** Where an iteration stands. */
class Loop {
  step: SourceStep = { done: true, value: undefined };
  readonly #run: Run;
  #tag: AnyTag | undefined;
  #takes: readonly KnownType[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  /** What a suspension gives. */
  value({ tag, payload, continuation }: SourceStep & { readonly done: false }): unknown {
    this.#run.source = continuation;
    if (tag !== this.#tag) {
      if (this.#tag !== undefined) throw wrongTag(`a loop over ${nameOf(this.#tag)} has come to ${nameOf(tag)}: resume() tells them apart`);
      this.#tag = tag;
      this.#takes = typesOf(tag)?.results ?? [];
    }
    return payload.length > 1 ? payload : payload[0];
  }

  answers(answer: unknown): readonly unknown[] {
    const values = valuesOf(this.#takes, answer, 'the coroutine');
    requireValues(this.#takes, values, 'the coroutine');
    return values;
  }

  end(): void {
    if (!this.step.done) this.step.continuation.cancel();
  }
}

/** How an export is declared: lists of its types, the tags that it suspends with, and what ends each resumption. What is not declared is `unknown` to the compiler. */
export interface Declaration<
  Parameters extends readonly TypeName[],
  Results extends readonly TypeName[],
  Tags extends AnyTag | readonly AnyTag[],
> extends CallLimits {
  /** The types of the function's parameters. */
  readonly parameters?: Parameters;
  /** The types of the function's results. */
  readonly results?: Results;
  /** A tag or a list of tags. A suspension with another ends the coroutine with a TypeError. */
  readonly yields?: Tags;
}

/** The tags of a declaration. */
type TagsOf<Tags> = Tags extends readonly AnyTag[] ? Tags[number] : Tags extends AnyTag ? Tags : never;

/** An export that is a coroutine. */
export interface CoroutineFunction<Parameters extends readonly unknown[], Yield extends AnyTag, Return> {
  /** A coroutine of it with these arguments; nothing runs yet. */
  start(...values: Parameters): Coroutine<readonly [], Yield, Return>;
}

const readDeclaration = optionsOf('coroutine', { parameters: anything, results: anything, yields: anything, ...LIMIT_OPTIONS });

function requireSame(what: string, declared: unknown, types: readonly KnownType[]): void {
  if (declared === undefined) return;
  if (!areNames(declared)) throw wrongDeclaration(`the ${what} are declared as a list of i32, i64, f32, f64, externref and funcref`);
  if (!areSame(declared, types)) throw wrongDeclaration(`the function's ${what} are ${listed(types)}, not ${listed(declared)}`);
}

/** The tags of a declaration, each looked at. */
function tagsOf(yields: unknown): ReadonlySet<AnyTag> {
  const tags: readonly unknown[] = Array.isArray(yields) ? yields : yields === undefined ? [] : [yields];
  for (const tag of tags) if (typesOf(tag) === undefined) throw wrongDeclaration('yields must be a Tag, or a list of Tags');
  return new Set(tags as readonly AnyTag[]);
}

/**
 * Declares an exported function as a coroutine. Throws a TypeError where it is none, or its types, or its tags, are others than declared.
 *
 * @example
 * ```js
 * import { parseWat, WebAssembly } from 'heddle';
 * import { coroutine, Tag } from 'heddle/typed';
 *
 * const ask = new Tag({ parameters: ['i32'], results: ['i32'] });
 * const bytes = parseWat(`(module
 *   (import "host" "ask" (tag $ask (param i32) (result i32)))
 *   (func (export "sum") (result i32) (i32.add (suspend $ask (i32.const 1)) (suspend $ask (i32.const 2)))))`);
 * const { instance } = await WebAssembly.instantiate(bytes, { host: { ask } });
 * const sum = coroutine(instance.exports.sum, { parameters: [], results: ['i32'], yields: ask });
 * const step = sum.start().handle(ask, (n) => 10 * n).resume();
 * console.log(step.done, step.value); // true 30
 * ```
 */
export function coroutine<
  const Parameters extends readonly TypeName[] = readonly TypeName[],
  const Results extends readonly TypeName[] = readonly TypeName[],
  const Tags extends AnyTag | readonly AnyTag[] = readonly [],
>(
  fn: unknown,
  declaration: Declaration<Parameters, Results, Tags> = {},
): CoroutineFunction<Values<Parameters>, TagsOf<Tags>, Single<Values<Results>>> {
  const { parameters, results, yields, ...limits } = readDeclaration(declaration);
  const engine = theEngine();
  const address = exportOf(fn, 'coroutine');
  const type = engine.types.type(engine.exports.typeOf(address));
  engine.convert.requireCrossing(type);
  const takes = type.params.map(knownType);
  requireSame('parameters', parameters, takes);
  requireSame('results', results, type.results.map(knownType));
  const tags = tagsOf(yields);
  return {
    start(...values) {
      requireValues(takes, values, 'the function');
      const continuation = new Continuation(fn as ExportedFunction, limits as CallLimits);
      // spread: as many as the function has parameters
      const bound = values.length === 0 ? continuation : continuation.bind(...values);
      return make(new Declared(bound, tags), [], tags);
    },
  };
}
