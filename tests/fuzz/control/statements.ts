/**
 * The statements that are put into holes. Each takes nothing from the stack and leaves nothing there.
 */
import { continuationStatement, makeContinuation, moving, someException, suspension, switching } from './continuation_statements.js';
import type { Generator, Scope, Target } from './generator.js';
import { seek } from './goals.js';
import type { Machine } from './machine.js';
import { i32 } from './operands.js';
import type { Catch, Code, NumericName, Signature } from './program.js';

type Maker = (generator: Generator, scope: Scope, machine: Machine) => Code | undefined;

const numeric = (name: NumericName): Code[number] => ({ op: 'numeric', name });

function calling(g: Generator, { fn }: Scope): Code | undefined {
  const { random, builder } = g;
  const tail = random.chance(25);
  const signature: Signature = { params: g.params(), results: tail ? fn.signature.results : g.results() };
  const callee = g.callee(fn, signature);
  if (callee === undefined) return undefined;
  const func = callee.number;
  const { type } = callee.definition;
  const call: Code = random.pick<Code>([
    [{ op: tail ? 'return_call' : 'call', func }],
    [
      { op: 'ref.func', func },
      { op: tail ? 'return_call_ref' : 'call_ref', type },
    ],
    [
      { op: 'function.number', func },
      { op: tail ? 'return_call_indirect' : 'call_indirect', type },
    ],
  ]);
  const args = g.values(fn, signature.params);
  if (!tail) return [...args, ...call, ...g.sink(fn, signature.results)];
  // What follows a tail call is dead code, which must still be left out of the rest of the function: a condition keeps it alive now and then.
  if (random.chance(60)) return [...args, ...call];
  return [
    { op: 'global.get', index: g.counter },
    i32(1),
    numeric('i32.and'),
    { op: 'if', label: builder.label(), yes: [...args, ...call], no: [] },
  ];
}

/** Throws an exception. */
export function throwing(g: Generator, { fn }: Scope): Code {
  if (g.random.chance(25)) {
    const { made, read } = someException(g, fn);
    return [...made, ...read, { op: 'throw_ref' }];
  }
  const tag = g.exceptionTag();
  return [...g.values(fn, g.builder.tagSignature(tag).params), { op: 'throw', tag }];
}

function catching(g: Generator, scope: Scope): Code {
  const { random, builder } = g;
  const out = builder.label();
  const clauses: Catch[] = Array.from({ length: random.between(1, 3) }, () => {
    const label = builder.label();
    const kind = random.pick(['catch', 'catch', 'catch_ref', 'catch_ref', 'catch_all', 'catch_all_ref'] as const);
    if (kind === 'catch_all' || kind === 'catch_all_ref') return { kind, label };
    return { kind, tag: random.chance(15) ? 0 : g.exceptionTag(), label };
  });
  let code: Code = [
    { op: 'try_table', label: builder.label(), results: [], catches: clauses, body: g.inner(scope, 4) },
    { op: 'br', label: out },
  ];
  // The clause that is tried first has the innermost block.
  for (const clause of clauses) {
    const payload = [
      ...('tag' in clause ? builder.tagSignature(clause.tag).params : []),
      ...(clause.kind === 'catch_ref' || clause.kind === 'catch_all_ref' ? (['exnref'] as const) : []),
    ];
    code = [
      { op: 'block', label: clause.label, results: payload, body: code },
      ...g.sink(scope.fn, payload),
      ...g.inner(scope, 2),
      { op: 'br', label: out },
    ];
  }
  return [{ op: 'block', label: out, results: [], body: code }];
}

/** JavaScript calls back in; it catches what that throws where `catches`. */
export function calledBack(g: Generator, { fn }: Scope, catches = g.random.chance(30)): Code | undefined {
  const callee = g.callee(fn, { params: ['i32'], results: ['i32'] });
  if (callee === undefined) return undefined;
  callee.definition.exported = true;
  const name = catches ? 'catch_export' : 'call_export';
  return [{ op: 'function.number', func: callee.number }, ...g.values(fn, ['i32']), { op: 'call_import', name }, g.builder.log(['i32'])];
}

const thrownByJavaScript: Maker = (g) => [i32(g.random.below(10)), { op: 'call_import', name: 'throw_value' }];

