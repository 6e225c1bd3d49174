/**
 * Generates programs while it runs them: the reference interpreter stops at each hole, and what is put there depends on the state that execution has reached
 * (which continuations exist, in which states, and what handlers wait). So most of a program is executed, and rare states are sought, not awaited.
 */
import { type FunctionBuilder, nullable, type Place, ProgramBuilder } from './builder.js';
import { CELLS, type Cell, impossible } from './coverage.js';
import { type ContinuationState, stateOf } from './fibers.js';
import { endText } from './host.js';
import { Machine, TooLong, type Watcher } from './machine.js';
import { holds, i32, type Store, sink, sinkParams, values } from './operands.js';
import { boundable, CLASSES, classOf, OPERATIONS, type Operation, type PayloadClass, shape } from './payloads.js';
import { type Code, type Hole, isRef, type Program, type RefType, type Signature, sameTypes, type ValueType } from './program.js';
import { Random } from './random.js';
import { nextStatement } from './statements.js';
import type { Continuation, Value } from './values.js';

/** Where a hole is. */
export interface Scope {
  readonly fn: FunctionBuilder;
  /** How many statements are around it. */
  readonly depth: number;
  /** Statements that may still be put there. */
  left: number;
}

/** What a program may use besides the rest. */
export interface Features {
  /** Only what V8 runs as well (`engines.ts`), as far as that shows while the program is written. */
  readonly portable: boolean;
  readonly switching: boolean;
  readonly throwRef: boolean;
  readonly cloning: boolean;
}

/** A continuation in a place that the running function can reach. */
export interface Target {
  readonly place: Place;
  /** Its continuation type. */
  readonly type: number;
  readonly state: ContinuationState;
}

const MOST_FUNCTIONS = 18;
const DEEPEST = 5;
const LEVELS = 6;
const LEAF_LEVEL = LEVELS + 1;

/** Operations that V8 runs: resume_throw only where the continuation is suspended. */
const PORTABLE: ReadonlySet<Operation> = new Set<Operation>(['bind', 'resume', 'resume_throw', 'suspend', 'drop']);

/** How often a state is sought that programs seldom get to; others are sought with weight 2. */
const HARD: ReadonlyMap<ContinuationState, number> = new Map<ContinuationState, number>([
  ['consumed: parent', 7],
  ['suspended, bound in part', 6],
  ['suspended', 3],
  ['cloned: another version is active', 5],
  ['cloned: suspended, bound in part', 6],
  ['cloned: suspended', 3],
  ['null', 3],
  ['cloned: fresh', 3],
  ['cloned: fresh, bound in part', 3],
  ['fresh, bound in part', 3],
  ['consumed: returned', 3],
  ['consumed: trapped', 3],
  ['consumed: waits under another reference', 3],
]);

/** How often an operation is sought that programs do anyway; others are sought with weight 10. */
const COMMON: ReadonlyMap<Operation, number> = new Map<Operation, number>([
  ['suspend', 3],
  ['resume', 6],
]);

/** States that something which was suspended before, or started, is in. */
const FAR: ReadonlySet<ContinuationState> = new Set<ContinuationState>([
  'consumed: waits under another reference',
  'consumed: parent',
  'consumed: trapped',
  'consumed: returned',
  'consumed: running',
  'consumed: thrown out of',
]);

/** A cell of the coverage to seek. Payloads of about 1,000 values take long, so fewer programs have them. */
function goalOf(random: Random): Cell {
  const operation = random.weighted(OPERATIONS.map((each) => [COMMON.get(each) ?? 10, each] as const)) ?? random.pick(OPERATIONS);
  const cells = CELLS.filter((cell) => cell.operation === operation && impossible(cell) === undefined);
  const wide = random.chance(10);
  const candidates = cells.filter(({ kind }) => (kind === 'about 1,000') === wide);
  return random.weighted(candidates.map((cell) => [HARD.get(cell.state) ?? 2, cell] as const)) ?? random.pick(candidates);
}

