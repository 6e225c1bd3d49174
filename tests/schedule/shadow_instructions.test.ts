/**
 * Modules with stack-switching instructions whose shadow stack goes with their continuations, because the option asks for it. What they compute is computed here as well.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat, type ShadowStackOptions } from '../../ts/index.js';

type Functions = Record<string, (...args: number[]) => number>;

const TOP = 65536;
/** What a function with a frame of `size` bytes begins and ends with. */
const enter = (size: number): string => `(global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const ${size}))))`;
const leave = (size: number): string => `(global.set $sp (i32.add (local.get $fp) (i32.const ${size})))`;

const TEXT = `(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (tag $stop)
  (memory 2)
  (global $sp (export "sp") (mut i32) (i32.const ${TOP}))
  (table $ks 4096 (ref null $k))
  (elem declare func $body $outer $thrown $deep)

  ;; Yields what its frame holds three times, and adds each answer to that. The frame's other end must stay as it is.
  (func $body (param $seed i32) (result i32) (local $fp i32) (local $i i32)
    ${enter(64)}
    (i32.store (local.get $fp) (local.get $seed))
    (i32.store offset=60 (local.get $fp) (i32.mul (local.get $seed) (i32.const 3)))
    (loop $again
      (i32.store (local.get $fp) (i32.add (i32.load (local.get $fp)) (suspend $yield (i32.load (local.get $fp)))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
    (i32.add (i32.load (local.get $fp)) (i32.load offset=60 (local.get $fp)))
    ${leave(64)})

  ;; Runs another inside, whose suspensions pass it by, and adds 1,000 to its result, all of it with a frame of its own.
  (func $outer (param $seed i32) (result i32) (local $fp i32)
    ${enter(48)}
    (i32.store (local.get $fp) (i32.add (local.get $seed) (i32.const 1000)))
    (drop (suspend $yield (i32.const -1)))
    (i32.add (resume $k (local.get $seed) (cont.new $k (ref.func $body)))
      (i32.sub (i32.load (local.get $fp)) (local.get $seed)))
    ${leave(48)})

  ;; Goes down as many frames as it is given, and yields there.
  (func $down (param $depth i32) (result i32) (local $fp i32)
    ${enter(64)}
    (if (result i32) (local.get $depth)
      (then (call $down (i32.sub (local.get $depth) (i32.const 1))))
      (else (suspend $yield (i32.const -2))))
    ${leave(64)})
  (func $deep (param i32) (result i32) (call $down (local.get 0)))

  ;; Is thrown into while it has a frame.
  (func $thrown (param $seed i32) (result i32) (local $fp i32)
    ${enter(32)}
    (suspend $yield (local.get $seed))
    ${leave(32)})

  (func (export "make") (param $i i32) (param $outer i32)
    (table.set $ks (local.get $i)
      (cont.new $k (select (result (ref null $f)) (ref.func $outer) (ref.func $body) (local.get $outer)))))
  (func (export "makeThrown") (param $i i32) (table.set $ks (local.get $i) (cont.new $k (ref.func $thrown))))
  (func (export "makeDeep") (param $i i32) (table.set $ks (local.get $i) (cont.new $k (ref.func $deep))))
  (func (export "over") (param $i i32) (result i32) (ref.is_null (table.get $ks (local.get $i))))

  ;; Resumes number $i, from a frame of its own that must stay as it is.
  (func $step (export "step") (param $i i32) (param $v i32) (result i32) (local $fp i32) (local $k (ref null $k))
    ${enter(32)}
    (i32.store (local.get $fp) (local.get $i))
    (local.set $k (table.get $ks (local.get $i)))
    (table.set $ks (local.get $i) (ref.null $k))
    (block $done (result i32)
      (block $on (result i32 (ref $k))
        (br $done (resume $k (on $yield $on) (local.get $v) (local.get $k))))
      (local.set $k)
      (table.set $ks (i32.load (local.get $fp)) (local.get $k)))
    (if (i32.ne (i32.load (local.get $fp)) (local.get $i)) (then unreachable))
    ${leave(32)})

  ;; Throws into number $i, which has no handler: the exception comes out here, and no frame of its own is left.
  (func (export "throwInto") (param $i i32) (result i32) (local $fp i32)
    ${enter(32)}
    (block $caught
      (try_table (catch $stop $caught)
        (drop (resume_throw $k $stop (table.get $ks (local.get $i))))))
    (local.get $fp)
    (global.get $sp)
    ${leave(32)}
    (i32.eq))

  ;; All of the first $n, in turn, within one call.
  (func (export "turns") (param $n i32) (result i32) (local $i i32) (local $left i32) (local $sum i32)
    (loop $round
      (local.set $i (i32.const 0))
      (local.set $left (i32.const 0))
      (loop $next
        (if (i32.eqz (ref.is_null (table.get $ks (local.get $i))))
          (then
            (local.set $left (i32.const 1))
            (local.set $sum (i32.add (local.get $sum) (call $step (local.get $i) (local.get $i))))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (br_if $round (local.get $left)))
    (local.get $sum)))`;

