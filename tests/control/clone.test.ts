/**
 * `cont.clone`: a second continuation in the state of the first. What a version computes is what a function of its whole history of answers would: every expectation is
 * arithmetic on that.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { Continuation, collect, hibernate, inspect, statistics } from '../../ts/index.js';
import { type Functions, instance, thrown } from './module.js';

const HEDDLE = { heddle: {} };
const TYPES = `
  (type $f (func (result i32))) (type $k (cont $f))
  (type $g (func (param i32) (result i32))) (type $kg (cont $g))
  (type $h (func (param i32 i32) (result i32))) (type $kh (cont $h))
  (import "heddle" "cont.clone" (func $clone (param (ref null $kg)) (result (ref $kg))))
  (import "heddle" "cont.clone" (func $cloneh (param (ref null $kh)) (result (ref $kh))))
  (tag $ask (param i32) (result i32)) (tag $e (param i32)) (tag $s (result i32))`;

/** A table of continuations, numbered, which tests clone, resume and drop as they like. What asks gives what it asks. */
const STORE = `
  (table $t 64 (ref null $kg))
  (func $keep (param i32 (ref $kg) i32) (result i32) (table.set $t (local.get 2) (local.get 1)) (local.get 0))
  (func (export "clone") (param i32 i32) (table.set $t (local.get 1) (call $clone (table.get $t (local.get 0)))))
  (func (export "drop") (param i32) (table.set $t (local.get 0) (ref.null $kg)))
  (func $resume (export "resume") (param $i i32) (param $v i32) (result i32)
    (block $on (result i32 (ref $kg)) (return (resume $kg (on $ask $on) (local.get $v) (table.get $t (local.get $i)))))
    (call $keep (local.get $i)))
  (func (export "bind") (param $i i32) (param $v i32) (result i32) (local $b (ref $k))
    (local.set $b (cont.bind $kg $k (local.get $v) (table.get $t (local.get $i))))
    (block $on (result i32 (ref $kg)) (return (resume $k (on $ask $on) (local.get $b))))
    (call $keep (local.get $i)))
  (func (export "throw") (param $i i32) (param $v i32) (result i32)
    (block $h (result i32)
      (try_table (catch $e $h)
        (block $on (result i32 (ref $kg)) (return (resume_throw $kg $e (on $ask $on) (local.get $v) (table.get $t (local.get $i)))))
        (return (call $keep (local.get $i))))
      (unreachable))
    (i32.add (i32.const 1000000)))`;

/** Begins a function in a place of the table, up to its first question. */
const BEGIN = (name: string): string => `
  (func (export "${name}") (param $i i32) (result i32)
    (block $on (result i32 (ref $kg)) (return (resume $kg (on $ask $on) (local.get $i) (cont.new $kg (ref.func $${name})))))
    (call $keep (local.get $i)))
  (elem declare func $${name})`;

/**
 * $digits reads digits until 0 and returns the number that they are. $deep does so behind 20 frames, $chain in three fibers, each of which has a digit of its own in a local,
 * $catches in a try_table that adds what is thrown, $wide with floats and vectors on its frame.
 */