/** The state of the generation of one program. */
export class Generator implements Store, Watcher {
  readonly builder = new ProgramBuilder();
  readonly random: Random;
  readonly features: Features;
  /** What the program tries to do. */
  readonly goal: Cell;
  /** The class that most payloads are of. */
  readonly theme: PayloadClass;
  readonly leafType: number;
  /** Structures of payloads. */
  readonly structure: RefType;
  readonly leaves: readonly FunctionBuilder[];
  /** A number that statements change and test. */
  readonly counter: number;
  /** Tags that switches use: [] -> results. */
  readonly #switchTags: { readonly tag: number; readonly results: readonly ValueType[] }[] = [];
  /** Calls from JavaScript that are still to come. */
  #callsLeft: number;
  #budget: number;
  #holes = 0;
  readonly #entered = new Set<number>();
  readonly #scopes = new Map<number, Scope>();
  /** Tags of suspensions and exceptions. */
  readonly #tags: number[] = [];
  readonly #params: ValueType[][];
  readonly #results: ValueType[][];

  constructor(seed: number) {
    const random = new Random(seed);
    this.random = random;
    this.goal = goalOf(random);
    const { operation, state, kind } = this.goal;
    const cloned = operation === 'clone' || state.startsWith('cloned');
    const portable =
      !cloned && PORTABLE.has(operation) && (operation !== 'resume_throw' || state.startsWith('suspended')) && random.chance(80);
    this.features = {
      portable,
      switching: operation === 'switch' || (!portable && random.chance(60)),
      throwRef: operation === 'resume_throw_ref' || (!portable && random.chance(60)),
      cloning: cloned || (!portable && random.chance(40)),
    };
    this.theme = kind;
    const steps = this.isFar ? 10 : 0;
    this.#budget = steps + (kind === 'about 1,000' ? random.between(6, 14) : random.between(8, 44));
    this.#callsLeft = kind === 'about 1,000' ? random.between(20, 60) : random.between(3, 9);
    this.leafType = this.builder.func({ params: [], results: ['i32'] });
    const leaf = this.builder.function({ params: [], results: ['i32'] }, LEAF_LEVEL);
    leaf.definition.body.push(i32(5));
    this.leaves = [leaf];
    this.counter = this.builder.global('i32', random.below(4));
    const base = this.builder.cont({ params: [], results: [] });
    this.structure = nullable(this.builder.structure(base));
    const references: ValueType[] = [
      'externref',
      'exnref',
      { to: this.leafType, nullable: true },
      { to: base, nullable: true },
      this.structure,
      this.structure,
    ];
    const theme = kind === 'about 1,000' ? 0 : 70;
    const types = (): ValueType[] => shape(random, random.chance(theme) ? kind : this.#otherClass(), references);
    const sought = shape(random, kind, references);
    // Where something is to be bound before, there must be something to bind.
    const more: ValueType[] = this.goal.state.includes('bound') ? [random.pick(['i32', 'i64'] as const), ...sought] : types();
    this.#params = [sought, more, random.chance(50) ? more : types()];
    this.#results = [[], random.chance(50) ? [] : types()];
  }

  #otherClass(): PayloadClass {
    return this.random.pick(CLASSES.filter((kind) => kind !== 'about 1,000'));
  }

  /** Whether two versions are to meet. */
  get seeksActive(): boolean {
    return this.goal.state === 'cloned: another version is active';
  }

  /** Whether the goal takes more steps than others: versions meet, or something is suspended first, in few steps because payloads are large. */
  get isFar(): boolean {
    const { state, kind } = this.goal;
    return this.seeksActive || (kind === 'about 1,000' && (state.includes('suspended') || FAR.has(state)));
  }

