/**
 * The statements that make continuations and do things to them.
 */
import { type FunctionBuilder, nullable } from './builder.js';
import type { ContinuationState } from './fibers.js';
import type { Generator, Scope, Target } from './generator.js';
import type { Machine } from './machine.js';
import { get, set, setFromStack } from './operands.js';
import { boundable, classOf, type Operation } from './payloads.js';
import type { Clause, Code, ValueType } from './program.js';

/** A new continuation in a place. */
export function makeContinuation(g: Generator, { fn }: Scope): Code | undefined {
  const { builder, random } = g;
  const type =
    g.features.switching && random.chance(35) ? g.switchTarget(g.results()) : builder.cont({ params: g.params(), results: g.results() });
  const started = g.start(fn, type);
  if (started === undefined) return undefined;
  return set(g.placeFor(fn, nullable(type)), [
    { op: 'ref.func', func: started.number },
    { op: 'cont.new', type },
  ]);
}

type OnTarget = (g: Generator, scope: Scope, target: Target) => Code | undefined;

/** What can be done to a continuation in a place. */
export const ON_TARGET: Readonly<Record<Exclude<Operation, 'suspend'>, OnTarget>> = {
  bind: (...args) => bind(...args),
  resume: (...args) => resume(...args, 'resume'),
  resume_throw: (...args) => resume(...args, 'resume_throw'),
  resume_throw_ref: (...args) => resume(...args, 'resume_throw_ref'),
  switch: switchTo,
  clone: cloning,
  drop,
  'pass to JavaScript': pass,
};

/** How often a continuation of a state is chosen where others are there as well. What is done to a consumed one ends the call, most of the time. */
function weight(state: ContinuationState): number {
  if (state === 'null' || state.startsWith('consumed') || state === 'cloned: another version is active') return 1;
  return state.includes('bound') ? 24 : 30;
}

/** Something done to one of the continuations that can be reached: first a state is chosen, so that rare ones are not left out. */
export function continuationStatement(g: Generator, scope: Scope, machine: Machine, targets: readonly Target[]): Code | undefined {
  const states = [...new Set(targets.map(({ state }) => state))];
  const state = g.random.weighted(states.map((s) => [weight(s), s] as const));
  const target = g.random.pick(targets.filter((t) => t.state === state));
  return ON_TARGET[anyOperation(g, target, machine)](g, scope, target);
}

function anyOperation(g: Generator, { type, state }: Target, machine: Machine): Exclude<Operation, 'suspend'> {
  const consumed = state === 'null' || state.startsWith('consumed');
  const switched = g.features.switching ? g.switchable(type) : undefined;
  const throwRef = g.features.throwRef ? 12 : 0;
  const passed = g.features.portable ? 0 : 4;
  const thrown = g.features.portable && !state.startsWith('suspended') ? 0 : 8;
  const cloned = g.features.cloning ? 25 : 0;
  const handled = switched !== undefined && activeSwitch(g, machine, switched.results);
  return (
    g.random.weighted<Exclude<Operation, 'suspend'>>(
      consumed
        ? [
            [10, 'bind'],
            [10, 'resume'],
            [thrown, 'resume_throw'],
            [throwRef, 'resume_throw_ref'],
            [switched === undefined ? 0 : 25, 'switch'],
            [g.features.cloning ? 10 : 0, 'clone'],
            [10, 'drop'],
            [passed, 'pass to JavaScript'],
          ]
        : [
            [18, 'bind'],
            [50, 'resume'],
            [thrown, 'resume_throw'],
            [throwRef, 'resume_throw_ref'],
            [handled ? 60 : switched === undefined ? 0 : 2, 'switch'],
            [cloned, 'clone'],
            [2, 'drop'],
            [passed, 'pass to JavaScript'],
          ],
    ) ?? 'drop'
  );
}

