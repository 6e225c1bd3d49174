/**
 * Every operation on a continuation, in every state, for every class of payload; each also on a clone, and where a clone went first. The table says what the specification makes of each; what comes back is
 * arithmetic on the payload.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { collect, statistics } from '../../ts/index.js';
import { type Functions, instance, rows } from './module.js';

/** A value of a payload: how it is written, and what the receiver makes an i32 of it. */
interface Item {
  readonly type: string;
  readonly value: string;
  /** Reads a local of the type as an i32. */
  readonly read: (local: string) => string;
  readonly number: number;
}

const i32 = (n: number): Item => ({ type: 'i32', value: `(i32.const ${n})`, read: (local) => local, number: n });
const i64 = (n: number): Item => ({ type: 'i64', value: `(i64.const ${n})`, read: (local) => `(i32.wrap_i64 ${local})`, number: n });
const f32 = (n: number): Item => ({ type: 'f32', value: `(f32.const ${n})`, read: (local) => `(i32.trunc_f32_s ${local})`, number: n });
const f64 = (n: number): Item => ({ type: 'f64', value: `(f64.const ${n})`, read: (local) => `(i32.trunc_f64_s ${local})`, number: n });
const extern: Item = { type: 'externref', value: '(global.get $object)', read: (local) => `(call $same ${local})`, number: 31 };
const nothing: Item = {
  type: 'externref',
  value: '(ref.null extern)',
  read: (local) => `(i32.mul (i32.const 37) (ref.is_null ${local}))`,
  number: 37,
};
const func: Item = { type: '(ref null $f0)', value: '(ref.func $const)', read: (local) => `(call_ref $f0 ${local})`, number: 41 };
const cont: Item = {
  type: '(ref null $k0)',
  value: '(cont.new $k0 (ref.func $const))',
  read: (local) => `(resume $k0 ${local})`,
  number: 41,
};
const v128 = (a: number, b: number): Item => ({
  type: 'v128',
  value: `(v128.const i32x4 ${a} 0 0 ${b})`,
  read: (local) => `(i32.sub (i32x4.extract_lane 0 ${local}) (i32x4.extract_lane 3 ${local}))`,
  number: a - b,
});

const KINDS = [i32, i64, f32, f64];
const mixed = (count: number): Item[] => Array.from({ length: count }, (_, i) => (KINDS[i % 4] ?? i32)(3 * i + 1));

const PAYLOADS: Readonly<Record<string, readonly Item[]>> = {
  none: [],
  'one in a register': [i32(17)],
  many: mixed(13),
  // A type has at most 1,000 parameters, and two more go with these.
  '998 values': mixed(998),
  references: [extern, func, nothing, cont, i32(5), func],
  vectors: [v128(7, 2), i32(1), v128(100, -5)],
};

const OPERATIONS = ['bind', 'resume', 'resume_throw', 'resume_throw_ref', 'switch', 'clone', 'drop', 'pass to JS'] as const;
const STATES = [
  'fresh',
  'bound in part',
  'suspended',
  'suspended in a try_table',
  'running',
  'parent',
  'returned',
  'trapped',
  'thrown out of',
  'null',
  'another version is active',
] as const;
/** Whose state it is. A clone goes first: it gets the payload as well, and returns. */
const VARIANTS = ['an original', 'a clone', 'an original whose clone went first'] as const;
type Operation = (typeof OPERATIONS)[number];
type State = (typeof STATES)[number];

/**
 * What an operation comes to: `sum`, the continuation gets the payload and returns; `out`, the exception comes out of it; `in`, it catches the exception;
 * `used`, `null` and `active`, traps; `none`, nothing happens; `refused`, a TypeError.
 */