function instance(text: string, shadowStack?: ShadowStackOptions): Functions {
  const module = new Heddle.Module(parseWat(text), shadowStack === undefined ? {} : { shadowStack });
  return new Heddle.Instance(module).exports as unknown as Functions;
}

const pointer = (exports: Functions): unknown => (exports['sp'] as unknown as { value: number }).value;

/** What a body yields and gives, by its seed and what it is answered. */
function* body(seed: number): Generator<number, number, number> {
  let x = seed;
  for (let i = 0; i < 3; i++) x = (x + (yield x)) | 0;
  return (x + Math.imul(seed, 3)) | 0;
}
function* outer(seed: number): Generator<number, number, number> {
  yield -1;
  return ((yield* body(seed)) + 1000) | 0;
}

/** Steps `count` continuations in an order that looks random, beside generators. How many steps gave the same. */
function compare(exports: Functions, count: number): { readonly steps: number; readonly same: number } {
  const models = Array.from({ length: count }, (_, i) => {
    exports['make']?.(i, i % 3 === 0 ? 1 : 0);
    return { run: undefined as Generator<number, number, number> | undefined, over: false };
  });
  let x = 1;
  let steps = 0;
  let same = 0;
  for (let left = count; left > 0; ) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    const i = (x >>> 8) % count;
    const model = models[i];
    if (model === undefined || model.over) continue;
    const value = x & 0xffff;
    let expected: IteratorResult<number, number>;
    if (model.run === undefined) {
      model.run = (i % 3 === 0 ? outer : body)(value);
      expected = model.run.next();
    } else {
      expected = model.run.next(value);
    }
    model.over = expected.done === true;
    if (model.over) left--;
    steps++;
    if (exports['step']?.(i, value) === expected.value && exports['over']?.(i) === (model.over ? 1 : 0)) same++;
  }
  return { steps, same };
}

describe('a module with stack-switching instructions', () => {
  test.each([
    ['slices', { low: 1024, size: 192 }],
    ['slices, with the pointer named', { pointer: 0, low: 1024, size: 256 }],
    ['frames that are moved', { pointer: 0, move: true }],
  ] as const)('has its continuations keep their frames where the option asks: %s', (_, options) => {
    const exports = instance(TEXT, options);
    for (const count of [1, 2, 7, 200]) {
      const { steps, same } = compare(exports, count);
      expect(same).toBe(steps);
      expect(pointer(exports)).toBe(TOP);
    }
  });

  test('is left alone where it does not: continuations overwrite each other', () => {
    const { steps, same } = compare(instance(TEXT), 50);
    expect(same).toBeLessThan(steps);
  });

  test('may go on with them within one call', () => {
    const exports = instance(TEXT, { low: 1024, size: 192 });
    const count = 150;
    let expected = 0;
    for (let i = 0; i < count; i++) {
      exports['make']?.(i, i % 3 === 0 ? 1 : 0);
      const run = (i % 3 === 0 ? outer : body)(i);
      let step = run.next();
      for (; step.done !== true; step = run.next(i)) expected += step.value;
      expected += step.value;
    }
    expect(exports['turns']?.(count)).toBe(expected | 0);
    expect(pointer(exports)).toBe(TOP);
  });

  test('gets its pointer back when an exception leaves a continuation', () => {
    const exports = instance(TEXT, { low: 1024, size: 192 });
    for (let i = 0; i < 1000; i++) {
      exports['makeThrown']?.(i);
      if (i % 2 === 0) expect(exports['step']?.(i, i)).toBe(i);
      expect(exports['throwInto']?.(i)).toBe(1);
    }
    expect(pointer(exports)).toBe(TOP);
  });

  test('traps where a continuation needs more than its area, and the others go on', () => {
    const exports = instance(TEXT, { low: 1024, size: 512 });
    // Six frames of 64 bytes fit, 20 do not.
    for (const i of [0, 1, 2]) exports['makeDeep']?.(i);
    expect(exports['step']?.(0, 5)).toBe(-2);
    expect(exports['step']?.(1, 5)).toBe(-2);
    expect(() => exports['step']?.(2, 20)).toThrow(expect.objectContaining({ code: 'HEDDLE_TRAP_SHADOW_OVERFLOW' }));
    expect(exports['step']?.(1, 71)).toBe(71);
    expect(exports['step']?.(0, 70)).toBe(70);
    expect(pointer(exports)).toBe(TOP);
  });
});