  /** Types of a payload, from the few lists that the program uses throughout, so that continuations of the same type meet. */
  params(): readonly ValueType[] {
    return this.random.pick(this.#params);
  }

  results(): readonly ValueType[] {
    return this.random.pick(this.#results);
  }

  values(fn: FunctionBuilder, types: readonly ValueType[]): Code {
    return values(this, fn, types);
  }

  sink(fn: FunctionBuilder, types: readonly ValueType[]): Code {
    return sink(this, fn, types);
  }

  placeFor(fn: FunctionBuilder, type: ValueType): Place {
    const { random, builder } = this;
    const known = builder.places.filter((place) => holds(place, type) && (place.kind !== 'local' || place.func === fn.number));
    if (known.length > 0 && (known.length > 5 || random.chance(60))) return random.pick(known);
    return builder.place(random.pick(['global', 'global', 'table', 'local']), type, fn);
  }

  /** A place that every function can reach. */
  sharedPlaceFor(fn: FunctionBuilder, type: ValueType): Place {
    const known = this.builder.places.filter((place) => holds(place, type) && place.kind !== 'local');
    if (known.length > 0 && (known.length > 5 || this.random.chance(60))) return this.random.pick(known);
    return this.builder.place(this.random.pick(['global', 'table']), type, fn);
  }

  /** How many values to bind for a payload of the sought class. */
  boundCounts(params: readonly ValueType[]): number[] {
    return boundable(params.length).filter((count) => classOf(params.slice(0, count)) === this.goal.kind);
  }

  start(fn: FunctionBuilder, cont: number): FunctionBuilder | undefined {
    return this.callee(fn, this.builder.signature(cont), this.builder.funcOf(cont));
  }

  /** A function that `fn` may call or start: one that there is, or a new one. */
  callee(fn: FunctionBuilder, signature: Signature, type = this.builder.func(signature)): FunctionBuilder | undefined {
    const { random, builder } = this;
    const known = builder.functions.filter(({ level, definition }) => level > fn.level && definition.type === type);
    if (known.length > 0 && random.chance(40)) return random.pick(known);
    if (fn.level >= LEVELS || builder.functions.length >= MOST_FUNCTIONS) return known[0];
    return this.#function(signature, fn.level + 1, random.between(this.isFar ? 4 : 1, 7));
  }

  #function(signature: Signature, level: number, statements: number): FunctionBuilder {
    const fn = this.builder.function(signature, level);
    const { body } = fn.definition;
    body.push(...sinkParams(this, fn), ...this.hole({ fn, depth: 0, left: statements }), ...this.values(fn, signature.results));
    return fn;
  }

  /** A place for more statements. */
  hole(scope: Scope): Code {
    const id = this.#holes++;
    this.#scopes.set(id, scope);
    return [{ op: 'hole', id }];
  }

  /** A hole inside a statement of a scope. */
  inner(scope: Scope, most = 3): Code {
    if (scope.depth >= DEEPEST) return [];
    return this.hole({ fn: scope.fn, depth: scope.depth + 1, left: this.random.between(0, most) });
  }

  grow(hole: Hole, machine: Machine): Code | undefined {
    const scope = this.#scopes.get(hole.id);
    if (scope === undefined || scope.left <= 0 || this.#budget <= 0) {
      this.#scopes.delete(hole.id);
      return undefined;
    }
    scope.left--;
    this.#budget--;
    const body = nextStatement(this, scope, machine);
    return [{ op: 'statement', body }];
  }

  /** Continuations that the running function can reach, in any state; null where nothing has been put yet. */
  targets(machine: Machine): Target[] {
    const { func, locals } = machine.fiber.top;
    return this.builder.places.flatMap((place) => {
      const { type } = place;
      if (!this.builder.isCont(type) || (place.kind === 'local' && place.func !== func)) return [];
      const continuation = held(machine, place, locals) as Continuation | null;
      return [{ place, type: type.to, state: stateOf(continuation, machine.running) }];
    });
  }

  /** A tag that an exception can be of. */
  exceptionTag(): number {
    const { operation, kind } = this.goal;
    const sought = (operation === 'resume_throw' || operation === 'resume_throw_ref') && this.random.chance(75);
    return this.#tag(({ params, results }) => results.length === 0 && (!sought || classOf(params) === kind), []);
  }

  /** A tag to suspend with. */
  suspensionTag(): number {
    const [sought] = this.#params;
    if (!this.isFar || sought === undefined || this.random.chance(30)) return this.#tag(() => true, this.params());
    return this.#tag(({ results }) => sameTypes(results, sought), sought);
  }

  #tag(fits: (signature: Signature) => boolean, results: readonly ValueType[]): number {
    const { random, builder } = this;
    const known = this.#tags.filter((tag) => fits(builder.tagSignature(tag)));
    if (known.length > 0 && (known.length > 3 || random.chance(70))) return random.pick(known);
    const tag = builder.tag({ params: this.params(), results });
    this.#tags.push(tag);
    return tag;
  }