const OUTCOMES: Readonly<Record<Operation, readonly string[]>> = {
  //                  fresh     bound     suspended  in a try   running    parent     returned   trapped    thrown     null     active
  bind: /*          */ ['sum', 'sum', 'sum', 'sum', 'used', 'used', 'used', 'used', 'used', 'null', 'active'],
  resume: /*        */ ['sum', 'sum', 'sum', 'sum', 'used', 'used', 'used', 'used', 'used', 'null', 'active'],
  resume_throw: /*  */ ['out', 'out', 'out', 'in', 'used', 'used', 'used', 'used', 'used', 'null', 'active'],
  resume_throw_ref: ['out', 'out', 'out', 'in', 'used', 'used', 'used', 'used', 'used', 'null', 'active'],
  switch: /*        */ ['sum', 'sum', 'sum', 'sum', 'used', 'used', 'used', 'used', 'used', 'null', 'active'],
  clone: /*         */ ['sum', 'sum', 'sum', 'sum', 'used', 'used', 'used', 'used', 'used', 'null', 'active'],
  drop: /*          */ ['none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none'],
  'pass to JS': /*  */ [
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
  ],
};

/** What the states add to the sum, so that it shows which function got the payload. */
const MARKS: Partial<Record<State, number>> = {
  fresh: 0,
  'bound in part': 1e6,
  suspended: 2e6,
  'suspended in a try_table': 3e6,
  'another version is active': 7e6,
};
const CAUGHT_INSIDE = 4e6;
const CAUGHT_OUTSIDE = 5e6;
const NOTHING = 6e6;
const THROWN = 9;