const PROGRAMS = `
  (func $digits (param $n i32) (result i32) (local $d i32)
    (local.set $n (i32.const 0))
    (loop $l
      (local.set $d (suspend $ask (local.get $n)))
      (if (i32.eqz (local.get $d)) (then (return (local.get $n))))
      (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10)) (local.get $d)))
      (br $l)) (unreachable))
  (func $behind (param $depth i32) (result i32)
    (if (result i32) (i32.eqz (local.get $depth)) (then (call $digits (i32.const 0)))
      (else (i32.sub (i32.add (local.get $depth) (call $behind (i32.sub (local.get $depth) (i32.const 1)))) (local.get $depth)))))
  (func $deep (param i32) (result i32) (call $behind (i32.const 20)))
  (func $inner (param i32) (result i32) (i32.add (i32.const 7) (resume $kg (i32.const 0) (cont.new $kg (ref.func $digits)))))
  (func $chain (param i32) (result i32) (i32.add (i32.const 10) (resume $kg (i32.const 0) (cont.new $kg (ref.func $inner)))))
  (func $catches (param $n i32) (result i32)
    (local.set $n (i32.const 0))
    (loop $l (result i32)
      (local.set $n (i32.add (local.get $n) (block $h (result i32)
        (try_table (catch $e $h)
          (loop $m (local.set $n (i32.add (local.get $n) (suspend $ask (local.get $n))))
            (br_if $m (i32.lt_u (local.get $n) (i32.const 1000)))))
        (return (local.get $n)))))
      (br $l)))
  (func $wide (param i32) (result i32) (local $v v128) (local $x f64) (local $d i32)
    (loop $l
      (local.set $d (suspend $ask (i32.add (i32x4.extract_lane 1 (local.get $v)) (i32.trunc_f64_s (local.get $x)))))
      (if (i32.eqz (local.get $d)) (then (return (i32.add (i32x4.extract_lane 1 (local.get $v)) (i32.trunc_f64_s (local.get $x))))))
      (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $d))))
      (local.set $x (f64.add (local.get $x) (f64.convert_i32_s (local.get $d))))
      (br $l)) (unreachable))
  (elem declare func $inner)
  ${['digits', 'deep', 'chain', 'catches', 'wide'].map(BEGIN).join('')}`;

let live = statistics();
beforeEach(() => {
  collect();
  live = statistics();
});

/** Nothing is left of what a test made, once its table is gone or empty. */
function expectNothingLeft(): void {
  collect();
  const { continuationsLive, stacksLive, continuationCopies, hibernatedBytes } = statistics();
  expect({ continuationsLive, stacksLive, continuationCopies, hibernatedBytes }).toEqual({
    continuationsLive: live.continuationsLive,
    stacksLive: live.stacksLive,
    continuationCopies: live.continuationCopies,
    hibernatedBytes: live.hibernatedBytes,
  });
}

/** Numbers of one or more digits by versions: `answer` gives a digit to place `i`. */
interface Versions {
  readonly answer: (i: number, digit: number) => number;
  readonly clone: (from: number, to: number) => void;
  readonly raise: (i: number, value: number) => number;
  readonly drop: (i: number) => void;
}

function versions(program: string): Versions {
  const made = instance(`(module ${TYPES} ${STORE} ${PROGRAMS})`, HEDDLE);
  const call = (name: string, ...args: number[]): number => (made[name] as (...args: number[]) => number)(...args);
  call(program, 0);
  return {
    answer: (i, digit) => call('resume', i, digit),
    clone: (from, to) => void call('clone', from, to),
    raise: (i, value) => call('throw', i, value),
    drop: (i) => void call('drop', i),
  };
}

/** What a program returns for a number. */
const RETURNS: Readonly<Record<string, (n: number) => number>> = { digits: (n) => n, deep: (n) => n, chain: (n) => n + 17 };

