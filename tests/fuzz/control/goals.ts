/**
 * How a program gets to the cell of the coverage that it seeks: what to do next in the state that execution has reached.
 */

import { nullable } from './builder.js';
import { bind, cloneAndResume, ON_TARGET, resume, suspension, switching } from './continuation_statements.js';
import type { Generator, Scope, Target } from './generator.js';
import type { Machine } from './machine.js';
import { set } from './operands.js';
import { classOf } from './payloads.js';
import type { Code, ValueType } from './program.js';
import { calledBack, throwing, trapping } from './statements.js';

/** What the program seeks, or a step towards it; undefined where nothing is to be done for it now. */
export function seek(g: Generator, scope: Scope, machine: Machine, targets: readonly Target[]): Code | undefined {
  const { operation, state } = g.goal;
  if (operation === 'suspend') return seekSuspension(g, scope, machine, targets);
  const there = targets.filter((target) => target.state === state && fits(g, target));
  const inside = machine.fiber.parent !== undefined;
  // Where JavaScript is between them the version that is active goes on.
  const between = inside && g.seeksActive && there.length > 0 && g.random.chance(40) ? calledBack(g, scope, true) : undefined;
  if (between !== undefined) return between;
  if (there.length > 0) return ON_TARGET[operation](g, scope, g.random.pick(there));
  switch (state) {
    case 'null':
      g.placeFor(scope.fn, nullable(typeFor(g)));
      return undefined;
    case 'fresh':
      return makeFitting(g, scope);
    case 'fresh, bound in part':
      return bindOne(g, scope, targets, 'fresh') ?? makeFitting(g, scope);
    case 'suspended, bound in part':
      return bindOne(g, scope, targets, 'suspended') ?? wait(g, scope, machine, targets);
    case 'suspended':
    case 'consumed: waits under another reference':
      return wait(g, scope, machine, targets);
    case 'cloned: fresh':
      return clone(g, scope, targets, 'fresh') ?? makeFitting(g, scope);
    case 'cloned: fresh, bound in part':
      return clone(g, scope, targets, 'fresh, bound in part') ?? bindOne(g, scope, targets, 'fresh') ?? makeFitting(g, scope);
    case 'cloned: suspended':
      return clone(g, scope, targets, 'suspended') ?? wait(g, scope, machine, targets);
    case 'cloned: suspended, bound in part':
      return (
        clone(g, scope, targets, 'suspended, bound in part') ??
        bindOne(g, scope, targets, g.random.pick(['suspended', 'cloned: suspended'])) ??
        wait(g, scope, machine, targets)
      );
    case 'cloned: another version is active':
      return meet(g, scope, targets) ?? wait(g, scope, machine, targets);
    case 'consumed: running':
      return inside ? undefined : start(g, scope, targets);
    case 'consumed: parent':
      return start(g, scope, targets);
    case 'consumed: returned':
      return inside ? [...g.values(scope.fn, scope.fn.signature.results), { op: 'return' }] : start(g, scope, targets);
    case 'consumed: trapped':
      return inside ? trapping(g, scope) : start(g, scope, targets);
    case 'consumed: thrown out of':
      return inside ? throwing(g, scope) : start(g, scope, targets);
  }
}

/** Suspends, forwarded where that is sought; else gets onto a fiber from which that is possible. */
function seekSuspension(g: Generator, scope: Scope, machine: Machine, targets: readonly Target[]): Code | undefined {
  const enough = g.goal.state === 'consumed: parent' ? machine.fiber.parent?.parent : machine.fiber.parent;
  return enough === undefined ? start(g, scope, targets) : suspension(g, scope, machine);
}

/** Suspends or switches away where somebody waits for it, else gets onto a fiber. */
function wait(g: Generator, scope: Scope, machine: Machine, targets: readonly Target[]): Code | undefined {
  const { clauses, parent } = machine.fiber;
  // Clones of chains are sought as well as those of single fibers.
  const shallow = parent !== undefined && parent.parent === undefined && g.goal.operation === 'clone' && g.random.chance(50);
  if (parent === undefined || shallow) return start(g, scope, targets);
  if (clauses.some(({ kind }) => kind === 'switch') && (g.goal.operation === 'switch' || g.random.chance(30))) {
    return switching(g, scope, machine);
  }
  return clauses.length > 0 ? suspension(g, scope, machine) : undefined;
}