function moduleOf(payload: readonly Item[]): string {
  const types = payload.map(({ type }) => type).join(' ');
  const values = payload.map(({ value }) => value).join(' ');
  /** Weighted by place, so that an exchange of values shows. */
  const sum = (first: number): string =>
    rows(payload.length, (i) => `(i32.mul (i32.const ${i + 1}) ${payload[i]?.read(`(local.get ${first + i})`) ?? ''})`) +
    ' (i32.const 0)' +
    '(i32.add)'.repeat(payload.length);
  const mark = (state: State): string => `(i32.add (i32.const ${MARKS[state] ?? 0}))`;
  /** Takes what a suspension gives from the operands into locals. */
  const takeLocals = `(drop) ${rows(payload.length, (i) => `(local.set ${payload.length - 1 - i})`)}`;
  const locals = payload.map(({ type }) => `(local ${type})`).join(' ');
  // The reference under test is $c of type $k: it takes the payload and, for switch, who switched to it; it returns an i32.
  return `(module
    (import "env" "object" (global $object externref)) (import "env" "same" (func $same (param externref) (result i32)))
    (type $f0 (func (result i32))) (type $k0 (cont $f0))
    (type $f (func (param ${types} (ref null $k0)) (result i32))) (type $k (cont $f))
    (type $fi (func (param i32 ${types} (ref null $k0)) (result i32))) (type $ki (cont $fi))
    (import "env" "take" (func $take (param (ref null $k))))
    (import "heddle" "cont.clone" (func $clone (param (ref null $k)) (result (ref $k))))
    (tag $ask (result ${types} (ref null $k0))) (tag $s (result i32)) (tag $e (param i32))
    (global $c (mut (ref null $k)) (ref.null $k)) (global $op (mut i32) (i32.const 0)) (global $ends (mut i32) (i32.const 0))
    (global $variant (mut i32) (i32.const 0)) (global $other (mut (ref null $k)) (ref.null $k)) (global $first (mut i32) (i32.const 0))
    (global $going (mut i32) (i32.const 0)) (global $acts (mut i32) (i32.const 0))
    (elem declare func $const $fresh $bound $waits $catches $runs $parent $ending $operate $acting)
    (func $const (type $f0) (i32.const 41))

    ;; The functions of continuations.
    (func $fresh (type $f) ${sum(0)} ${mark('fresh')})
    (func $bound (type $fi) ${sum(1)} (i32.add (local.get 0)))
    (func $waits (type $f0) ${locals} (suspend $ask) ${takeLocals} ${sum(0)} ${mark('suspended')})
    (func $catches (type $f0) ${locals}
      (block $h (result i32) (try_table (catch $e $h) (suspend $ask) ${takeLocals} (return ${sum(0)} ${mark('suspended in a try_table')})) (unreachable))
      (i32.add (i32.const ${CAUGHT_INSIDE})))
    (func $runs (type $f) (call $operate))
    (func $parent (type $f) (resume $k0 (cont.new $k0 (ref.func $operate))))
    (func $acting (type $f0) ${locals} (suspend $ask) ${takeLocals}
      (if (global.get $acts) (then (global.set $acts (i32.const 0)) (return (call $operate)))) ${sum(0)} ${mark('another version is active')})
    (func $ending (type $f) (if (global.get $going) (then (return (i32.const 0)))) (if (i32.eq (global.get $ends) (i32.const 1)) (then unreachable))
      (if (i32.eq (global.get $ends) (i32.const 2)) (then (throw $e (i32.const 1)))) (i32.const 0))

    ;; The states.
    (func $go (param (ref null $k)) (result i32) (resume $k (on $s switch) ${values} (ref.null $k0) (local.get 0)))
    (func $resume (result i32) (call $go (global.get $c)))
    ;; What a variant makes of one that can be resumed.
    (func $keep (param (ref $k))
      (global.set $c (local.get 0))
      (if (i32.eq (global.get $variant) (i32.const 1)) (then (global.set $other (local.get 0)) (global.set $c (call $clone (local.get 0)))))
      (if (i32.eq (global.get $variant) (i32.const 2)) (then
        (global.set $going (i32.const 1)) (global.set $first (call $go (call $clone (local.get 0)))) (global.set $going (i32.const 0)))))
    (func (export "first") (result i32) (global.get $first))
    (func $suspend (param (ref $k0)) (call $keep (block $on (result (ref $k)) (resume $k0 (on $ask $on) (local.get 0)) (unreachable))))
    (func (export "fresh") (call $keep (cont.new $k (ref.func $fresh))))
    (func (export "bound in part") (call $keep (cont.bind $ki $k (i32.const ${MARKS['bound in part'] ?? 0}) (cont.new $ki (ref.func $bound)))))
    (func (export "suspended") (call $suspend (cont.new $k0 (ref.func $waits))))
    (func (export "suspended in a try_table") (call $suspend (cont.new $k0 (ref.func $catches))))
    (func (export "running") (result i32) (call $keep (cont.new $k (ref.func $runs))) (call $resume))
    (func (export "parent") (result i32) (call $keep (cont.new $k (ref.func $parent))) (call $resume))
    (func (export "end") (param i32) (global.set $ends (local.get 0)) (call $keep (cont.new $k (ref.func $ending)))
      (block $h (result i32) (try_table (catch $e $h) (drop (call $resume))) (i32.const 0)) (drop))
    (func (export "another version is active") (result i32)
      (call $suspend (cont.new $k0 (ref.func $acting)))
      (if (i32.ne (global.get $variant) (i32.const 1)) (then (global.set $other (call $clone (global.get $c)))))
      (global.set $acts (i32.const 1)) (call $go (global.get $other)))
    (func (export "null") (global.set $c (ref.null $k)))

    ;; The operations.
    (func $op_bind (result i32) (resume $k0 (cont.bind $k $k0 ${values} (ref.null $k0) (global.get $c))))
    (func $op_throw (result i32)
      (i32.add (i32.const ${CAUGHT_OUTSIDE})
        (block $h (result i32) (try_table (catch $e $h) (return (resume_throw $k $e (i32.const ${THROWN}) (global.get $c)))) (unreachable))))
    (func $op_throw_ref (result i32) (local exnref)
      (local.set 0 (block $r (result i32 exnref) (try_table (catch_ref $e $r) (throw $e (i32.const ${THROWN}))) (unreachable))) (drop)
      (i32.add (i32.const ${CAUGHT_OUTSIDE})
        (block $h (result i32) (try_table (catch $e $h) (return (resume_throw_ref $k (local.get 0) (global.get $c)))) (unreachable))))
    (func $op_switch (result i32) (switch $k $s ${values} (global.get $c)) (unreachable))
    (func $op_clone (result i32) (call $go (call $clone (global.get $c))))
    (func $op_drop (result i32) (drop (global.get $c)) (i32.const ${NOTHING}))
    (func $op_pass (result i32) (call $take (global.get $c)) (i32.const ${NOTHING}))
    (table $ops funcref (elem $op_bind $resume $op_throw $op_throw_ref $op_switch $op_clone $op_drop $op_pass))
    (func $operate (type $f0) (if (global.get $going) (then (return (i32.const 0)))) (call_indirect $ops (type $f0) (global.get $op)))
    (func (export "choose") (param i32) (global.set $op (local.get 0)))
    (func (export "vary") (param i32) (global.set $variant (local.get 0)) (global.set $first (i32.const -1)))
    ;; On a continuation of its own, below a handler for the switch.
    (func (export "operate") (result i32) (resume $k0 (on $s switch) (cont.new $k0 (ref.func $operate))))
    (func (export "give") (result (ref null $k)) (global.get $c)))`;
}