/** Binds `count` values, or some. */
export function bind(g: Generator, { fn }: Scope, { place, type }: Target, count?: number): Code {
  const { builder, random } = g;
  const { params, results } = builder.signature(type);
  const sought = g.goal.operation === 'bind' ? g.boundCounts(params) : [];
  const bound = count ?? random.pick(sought.length > 0 ? sought : boundable(params.length));
  const to = bound === 0 ? type : builder.cont({ params: params.slice(bound), results });
  const code: Code = [...g.values(fn, params.slice(0, bound)), ...get(place), { op: 'cont.bind', type, to }];
  return [...code, ...setFromStack(g.placeFor(fn, nullable(to)), fn)];
}

/** Clauses of a resume and what becomes of suspensions: code in which `resume` is put, that leaves `results`. */
function handlers(g: Generator, scope: Scope, results: readonly ValueType[], resumed: (clauses: readonly Clause[]) => Code): Code {
  const { builder, random } = g;
  const { fn } = scope;
  const done = builder.label();
  const tags = Array.from({ length: random.pick([0, 1, 1, 1, 1, 2, 2, 3]) }, () => g.suspensionTag());
  const labels = tags.map((tag) => ({ kind: 'label' as const, tag, label: builder.label() }));
  const clauses: Clause[] = [...labels];
  if (g.features.switching && random.chance(75)) {
    clauses.splice(random.below(clauses.length + 1), 0, { kind: 'switch', tag: g.switchTag(results) });
  }
  let code: Code = [...resumed(clauses), { op: 'br', label: done }];
  for (const { tag, label } of labels) {
    const signature = builder.tagSignature(tag);
    const type = builder.cont({ params: signature.results, results });
    code = [
      { op: 'block', label, results: [...signature.params, { to: type, nullable: random.chance(50) }], body: code },
      ...setFromStack(g.placeFor(fn, nullable(type)), fn),
      ...g.sink(fn, signature.params),
      ...g.inner(scope, 4),
      ...g.values(fn, results),
      { op: 'br', label: done },
    ];
  }
  return [{ op: 'block', label: done, results, body: code }];
}

/** Resumes, with handlers for some tags; what suspends is kept and more may be done with it. */
export function resume(g: Generator, scope: Scope, { place, type }: Target, op: 'resume' | 'resume_throw' | 'resume_throw_ref'): Code {
  const { fn } = scope;
  const { params, results } = g.builder.signature(type);
  if (op === 'resume_throw_ref') {
    const exception = someException(g, fn);
    return [
      ...exception.made,
      ...handlers(g, scope, results, (clauses) => [...exception.read, ...get(place), { op, type, clauses }]),
      ...g.sink(fn, results),
    ];
  }
  const tag = op === 'resume_throw' ? g.exceptionTag() : 0;
  const given = g.values(fn, op === 'resume' ? params : g.builder.tagSignature(tag).params);
  return [
    ...handlers(g, scope, results, (clauses) => [
      ...given,
      ...get(place),
      op === 'resume_throw' ? { op, type, tag, clauses } : { op, type, clauses },
    ]),
    ...g.sink(fn, results),
  ];
}

/** An exception: a new one, most of the time. */
export function someException(g: Generator, fn: FunctionBuilder): { readonly made: Code; readonly read: Code } {
  const { random, builder } = g;
  if (random.chance(12)) return { made: [], read: g.values(fn, ['exnref']) };
  const tag = g.exceptionTag();
  const label = builder.label();
  const { params } = builder.tagSignature(tag);
  const index = fn.local('exnref');
  const throwing: Code = [
    {
      op: 'try_table',
      label: builder.label(),
      results: [],
      catches: [{ kind: 'catch_ref', tag, label }],
      body: [...g.values(fn, params), { op: 'throw', tag }],
    },
  ];
  const made: Code = [
    { op: 'block', label, results: [...params, 'exnref'], body: [...throwing, { op: 'unreachable' }] },
    { op: 'local.set', index },
    ...g.sink(fn, params),
  ];
  return { made, read: [{ op: 'local.get', index }] };
}

function switchTo(g: Generator, { fn }: Scope, { place, type }: Target): Code | undefined {
  return switchCode(g, fn, type, get(place));
}