describe.each(Object.keys(RETURNS))('%s', (program) => {
  const result = RETURNS[program] as (n: number) => number;

  test('both go on from where the first was, in any order', () => {
    const { answer, clone } = versions(program);
    answer(0, 1);
    clone(0, 1);
    expect(answer(0, 2)).toBe(12);
    expect(answer(1, 3)).toBe(13);
    expect(answer(0, 4)).toBe(124);
    expect(answer(1, 5)).toBe(135);
    expect(answer(1, 0)).toBe(result(135));
    expect(answer(0, 0)).toBe(result(124));
    expectNothingLeft();
  });

  test('clones of clones, of states that are copied already, and of states that are not', () => {
    const { answer, clone } = versions(program);
    for (let i = 1; i <= 9; i++) clone(i - 1, i);
    // Each gets its own digits, in turn, and is cloned in the middle.
    for (let i = 0; i <= 9; i++) expect(answer(i, i === 0 ? 9 : i)).toBe(i === 0 ? 9 : i);
    for (let i = 0; i <= 9; i++) clone(i, i + 10);
    for (let i = 19; i >= 0; i--) expect(answer(i, 1)).toBe((i % 10 === 0 ? 9 : i % 10) * 10 + 1);
    for (let i = 0; i <= 19; i++) expect(answer(i, 0)).toBe(result((i % 10 === 0 ? 9 : i % 10) * 10 + 1));
    expectNothingLeft();
  });

  test('hibernated before and after', () => {
    const { answer, clone } = versions(program);
    answer(0, 4);
    hibernate();
    clone(0, 1);
    expect(answer(1, 5)).toBe(45);
    hibernate();
    clone(1, 2);
    hibernate();
    expect(answer(0, 6)).toBe(46);
    expect(answer(2, 7)).toBe(457);
    hibernate();
    expect([answer(0, 0), answer(1, 0), answer(2, 0)]).toEqual([result(46), result(45), result(457)]);
    expectNothingLeft();
  });

  test('what nothing refers to is freed, whoever is left goes on', () => {
    const { answer, clone, drop } = versions(program);
    answer(0, 1);
    for (let i = 1; i < 40; i++) clone(0, i);
    drop(0);
    for (let i = 2; i < 40; i += 2) drop(i);
    collect();
    // The twenty, and at most the fibers that were copied: frames keep the addresses of their records.
    const left = statistics().continuationsLive - live.continuationsLive;
    expect(left).toBeGreaterThanOrEqual(20);
    expect(left).toBeLessThanOrEqual(23);
    for (let i = 1; i < 40; i += 2) expect(answer(i, 2)).toBe(12);
    for (let i = 1; i < 39; i += 2) drop(i);
    collect();
    expect(answer(39, 0)).toBe(result(12));
    expectNothingLeft();
  });
});

test('a thousand histories: each version is what its own answers make it', () => {
  for (const program of Object.keys(RETURNS)) {
    const { answer, clone, drop } = versions(program);
    const numbers = [0];
    let seed = 12345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let step = 0; step < 1000; step++) {
      const i = random(numbers.length);
      if (random(3) === 0 && numbers.length < 60) {
        clone(i, numbers.length);
        numbers.push(numbers[i] as number);
        continue;
      }
      const n = numbers[i] as number;
      if (n < 1e8) {
        const digit = 1 + random(9);
        numbers[i] = n * 10 + digit;
        expect(answer(i, digit)).toBe(numbers[i]);
      } else {
        const from = (i + 1) % numbers.length;
        // Its end, and a copy of another in its place.
        expect(answer(i, 0)).toBe(RETURNS[program]?.(n));
        if (from === i) break;
        clone(from, i);
        numbers[i] = numbers[from] as number;
      }
      if (random(50) === 0) hibernate();
      if (random(50) === 0) collect();
    }
    for (let i = 0; i < 64; i++) drop(i);
  }
  expectNothingLeft();
});

test('vectors and floats of a frame are each version’s own', () => {
  const { answer, clone } = versions('wide');
  answer(0, 5);
  clone(0, 1);
  expect(answer(0, 100)).toBe(210);
  expect(answer(1, 1)).toBe(12);
  expect(answer(0, 0)).toBe(210);
  expect(answer(1, 0)).toBe(12);
});

test('a version catches what is thrown into it, at the handler that it had', () => {
  const { answer, clone, raise } = versions('catches');
  answer(0, 1);
  clone(0, 1);
  clone(0, 2);
  // What is thrown is added to the sum at the beginning of the try_table.
  expect(raise(1, 10)).toBe(10);
  expect(answer(0, 2)).toBe(3);
  expect(raise(0, 20)).toBe(20);
  expect(answer(1, 1000)).toBe(1010);
  expect(answer(2, 1500)).toBe(1501);
  expect(answer(0, 1000)).toBe(1020);
  const other = versions('chain');
  other.answer(0, 1);
  other.clone(0, 1);
  expect(other.raise(1, 5)).toBe(1_000_005);
  expect(other.answer(0, 0)).toBe(18);
  expectNothingLeft();
});