/** Brings the reference into a state; some are states only while they last, so these operate, too. */
const inside = (state: State): boolean => state === 'running' || state === 'parent' || state === 'another version is active';

function prepare(e: Functions, state: State): void {
  if (state === 'returned') e['end']?.(0);
  else if (state === 'trapped') expect(() => e['end']?.(1)).toThrow('unreachable');
  else if (state === 'thrown out of') e['end']?.(2);
  else e[state]?.();
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? `${error.name} ${String(Reflect.get(error, 'code'))}` : error;
  }
}

const TRAPS: Readonly<Record<string, string>> = {
  used: 'RuntimeError HEDDLE_TRAP_CONTINUATION_CONSUMED',
  null: 'RuntimeError HEDDLE_TRAP_NULL_CONTINUATION',
  active: 'RuntimeError HEDDLE_TRAP_SNAPSHOT_ACTIVE',
  refused: 'TypeError HEDDLE_ARGUMENT',
};

describe.each(Object.entries(PAYLOADS))('payload: %s', (_, payload) => {
  const object = {};
  let e: Functions | undefined;
  const exports = (): Functions =>
    (e ??= instance(moduleOf(payload), {
      heddle: {},
      env: { object, same: (value: unknown) => (value === object ? extern.number : 0), take: () => undefined },
    }));
  const total = payload.reduce((sum, { number }, i) => (sum + Math.imul(number, i + 1)) | 0, 0);

  /** What an outcome's word means for a state. */
  const meaning = (word: string, state: State): unknown => {
    switch (word) {
      case 'sum':
        return total + (MARKS[state] ?? Number.NaN);
      case 'out':
        return CAUGHT_OUTSIDE + THROWN;
      case 'in':
        return CAUGHT_INSIDE + THROWN;
      case 'none':
        return NOTHING;
      default:
        return TRAPS[word];
    }
  };
  const cells = OPERATIONS.flatMap((operation, op) =>
    STATES.flatMap((state, i) => VARIANTS.map((variant, v) => ({ operation, op, state, variant, v, word: OUTCOMES[operation][i] ?? '' }))),
  );

  test.each(cells)('$operation, $variant, $state: $word', ({ operation, op, state, variant, v, word }) => {
    const run = exports();
    run['choose']?.(op);
    run['vary']?.(v);
    if (!inside(state)) prepare(run, state);
    expect(outcome(() => run[inside(state) ? state : 'operate']?.())).toBe(meaning(word, state));
    const first = variant === 'an original whose clone went first' && state !== 'null';
    // Functions of states that have no mark return 0.
    expect(run['first']?.()).toBe(!first ? -1 : MARKS[state] === undefined ? 0 : meaning('sum', state));
    // What was used is used up; what was only looked at, and what was refused, is as before.
    const looked =
      operation === 'clone' || operation === 'drop' || operation === 'pass to JS' || (word === 'active' && operation !== 'bind');
    const now = state === 'null' ? 'null' : looked && MARKS[state] !== undefined ? 'sum' : 'used';
    run['choose']?.(OPERATIONS.indexOf('resume'));
    expect(outcome(() => run['operate']?.())).toBe(meaning(now, state));
    expect(outcome(() => run['give']?.())).toBe(TRAPS['refused']);
  });
});

const before = statistics();
afterAll(() => {
  collect();
  const { stacksLive } = statistics();
  // What the last cells have left in the globals of each module, and nothing else.
  expect(stacksLive - before.stacksLive).toBeLessThanOrEqual(2 * Object.keys(PAYLOADS).length);
});