/** Values that wait on the stack while other things happen. */
function sandwich(g: Generator, scope: Scope): Code {
  const types = g.random.chance(50) ? [...g.params(), g.structure] : g.params();
  return [...g.values(scope.fn, types), ...g.inner(scope, 4), ...g.sink(scope.fn, types)];
}

function loop(g: Generator, scope: Scope): Code {
  const index = scope.fn.local('i32');
  const label = g.builder.label();
  return [
    i32(g.random.between(-2, -1)),
    { op: 'local.set', index },
    {
      op: 'loop',
      label,
      results: [],
      body: [...g.inner(scope), { op: 'local.get', index }, i32(1), numeric('i32.add'), { op: 'local.tee', index }, { op: 'br_if', label }],
    },
  ];
}

function condition(g: Generator, scope: Scope): Code {
  return [
    { op: 'global.get', index: g.counter },
    i32(g.random.pick([1, 2])),
    numeric('i32.and'),
    { op: 'if', label: g.builder.label(), yes: g.inner(scope), no: g.inner(scope) },
  ];
}

const count: Maker = (g) => [
  { op: 'global.get', index: g.counter },
  i32(1),
  numeric('i32.add'),
  { op: 'global.set', index: g.counter },
  { op: 'global.get', index: g.counter },
  g.builder.log(['i32']),
];

function returning(g: Generator, { fn }: Scope): Code {
  return [...g.values(fn, fn.signature.results), { op: 'return' }];
}

/** Traps, in one of many ways. */
export function trapping(g: Generator, { fn }: Scope): Code {
  const { random, builder } = g;
  const { program } = builder;
  const table = program.tables.length === 0 ? undefined : random.below(program.tables.length);
  const cont = builder.cont({ params: [], results: [] });
  const choices: Code[] = [
    [{ op: 'unreachable' }],
    [i32(1), i32(0), numeric('i32.div_s'), { op: 'drop' }],
    [{ op: 'ref.null', type: { to: cont, nullable: true } }, { op: 'ref.as_non_null' }, { op: 'drop' }],
    [{ op: 'ref.null', type: { to: g.leafType, nullable: true } }, { op: 'call_ref', type: g.leafType }, { op: 'drop' }],
    [{ op: 'ref.null', type: { to: builder.funcOf(cont), nullable: true } }, { op: 'cont.new', type: cont }, { op: 'drop' }],
    [{ op: 'ref.null', type: 'exnref' }, { op: 'throw_ref' }],
    [{ op: 'ref.null', type: g.structure }, { op: 'struct.get', type: g.structure.to, field: 0 }, { op: 'drop' }],
    [i32(1_000_000), { op: 'call_indirect', type: g.leafType }, { op: 'drop' }],
  ];
  if (fn.definition.type !== g.leafType) {
    choices.push([{ op: 'function.number', func: fn.number }, { op: 'call_indirect', type: g.leafType }, { op: 'drop' }]);
  }
  if (table !== undefined) choices.push([i32(3), { op: 'table.get', index: table }, { op: 'drop' }]);
  return random.pick(choices);
}

function chosen(g: Generator, machine: Machine, targets: readonly Target[]): Maker | undefined {
  const inFiber = machine.fiber.clauses.length > 0;
  return g.random.weighted<Maker>([
    [targets.length > 0 ? 60 : 0, (...args) => continuationStatement(...args, targets)],
    [targets.length > 0 ? 14 : 40, makeContinuation],
    [inFiber ? 32 : 1, suspension],
    [g.features.switching ? (inFiber ? 16 : 1) : 0, switching],
    [9, calling],
    [4, throwing],
    [8, catching],
    [5, (generator, scope) => calledBack(generator, scope)],
    [2, thrownByJavaScript],
    [6, sandwich],
    [3, loop],
    [3, condition],
    [3, count],
    [1, returning],
    [inFiber ? 2 : 1, trapping],
    [targets.length > 0 ? 3 : 0, (...args) => moving(...args, targets)],
  ]);
}

/** A statement for a hole that execution has reached. */
export function nextStatement(g: Generator, scope: Scope, machine: Machine): Code {
  const all = g.targets(machine);
  const sought = g.random.chance(g.isFar ? 75 : 50) ? seek(g, scope, machine, all) : undefined;
  if (sought !== undefined) return sought;
  const targets = g.random.chance(95) ? all.filter(({ state }) => state !== 'null') : all;
  return chosen(g, machine, targets)?.(g, scope, machine) ?? count(g, scope, machine) ?? [];
}