function switchCode(g: Generator, fn: Scope['fn'], type: number, target: Code): Code | undefined {
  const switched = g.switchable(type);
  if (switched === undefined) return undefined;
  const tag = g.switchTag(switched.results);
  const params = g.builder.signature(type).params.slice(0, -1);
  const back = g.builder.signature(switched.back).params;
  return [...g.values(fn, params), ...target, { op: 'switch', type, tag }, ...g.sink(fn, back)];
}

function activeSwitch(g: Generator, machine: Machine, results: readonly ValueType[]): boolean {
  const tag = g.switchTag(results);
  for (let fiber = machine.running; fiber !== undefined; fiber = fiber.parent) {
    if (fiber.clauses.some((clause) => clause.kind === 'switch' && clause.tag === tag)) return true;
  }
  return false;
}

/** A clone, in a place that it may share with nobody: both are used later. */
function cloning(g: Generator, { fn }: Scope, { place, type }: Target): Code {
  g.builder.clone(type);
  const to = g.random.chance(70) ? g.sharedPlaceFor(fn, nullable(type)) : g.placeFor(fn, nullable(type));
  return [...get(place), { op: 'call_clone', type }, ...setFromStack(to, fn)];
}

/** Makes a clone, and resumes what was cloned: what runs then finds another version of itself. */
export function cloneAndResume(g: Generator, scope: Scope, target: Target): Code {
  return [...cloning(g, scope, target), ...resume(g, scope, target, 'resume')];
}

function drop(g: Generator, _scope: Scope, { place, type }: Target): Code {
  const forget: Code = g.random.chance(50) ? set(place, [{ op: 'ref.null', type: nullable(type) }]) : [];
  return [...get(place), { op: 'drop_cont', type }, ...forget];
}

function pass(g: Generator, _scope: Scope, { place, type }: Target): Code {
  g.builder.take(type);
  return [...get(place), { op: 'call_take', type }];
}

/** One of the continuations in a second place. */
export function moving(g: Generator, { fn }: Scope, _machine: Machine, targets: readonly Target[]): Code {
  const { place, type } = g.random.pick(targets);
  return set(g.placeFor(fn, nullable(type)), get(place));
}

/** Tags whose payload is of the sought class are better. */
function weightOf(g: Generator, tag: number): number {
  return g.goal.operation === 'suspend' && classOf(g.builder.tagSignature(tag).params) === g.goal.kind ? 5 : 1;
}

/** Suspends with a tag that somebody handles, most of the time. */
export function suspension(g: Generator, { fn }: Scope, machine: Machine): Code | undefined {
  const { random } = g;
  const handled: (readonly [number, number])[] = [];
  // Whose handler is further out suspends parents as well.
  const forwarded = g.goal.state === 'consumed: parent' ? 60 : g.features.cloning ? 24 : 6;
  let own = true;
  for (let fiber = machine.running; fiber !== undefined; fiber = fiber.parent) {
    for (const clause of fiber.clauses)
      if (clause.kind === 'label') handled.push([weightOf(g, clause.tag) * (own ? 4 : forwarded), clause.tag]);
    own = false;
  }
  const known = g.features.portable || random.chance(97) ? random.weighted(handled) : undefined;
  if (known === undefined && g.features.portable) return undefined;
  const tag = known ?? g.suspensionTag();
  const { params, results } = g.builder.tagSignature(tag);
  return [...g.values(fn, params), { op: 'suspend', tag }, ...g.sink(fn, results)];
}

/** Switches to a new continuation under a handler that waits, if one does. */
export function switching(g: Generator, { fn }: Scope, machine: Machine): Code | undefined {
  const { random } = g;
  const active: number[] = [];
  for (let fiber = machine.running; fiber !== undefined; fiber = fiber.parent) {
    for (const clause of fiber.clauses) if (clause.kind === 'switch') active.push(clause.tag);
  }
  const results = active.length === 0 ? g.results() : g.builder.tagSignature(random.pick(active)).results;
  const type = g.switchTarget(results);
  const started = g.start(fn, type);
  if (started === undefined) return undefined;
  return switchCode(g, fn, type, [
    { op: 'ref.func', func: started.number },
    { op: 'cont.new', type },
  ]);
}