test('a module that may have two pointers has one continuation under way at a time', () => {
  // Both globals are lowered; nothing says which is the stack's.
  const exports = instance(
    `(module (type $f (func)) (type $k (cont $f)) (tag $t) (memory 1)
      (global $a (mut i32) (i32.const 4096)) (global $b (mut i32) (i32.const 8192))
      (table $ks 2 (ref null $k)) (elem declare func $wait)
      (func $other (global.set $b (i32.sub (global.get $b) (i32.const 16))) (global.set $b (i32.add (global.get $b) (i32.const 16))))
      (func $wait
        (global.set $a (i32.sub (global.get $a) (i32.const 16)))
        (suspend $t)
        (global.set $a (i32.add (global.get $a) (i32.const 16))))
      (func (export "begin") (param $i i32)
        (local $k (ref null $k))
        (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $wait))) (return))
        (local.set $k)
        (table.set $ks (local.get $i) (local.get $k)))
      (func (export "end") (param $i i32) (resume $k (table.get $ks (local.get $i)))))`,
    {},
  );
  exports['begin']?.(0);
  expect(() => exports['begin']?.(1)).toThrow(
    expect.objectContaining({ code: 'HEDDLE_TRAP_SHADOW_STACK', message: expect.stringContaining('shadowStack.pointer') }),
  );
  exports['end']?.(0);
  exports['begin']?.(1);
  exports['end']?.(1);
});

test('the switch instruction takes the pointer along', () => {
  // Two that switch to each other: each adds what it is given to its frame.
  const exports = instance(
    `(module
      (rec (type $f (func (param i32 (ref null $k)) (result i32))) (type $k (cont $f)))
      (type $main (func (result i32)))
      (tag $to (result i32))
      (memory 2)
      (global $sp (export "sp") (mut i32) (i32.const ${TOP}))
      (elem declare func $play)
      (func $play (type $f) (param $v i32) (param $other (ref null $k)) (result i32) (local $fp i32)
        ${enter(32)}
        (i32.store (local.get $fp) (i32.const 7))
        (loop $again
          (i32.store (local.get $fp) (i32.add (i32.load (local.get $fp)) (local.get $v)))
          (if (i32.lt_u (local.get $v) (i32.const 100))
            (then
              (if (ref.is_null (local.get $other)) (then (local.set $other (cont.new $k (ref.func $play)))))
              (switch $k $to (i32.add (local.get $v) (i32.const 1)) (local.get $other))
              (local.set $other)
              (local.set $v)
              (br $again))))
        (i32.load (local.get $fp))
        ${leave(32)})
      (func (export "run") (param $v i32) (result i32) (local $fp i32)
        ${enter(16)}
        (i32.store (local.get $fp) (local.get $v))
        (resume $k (on $to switch) (local.get $v) (ref.null $k) (cont.new $k (ref.func $play)))
        (i32.sub (i32.load (local.get $fp)))
        ${leave(16)}))`,
    { low: 1024, size: 256 },
  );
  // Who has 100 ends: it had every second number from 100 down to where it began.
  const last = (from: number): number => {
    let sum = 7;
    for (let v = 100; v >= from; v -= 2) sum += v;
    return sum;
  };
  for (const from of [1, 2, 99, 100]) expect(exports['run']?.(from)).toBe(last(from) - from);
  expect(pointer(exports)).toBe(TOP);
});