test('a fresh one with bound values, of a stack that was chosen', () => {
  const { run } = instance(
    `(module ${TYPES}
      (import "heddle" "cont.new strategy=malloc size=16384" (func $new (param (ref null $h)) (result (ref $kh))))
      (import "heddle" "cont.clone" (func $clonek (param (ref null $k)) (result (ref $k))))
      (func $minus (type $h) (i32.sub (local.get 0) (local.get 1))) (elem declare func $minus)
      (func (export "run") (result i32 i32 i32 i32) (local $c (ref null $kh)) (local $d (ref null $kg)) (local $e (ref null $k)) (local $x (ref null $kg)) (local $y (ref null $k))
        (local.set $c (call $cloneh (call $new (ref.func $minus))))
        (local.set $d (cont.bind $kh $kg (i32.const 100) (local.get $c)))
        (local.set $x (call $clone (local.get $d)))
        (local.set $e (cont.bind $kg $k (i32.const 1) (local.get $d)))
        (local.set $y (call $clonek (local.get $e)))
        (resume $k (local.get $e)) (resume $kg (i32.const 2) (call $clone (local.get $x))) (resume $kg (i32.const 3) (local.get $x)) (resume $k (local.get $y))))`,
    HEDDLE,
  );
  expect(run?.()).toEqual([99, 98, 97, 99]);
  expectNothingLeft();
});

test('of null and of one that is used: traps that say so', () => {
  const { none, used, digits, clone, resume } = instance(
    `(module ${TYPES} ${STORE} ${PROGRAMS}
      (func (export "none") (drop (call $clone (ref.null $kg))))
      (func (export "used") (local $c (ref null $kg)) (local.set $c (cont.new $kg (ref.func $digits)))
        (drop (cont.bind $kg $k (i32.const 1) (local.get $c))) (drop (call $clone (local.get $c)))))`,
    HEDDLE,
  ) as Functions;
  expect(thrown(() => none?.()).code).toBe('HEDDLE_TRAP_NULL_CONTINUATION');
  expect(thrown(() => used?.()).code).toBe('HEDDLE_TRAP_CONTINUATION_CONSUMED');
  digits?.(0);
  clone?.(0, 1);
  resume?.(0, 0);
  expect(thrown(() => clone?.(0, 2)).code).toBe('HEDDLE_TRAP_CONTINUATION_CONSUMED');
  expect(resume?.(1, 0)).toBe(0);
});