/** Resumes a continuation that is fresh, or makes one. */
function start(g: Generator, scope: Scope, targets: readonly Target[]): Code | undefined {
  const fresh = targets.filter((target) => target.state === 'fresh' && target.place.kind !== 'local');
  const best = fresh.filter((target) => fits(g, target));
  const from = best.length > 0 ? best : g.random.chance(25) ? fresh : [];
  return from.length > 0 ? resume(g, scope, g.random.pick(from), 'resume') : makeFitting(g, scope);
}

/** Clones one of the sought type. */
function clone(g: Generator, scope: Scope, targets: readonly Target[], state: Target['state']): Code | undefined {
  const there = targets.filter((target) => target.state === state && fits(g, target));
  return there.length === 0 ? undefined : ON_TARGET.clone(g, scope, g.random.pick(there));
}

/** Resumes a version of which there is another then. */
function meet(g: Generator, scope: Scope, targets: readonly Target[]): Code | undefined {
  const there = targets.filter(({ state }) => state === 'suspended' || state === 'cloned: suspended');
  const best = there.filter((target) => fits(g, target));
  if (best.length === 0 && !g.random.chance(25)) return undefined;
  const from = best.length > 0 ? best : there;
  return from.length === 0 ? undefined : cloneAndResume(g, scope, g.random.pick(from));
}

/** Binds so much that the rest is of the sought class. */
function bindOne(g: Generator, scope: Scope, targets: readonly Target[], state: Target['state']): Code | undefined {
  const choices = targets
    .filter((target) => target.state === state && (g.goal.operation !== 'switch' || g.switchable(target.type) !== undefined))
    .flatMap((target) => {
      const { params } = g.builder.signature(target.type);
      return [1, params.length - 1, params.length].filter((count) => restFits(g, params, count)).map((count) => ({ target, count }));
    });
  if (choices.length === 0) return undefined;
  const { target, count } = g.random.pick(choices);
  return bind(g, scope, target, count);
}

function restFits(g: Generator, params: readonly ValueType[], count: number): boolean {
  const { operation, kind } = g.goal;
  if (count < 1 || count > params.length) return false;
  if (operation === 'resume_throw' || operation === 'resume_throw_ref') return true;
  if (operation === 'switch') return count < params.length && classOf(params.slice(count, -1)) === kind;
  if (operation === 'bind') return g.boundCounts(params.slice(count)).length > 0;
  return classOf(params.slice(count)) === kind;
}

/** A fresh continuation of a type for which the sought operation has the sought payload, in a global or a table. */
function makeFitting(g: Generator, { fn }: Scope): Code | undefined {
  const type = typeFor(g);
  const started = g.start(fn, type);
  if (started === undefined) return undefined;
  return set(g.sharedPlaceFor(fn, nullable(type)), [
    { op: 'ref.func', func: started.number },
    { op: 'cont.new', type },
  ]);
}

function typeFor(g: Generator): number {
  const results = g.results();
  return g.goal.operation === 'switch' ? g.switchTarget(results) : g.builder.cont({ params: g.params(), results });
}

/** Whether the sought operation can be done to a continuation of this type, with the sought payload. */
function fits(g: Generator, { type }: Target): boolean {
  const { operation, kind } = g.goal;
  const { params } = g.builder.signature(type);
  switch (operation) {
    case 'switch':
      return g.switchable(type) !== undefined && classOf(params.slice(0, -1)) === kind;
    case 'bind':
      return g.boundCounts(params).length > 0;
    case 'resume':
    case 'clone':
    case 'drop':
    case 'pass to JavaScript':
      return classOf(params) === kind;
    default:
      return true;
  }
}