  /** A tag for switches among continuations with these results. */
  switchTag(results: readonly ValueType[]): number {
    const known = this.#switchTags.find((entry) => sameTypes(entry.results, results));
    if (known !== undefined) return known.tag;
    const tag = this.builder.tag({ params: [], results });
    this.#switchTags.push({ tag, results });
    return tag;
  }

  /** Results that the continuation types which a switch can go to have, and the type of what it leaves; undefined where it can go to none of this type. */
  switchable(type: number): { readonly back: number; readonly results: readonly ValueType[] } | undefined {
    const { params, results } = this.builder.signature(type);
    const last = params[params.length - 1];
    if (last === undefined || !isRef(last) || !this.builder.isCont(last)) return undefined;
    return sameTypes(this.builder.signature(last.to).results, results) ? { back: last.to, results } : undefined;
  }

  /** A continuation type that a switch can go to, with these results. */
  switchTarget(results: readonly ValueType[]): number {
    const { builder, random } = this;
    const params = this.params();
    if (random.chance(this.goal.state.includes('suspended') || this.isFar ? 85 : 50)) return builder.recursive(params, results);
    const back = random.chance(60) ? builder.cont({ params: this.params(), results }) : builder.recursive(this.params(), results);
    return builder.cont({ params: [...params, { to: back, nullable: true }], results });
  }

  /** Writes the program. Throws TooLong where it runs for too long. */
  run(): Program {
    const { builder, random } = this;
    const machine = new Machine(builder.program, this);
    const made: number[] = [];
    for (; this.#callsLeft > 0; this.#callsLeft--) {
      // Calling what was called before costs no new code, and does the same things to continuations in other states.
      const entry = made.length > 0 && random.chance(made.length * 22) ? random.pick(made) : this.#entry(random.between(2, 10));
      if (!made.includes(entry)) made.push(entry);
      builder.program.entries.push(entry);
      try {
        machine.invoke(entry);
      } catch (error) {
        endText(builder.program, error);
      }
    }
    this.#last();
    this.#forgetUnused();
    return builder.program;
  }

  entered(func: number): void {
    this.#entered.add(func);
  }

  /** Functions that nothing has entered need no code: compiling it is what takes time. */
  #forgetUnused(): void {
    for (const { number, definition } of this.builder.functions) {
      if (this.#entered.has(number)) continue;
      definition.body.splice(0, definition.body.length, { op: 'unreachable' });
      definition.locals.length = 0;
    }
  }

  /** A new exported function without parameters and results. */
  #entry(statements: number): number {
    const entry = this.#function({ params: [], results: [] }, 0, statements);
    entry.definition.exported = true;
    return entry.number;
  }

  /** A last entry says what the globals hold. */
  #last(): void {
    const { builder } = this;
    const last = builder.function({ params: [], results: [] }, 0);
    last.definition.exported = true;
    builder.program.entries.push(last.number);
    this.#entered.add(last.number);
    const { globals } = builder.program;
    globals.forEach(({ type }, index) => {
      last.definition.body.push({ op: 'global.get', index });
      if (type !== 'i32') last.definition.body.push({ op: 'ref.is_null' });
    });
    last.definition.body.push(builder.log(globals.map(() => 'i32')));
  }
}

/** What a place holds; `locals` are the running function's. */
function held(machine: Machine, place: Place, locals: readonly Value[]): Value {
  switch (place.kind) {
    case 'global':
      return machine.globals[place.index] ?? null;
    case 'local':
      return locals[place.index] ?? null;
    case 'table':
      return machine.tables[place.index]?.[place.at] ?? null;
  }
}

/** The program of a seed: the same for the same seed. */
export function programOf(seed: number): { readonly program: Program; readonly features: Features } {
  for (let attempt = 0; ; attempt++) {
    const generator = new Generator(seed + attempt * 0x1000_0001);
    try {
      return { program: generator.run(), features: generator.features };
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
    }
  }
}