describe('two versions at once', () => {
  /** $outer asks, and then does with another version of itself what `act` says, by $op; that traps, so it is called by JavaScript, which goes on. */
  const ACTIVE = `(module ${TYPES} (import "env" "act" (func $act)) ${STORE}
    (func $outer (param i32) (result i32) (local $x i32)
      (local.set $x (suspend $ask (i32.const 1)))
      (call $act)
      (i32.add (local.get $x) (suspend $ask (i32.const 2))))
    ${BEGIN('outer')}
    (func (export "inner") (param $i i32) (param $op i32) (result i32)
      (if (i32.eq (local.get $op) (i32.const 0)) (then (return (call $resume (local.get $i) (i32.const 5)))))
      (if (i32.eq (local.get $op) (i32.const 1)) (then (return (resume_throw $kg $e (i32.const 5) (table.get $t (local.get $i))))))
      (if (i32.eq (local.get $op) (i32.const 2)) (then (drop (cont.bind $kg $k (i32.const 5) (table.get $t (local.get $i))))))
      (i32.const -1)))`;

  test.each([
    ['resume', 0],
    ['resume_throw', 1],
  ])('%s traps, and consumes nothing', (_, op) => {
    let errors = 0;
    let inner = (): unknown => undefined;
    const made = instance(ACTIVE, {
      heddle: {},
      env: {
        act: () => {
          const error = thrown(inner);
          expect(error.code).toBe('HEDDLE_TRAP_SNAPSHOT_ACTIVE');
          errors++;
        },
      },
    });
    made['outer']?.(0);
    made['clone']?.(0, 1);
    inner = () => made['inner']?.(1, op);
    expect(made['resume']?.(0, 10)).toBe(2);
    // Both go on: the one that ran, and the one that was refused.
    inner = () => made['inner']?.(0, op);
    expect(made['resume']?.(1, 20)).toBe(2);
    expect(errors).toBe(2);
    expect(made['resume']?.(0, 1)).toBe(11);
    expect(made['resume']?.(1, 1)).toBe(21);
    expectNothingLeft();
  });

  test('inside WebAssembly alone: one resumes the other, one switches to the other', () => {
    const made = instance(
      `(module ${TYPES}
        (rec (type $fs (func (param (ref null $ks)) (result i32))) (type $ks (cont $fs)))
        (import "heddle" "cont.clone" (func $clones (param (ref null $ks)) (result (ref $ks))))
        ${STORE}
        (tag $wait (result (ref null $ks)))
        (global $s (mut (ref null $ks)) (ref.null $ks)) (global $s2 (mut (ref null $ks)) (ref.null $ks))
        (func $self (param i32) (result i32) (drop (suspend $ask (i32.const 1))) (call $resume (i32.const 1) (i32.const 5)))
        ${BEGIN('self')}
        (func $switches (type $fs) (drop (suspend $wait)) (drop (switch $ks $s (global.get $s2))) (i32.const 3)) (elem declare func $switches)
        (func (export "switch") (result i32)
          (global.set $s (block $on (result (ref $ks)) (drop (resume $ks (on $wait $on) (ref.null $ks) (cont.new $ks (ref.func $switches)))) (unreachable)))
          (global.set $s2 (call $clones (global.get $s)))
          (resume $ks (on $s switch) (ref.null $ks) (global.get $s)))
        (func (export "rest") (result i32) (resume $ks (on $s switch) (ref.null $ks) (call $clones (global.get $s2)))))`,
      HEDDLE,
    );
    made['self']?.(0);
    made['clone']?.(0, 1);
    expect(thrown(() => made['resume']?.(0, 1)).code).toBe('HEDDLE_TRAP_SNAPSHOT_ACTIVE');
    // The refused one asks once more: it is as it was.
    made['clone']?.(1, 2);
    expect(thrown(() => made['resume']?.(2, 1)).code).toBe('HEDDLE_TRAP_SNAPSHOT_ACTIVE');
    expect(thrown(() => made['switch']?.()).code).toBe('HEDDLE_TRAP_SNAPSHOT_ACTIVE');
    // A version that switches to one of the same state; it is there still.
    expect(thrown(() => made['rest']?.()).code).toBe('HEDDLE_TRAP_SNAPSHOT_ACTIVE');
  });
});

test('what frames refer to is shared: a one-shot continuation goes on for who resumes it first', () => {
  const made = instance(
    `(module ${TYPES} ${STORE} ${PROGRAMS}
      (func $holds (param i32) (result i32) (local $c (ref null $kg))
        (local.set $c (block $on (result (ref $kg)) (drop (resume $kg (on $ask $q) (i32.const 0) (cont.new $kg (ref.func $digits)))) (unreachable)))
        (drop (suspend $ask (i32.const 1)))
        (resume $kg (i32.const 0) (local.get $c)))
      ${BEGIN('holds')})`.replace(
      '(block $on (result (ref $kg)) (drop (resume $kg (on $ask $q) (i32.const 0) (cont.new $kg (ref.func $digits)))) (unreachable))',
      '(block $got (result (ref $kg)) (block $on (result i32 (ref $kg)) (drop (resume $kg (on $ask $on) (i32.const 0) (cont.new $kg (ref.func $digits)))) (unreachable)) (br $got))',
    ),
    HEDDLE,
  );
  made['holds']?.(0);
  made['clone']?.(0, 1);
  expect(made['resume']?.(1, 0)).toBe(0);
  expect(thrown(() => made['resume']?.(0, 0)).code).toBe('HEDDLE_TRAP_CONTINUATION_CONSUMED');
  expectNothingLeft();
});

test('across instances and frames of many kinds: eight queens in one stack', () => {
  // 92 solutions; each choice tries all rows, so that there is a run for each row of each state that is reached.
  const made = instance(
    `(module ${TYPES}
      (tag $choose (param i32) (result i32)) (global $n (mut i32) (i32.const 8)) (global $solutions (mut i32) (i32.const 0))
      (func $place (param i32) (result i32) (local $col i32) (local $row i32) (local $rows i32) (local $d1 i32) (local $d2 i32) (local $bit i32)
        (loop $next
          (local.set $row (suspend $choose (global.get $n)))
          (local.set $bit (i32.shl (i32.const 1) (local.get $row)))
          (local.set $d1 (i32.shl (local.get $d1) (i32.const 1)))
          (local.set $d2 (i32.shr_u (local.get $d2) (i32.const 1)))
          (if (i32.and (local.get $bit) (i32.or (local.get $rows) (i32.or (local.get $d1) (local.get $d2)))) (then (return (i32.const 0))))
          (local.set $rows (i32.or (local.get $rows) (local.get $bit)))
          (local.set $d1 (i32.or (local.get $d1) (local.get $bit)))
          (local.set $d2 (i32.or (local.get $d2) (local.get $bit)))
          (local.set $col (i32.add (local.get $col) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $col) (global.get $n))))
        (i32.const 1))
      (elem declare func $place)
      (func $try (param $n i32) (param $k (ref null $kg)) (param $i i32)
        (block $on (result i32 (ref $kg))
          (global.set $solutions (i32.add (global.get $solutions) (resume $kg (on $choose $on) (local.get $i) (local.get $k))))
          (return))
        (call $all))
      (func $all (param $n i32) (param $k (ref null $kg)) (local $i i32)
        (loop $each
          (call $try (local.get $n) (call $clone (local.get $k)) (local.get $i))
          (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
      (func (export "queens") (param i32) (result i32)
        (global.set $n (local.get 0)) (global.set $solutions (i32.const 0))
        (block $on (result i32 (ref $kg)) (drop (resume $kg (on $choose $on) (i32.const 0) (cont.new $kg (ref.func $place)))) (unreachable))
        (call $all)
        (global.get $solutions)))`,
    HEDDLE,
  );
  expect([4, 5, 6, 7, 8].map((n) => made['queens']?.(n))).toEqual([2, 10, 4, 40, 92]);
  collect();
  // At most the state that every row was tried from.
  expect(statistics().stacksLive - live.stacksLive).toBeLessThanOrEqual(1);
  expect(statistics().continuationsLive - live.continuationsLive).toBeLessThanOrEqual(1);
});

describe('JavaScript', () => {
  const COUNT = `(module (type $f (func (param i32) (result i32))) (tag $ask (export "ask") (param i32) (result i32))
    (func (export "sum") (param $n i32) (result i32) (loop $l
      (local.set $n (i32.add (local.get $n) (suspend $ask (local.get $n))))
      (br_if $l (i32.lt_u (local.get $n) (i32.const 100)))) (local.get $n)))`;
  const begin = (): Continuation => new Continuation(instance(COUNT)['sum'] as never);

  test('a snapshot of a fresh and of a suspended one', () => {
    const fresh = begin();
    const other = fresh.snapshot();
    const a = fresh.resume(1);
    if (a.done) throw new Error('not over yet');
    expect(a.payload).toEqual([1]);
    const b = a.continuation.snapshot();
    expect([a.continuation.state, b.state, fresh.state]).toEqual(['suspended', 'suspended', 'used']);
    const c = b.resume(5);
    const d = a.continuation.resume(200);
    expect(d).toMatchObject({ done: true, value: 201 });
    expect(c).toMatchObject({ done: false, payload: [6] });
    expect(other.resume(1000)).toMatchObject({ done: false, payload: [1000] });
    if (!c.done) c.continuation.cancel();
  });

  test('iteration over a snapshot leaves what it was made of', () => {
    const step = begin().resume(95);
    if (step.done) throw new Error('not over yet');
    for (let round = 0; round < 3; round++) {
      using snapshot = step.continuation.snapshot();
      const values = snapshot.bind(1)[Symbol.iterator]();
      expect(values.next()).toEqual({ done: false, value: 96 });
      expect(values.next(round + 4)).toEqual({ done: true, value: 100 + round });
    }
    expect(step.continuation.resume(5)).toMatchObject({ done: true, value: 100 });
  });

  test('of one that is used, running, or waits for a promise: TypeErrors', async () => {
    const { Suspending, Instance, Module } = await import('../../ts/index.js').then((heddle) => heddle.WebAssembly);
    const { parseWat } = await import('../../ts/index.js');
    let resolve: (value: number) => void = () => undefined;
    const made = new Instance(
      new Module(parseWat('(module (import "env" "wait" (func $wait (result i32))) (func (export "f") (result i32) (call $wait)))')),
      {
        env: {
          wait: new Suspending(
            () =>
              new Promise<number>((done) => {
                resolve = done;
              }),
          ),
        },
      },
    );
    const waits = new Continuation(made.exports['f'] as never);
    const promise = waits.resumeAsync();
    expect(thrown(() => waits.snapshot())).toMatchObject({ name: 'TypeError', code: 'HEDDLE_CONTINUATION_RUNNING' });
    resolve(7);
    expect(await promise).toMatchObject({ done: true, value: 7 });
    expect(thrown(() => waits.snapshot())).toMatchObject({ name: 'TypeError', code: 'HEDDLE_CONTINUATION_USED' });
  });

  test('while another version runs: a trap, and the snapshot is as it was', () => {
    let inside = (): void => undefined;
    const made = instance(
      `(module (import "env" "act" (func $act)) (tag $ask (result i32))
        (func (export "f") (result i32) (local $x i32) (local.set $x (suspend $ask)) (call $act) (local.get $x)))`,
      { env: { act: () => inside() } },
    );
    const step = new Continuation(made['f'] as never).resume();
    if (step.done) throw new Error('not over yet');
    const snapshot = step.continuation.snapshot();
    let refused = 0;
    inside = () => {
      expect(thrown(() => snapshot.resume(1)).code).toBe('HEDDLE_TRAP_SNAPSHOT_ACTIVE');
      expect(snapshot.state).toBe('suspended');
      refused++;
    };
    expect(step.continuation.resume(2)).toMatchObject({ value: 2 });
    inside = () => undefined;
    expect(snapshot.resume(3)).toMatchObject({ value: 3 });
    expect(refused).toBe(1);
  });

  test('inspect tells who is a copy of whom', () => {
    const step = begin().resume(1);
    if (step.done) throw new Error('not over yet');
    const before = new Set(inspect().fibers.map(({ continuation }) => continuation));
    const snapshot = step.continuation.snapshot();
    const { fibers } = inspect();
    const added = fibers.filter(({ continuation }) => !before.has(continuation));
    expect(added).toHaveLength(1);
    const original = fibers.find(({ id }) => id !== 0 && id === added[0]?.copyOf);
    expect(original).toMatchObject({ state: 'suspended', function: 'sum' });
    expect(added[0]).toMatchObject({ id: 0, state: 'suspended', function: 'sum', versions: 2 });
    expect(added[0]?.frames).toEqual(original?.frames);
    snapshot.cancel();
    step.continuation.cancel();
  });
});

test('fibers by import: fiber_clone', () => {
  const made = instance(
    `(module (type $f (func (param i64) (result i64)))
      (import "heddle" "fiber_new" (func $new (param i32) (result i32))) (import "heddle" "fiber_resume" (func $resume (param i32 i64) (result i64)))
      (import "heddle" "fiber_yield" (func $yield (param i64) (result i64))) (import "heddle" "fiber_clone" (func $clone (param i32) (result i32)))
      (import "heddle" "fiber_status" (func $status (param i32) (result i32))) (import "heddle" "fiber_free" (func $free (param i32)))
      (table 1 funcref) (elem (i32.const 0) func $digits)
      (func $digits (type $f) (local $d i64) (local.set 0 (i64.const 0))
        (loop $l (local.set $d (call $yield (local.get 0)))
          (if (i64.eqz (local.get $d)) (then (return (local.get 0))))
          (local.set 0 (i64.add (i64.mul (local.get 0) (i64.const 10)) (local.get $d))) (br $l)) (unreachable))
      (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "resume") (param i32 i64) (result i64) (call $resume (local.get 0) (local.get 1)))
      (func (export "clone") (param i32) (result i32) (call $clone (local.get 0)))
      (func (export "status") (param i32) (result i32) (call $status (local.get 0)))
      (func (export "free") (param i32) (call $free (local.get 0))))`,
    HEDDLE,
  );
  const a = made['new']?.(0) as number;
  expect(made['resume']?.(a, 0n)).toBe(0n);
  expect(made['resume']?.(a, 1n)).toBe(1n);
  const b = made['clone']?.(a) as number;
  expect(b).not.toBe(a);
  expect(made['resume']?.(b, 2n)).toBe(12n);
  expect(made['resume']?.(a, 3n)).toBe(13n);
  const c = made['clone']?.(b) as number;
  expect(made['resume']?.(b, 0n)).toBe(12n);
  expect(made['status']?.(b)).toBe(2);
  expect(thrown(() => made['clone']?.(b)).code).toBe('HEDDLE_TRAP_FIBER_DONE');
  expect(thrown(() => made['clone']?.(12345)).code).toBe('HEDDLE_TRAP_FIBER_UNKNOWN');
  expect(made['resume']?.(c, 0n)).toBe(12n);
  made['free']?.(a);
});

/** A collection at every safepoint looks at each of them each time. */
const MANY = process.env['HEDDLE_COLLECT'] === 'always' ? 300 : 100_000;

test('a hundred thousand snapshots of distinct states', () => {
  const made = instance(
    `(module ${TYPES} ${PROGRAMS.replace(/\(func \(export[\s\S]*?\$keep \(local\.get \$i\)\)\)/g, '')}
      (table $all 100001 (ref null $kg))
      (func (export "fill") (param $n i32) (local $i i32) (local $c (ref null $kg))
        (local.set $c (block $got (result (ref $kg)) (block $on (result i32 (ref $kg)) (drop (resume $kg (on $ask $on) (i32.const 0) (cont.new $kg (ref.func $digits)))) (unreachable)) (br $got)))
        (loop $l
          (table.set $all (local.get $i) (call $clone (local.get $c)))
          (local.set $c (block $got (result (ref $kg)) (block $on (result i32 (ref $kg)) (drop (resume $kg (on $ask $on) (i32.const 1) (local.get $c))) (unreachable)) (br $got)))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
      (func (export "end") (param $i i32) (result i32) (resume $kg (i32.const 0) (table.get $all (local.get $i)))))`,
    HEDDLE,
  );
  const before = statistics();
  made['fill']?.(MANY);
  const after = statistics();
  expect(after.continuationCopies - before.continuationCopies).toBe(MANY);
  expect(after.stacksLive - before.stacksLive).toBe(1);
  // The first digits, by arithmetic: i ones.
  for (const i of [0, 1, 2, 8]) expect(made['end']?.(i)).toBe(Number('1'.repeat(i) || '0'));
});
