/**
 * Small functions that switch stacks are inlined where they are called. Nothing of that may show: what programs compute follows from their texts, and
 * backtraces are those of the same module compiled without inlining.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

type Functions = Record<string, (...args: unknown[]) => unknown>;

afterEach(() => {
  delete process.env['HEDDLE_INLINE'];
});

/** An instance of code in which functions are inlined, or are not. */
function instance(text: string, inline = true, env: Record<string, unknown> = {}): Functions {
  process.env['HEDDLE_INLINE'] = inline ? '1' : '0';
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports as Functions;
}

const TYPES = '(type $f (func)) (type $k (cont $f)) (tag $yield (param i32)) (tag $ask (param i32) (result i32))';

describe('results', () => {
  /** What a program's function returns, inlined and not. */
  const both = (text: string, name: string, ...args: unknown[]): unknown => {
    const [inlined, called] = [true, false].map((inline) => instance(text, inline)[name]?.(...args));
    expect(inlined).toEqual(called);
    return inlined;
  };

  test('a generator behind a yield function and a next function', () => {
    const text = `(module ${TYPES} (elem declare func $squares)
      (func $put (param i32) (suspend $yield (local.get 0)))
      (func $squares (local $i i32) (loop $l (call $put (i32.mul (local.get $i) (local.get $i)))
        (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)))
      (func $next (param (ref null $k)) (result i32 (ref null $k))
        (block $on (result i32 (ref $k)) (resume $k (on $yield $on) (local.get 0)) (return (i32.const -1) (ref.null $k))))
      (func (export "sum") (param $n i32) (result i32) (local $k (ref null $k)) (local $sum i32)
        (local.set $k (cont.new $k (ref.func $squares)))
        (loop $l (call $next (local.get $k)) (local.set $k) (local.set $sum (i32.add (local.get $sum)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))`;
    expect(both(text, 'sum', 1000)).toBe((999 * 1000 * 1999) / 6);
  });

  test('locals of the callee begin as zero each time, and are its own', () => {
    const text = `(module ${TYPES} (elem declare func $body)
      (func $count (param $step i32) (result i32) (local $n i32) (local $m i32)
        (local.set $m (i32.add (local.get $m) (local.get $step)))
        (local.set $n (i32.add (local.get $n) (suspend $ask (local.get $m))))
        (i32.add (local.get $n) (local.get $m)))
      (func $body (local $n i32) (local $all i32)
        (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (local.set $all (i32.add (local.get $all) (call $count (i32.add (call $count (local.get $n)) (i32.const 1)))))
          (br_if $l (i32.lt_u (local.get $n) (i32.const 3))))
        (suspend $yield (local.get $all)))
      (type $g (func (param i32))) (type $kg (cont $g))
      (func (export "run") (result i32) (local $k (ref null $kg)) (local $v i32) (local $first (ref null $k))
        (block $done (result i32 (ref $k))
          (block $asked (result i32 (ref $kg))
            (resume $k (on $ask $asked) (on $yield $done) (cont.new $k (ref.func $body))) (unreachable))
          (local.set $k) (local.set $v)
          (loop $l
            (block $again (result i32 (ref $kg))
              (resume $kg (on $ask $again) (on $yield $done) (i32.mul (local.get $v) (i32.const 10)) (local.get $k)) (unreachable))
            (local.set $k) (local.set $v) (br $l))
          (unreachable))
        (drop)))`;
    // count(s) asks for s, gets 10 s, returns 11 s.
    const expected = [1, 2, 3].reduce((sum, n) => sum + 11 * (11 * n + 1), 0);
    expect(both(text, 'run')).toBe(expected);
  });

  test('branches and returns leave the callee only, from any depth, with its results', () => {
    const text = `(module ${TYPES}
      (func $pick (param i32) (result i32 i64)
        (if (i32.gt_s (local.get 0) (i32.const 100)) (then (suspend $yield (local.get 0))))
        (block (block (block (br_table 0 1 2 3 (local.get 0)))
          (return (i32.const 10) (i64.const 20))) (drop (i32.const 5)) (br 1 (i32.const 11) (i64.const 21)))
        (i32.const 12) (i64.const 22))
      (func (export "run") (param i32) (result i32) (local $x i64)
        (i32.const 1000) (call $pick (local.get 0)) (local.set $x) (i32.add) (i32.add (i32.wrap_i64 (local.get $x)))))`;
    // A br_table to the function's own label needs its results, so the text above leaves by 0, 1 and 2 only.
    const fixed = text.replace('(br_table 0 1 2 3 ', '(br_table 0 1 2 ');
    expect([0, 1, 2, 9].map((i) => both(fixed, 'run', i))).toEqual([1030, 1032, 1034, 1034]);
  });

  test('many results', () => {
    const types = 'i32 '.repeat(20);
    const values = Array.from({ length: 20 }, (_, i) => `(i32.const ${i + 1})`).join(' ');
    const text = `(module ${TYPES} (func $many (param i32) (result ${types})
        (if (local.get 0) (then (suspend $yield (i32.const 0)))) ${values})
      (func (export "run") (result i32) (call $many (i32.const 0)) ${'(i32.add)'.repeat(19)}))`;
    expect(both(text, 'run')).toBe(210);
  });

  test('exceptions that the callee lets out are caught around the call', () => {
    const text = `(module ${TYPES} (tag $e (param i32)) (elem declare func $body $waits)
      (func $body (throw $e (i32.const 7)))
      (func $waits (suspend $yield (i32.const 1)))
      (func $go (resume $k (cont.new $k (ref.func $body))))
      (func $in (resume_throw $k $e (i32.const 30) (cont.new $k (ref.func $waits))))
      (func (export "run") (result i32) (local $sum i32)
        (block $h (result i32) (try_table (catch $e $h) (call $go)) (unreachable)) (local.set $sum)
        (block $h (result i32) (try_table (catch $e $h) (call $in)) (unreachable)) (i32.add (local.get $sum))))`;
    expect(both(text, 'run')).toBe(37);
  });

  test('legacy exceptions: a clause around the call, clauses in the callee, delegate out of it, rethrow', () => {
    const text = `(module ${TYPES} (tag $e (param i32)) (tag $other) (elem declare func $throws)
      (func $throws (throw $e (i32.const 7)))
      (func $go (resume $k (cont.new $k (ref.func $throws))))
      (func $skips (try (do (try (do (resume $k (cont.new $k (ref.func $throws)))) (delegate 1))) (catch_all (drop (i32.const 0)))))
      (func $again (try (do (resume $k (cont.new $k (ref.func $throws)))) (catch $e (drop) (rethrow 0))))
      (func $takes (result i32) (try (result i32) (do (resume $k (cont.new $k (ref.func $throws))) (i32.const 0)) (catch $e)))
      (func (export "go") (result i32) (try (result i32) (do (call $go) (i32.const 0)) (catch $other (i32.const 1)) (catch $e)))
      (func (export "skips") (result i32) (try (result i32) (do (call $skips) (i32.const 0)) (catch $e (i32.const 100) (i32.add))))
      (func (export "again") (result i32) (try (result i32) (do (call $again) (i32.const 0)) (catch $e (i32.const 200) (i32.add))))
      (func (export "takes") (result i32) (try (result i32) (do (i32.add (call $takes) (i32.const 300))) (catch $e))))`;
    expect(['go', 'skips', 'again', 'takes'].map((name) => both(text, name))).toEqual([7, 107, 207, 307]);
  });

  test('recursion through inlined functions goes as deep as the stack', () => {
    const text = `(module ${TYPES} (elem declare func $nop) (func $nop)
      (func $sum (param i32) (result i32)
        (resume $k (cont.new $k (ref.func $nop)))
        (if (result i32) (local.get 0) (then (i32.add (local.get 0) (call $sum (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
      (func (export "run") (param i32) (result i32) (call $sum (local.get 0))))`;
    expect(both(text, 'run', 500)).toBe((500 * 501) / 2);
    expect(() => instance(text)['run']?.(-1)).toThrow('call stack exhausted');
  });
});

describe('backtraces name the inlined function and its caller, as without inlining', () => {
  /** The WebAssembly lines of the stack of what a call throws; the label of a module without a name is different each time. */
  function stack(text: string, inline: boolean, name: string, env: Record<string, unknown> = {}): string[] {
    try {
      instance(text, inline, env)[name]?.();
    } catch (error) {
      return (error as Error).stack?.split('\n').filter((line) => line.includes('wasm-function')) ?? [];
    }
    throw new Error('nothing was thrown');
  }

  const same = (text: string, names: readonly string[], env: Record<string, unknown> = { js: () => undefined }): void => {
    const lines = stack(text, true, 'run', env);
    expect(lines).toEqual(stack(text, false, 'run', env));
    expect(lines.map((line) => /at (\S+) \(/.exec(line)?.[1])).toEqual(names);
  };

  const MODULE = `(module $m ${TYPES} (import "env" "js" (func $js)) (elem declare func $body $nop) (func $nop)
    (func $trap (param i32) (resume $k (cont.new $k (ref.func $nop))) (drop (i32.div_u (i32.const 1) (local.get 0))))
    (func $outer (param i32) (call $trap (i32.const 3)) (suspend $yield (call $twice (i32.const 1))) (call $trap (local.get 0)))
    (func $twice (param i32) (result i32) (call $trap (local.get 0)) (call $trap (local.get 0)) (local.get 0))
    (func $calls (suspend $yield (i32.const 1)) (call $js))
    (func $body`;

  test('a trap in the callee', () => {
    same(`${MODULE}) (func $main (export "run") (nop) (call $trap (i32.const 1)) (call $trap (i32.const 0))))`, ['trap', 'main']);
  });

  test('a trap of a library call', () => {
    same(`${MODULE}) (func $lost (suspend $yield (i32.const 1))) (func $main (export "run") (call $lost)))`, ['lost', 'main']);
  });

  test('two bodies deep, on a continuation', () => {
    const text = `${MODULE} (call $outer (i32.const 0)))
      (func $main (export "run") (local $k (ref null $k))
        (block $on (result i32 (ref $k)) (resume $k (on $yield $on) (cont.new $k (ref.func $body))) (unreachable))
        (local.set $k) (drop) (call $again (local.get $k)))
      (func $again (param (ref null $k)) (nop) (resume $k (local.get 0))))`;
    same(text, ['trap', 'outer', 'body', 'again', 'main']);
  });

  test('an import that the callee calls, and the place behind its call', () => {
    const inner = new Heddle.Instance(new Heddle.Module(parseWat('(module $n (func $deep (export "deep") unreachable))')))
      .exports as Functions;
    const text = `${MODULE} (call $calls))
      (func $main (export "run") (local $k (ref null $k))
        (block $on (result i32 (ref $k)) (resume $k (on $yield $on) (cont.new $k (ref.func $body))) (unreachable))
        (local.set $k) (drop) (resume $k (local.get $k))))`;
    same(text, ['deep', 'calls', 'body', 'main'], { js: inner['deep'] });
  });

  test('places in the caller before and behind an inlined call are its own', () => {
    const at = (n: number): string => `${MODULE}) (func $main (export "run") (local i32)
      ${n === 0 ? '(unreachable)' : ''} (call $trap (i32.const 1)) ${n === 1 ? '(unreachable)' : ''} (call $trap (i32.const 1))
      (drop (i32.div_u (i32.const 1) (local.get 0)))))`;
    for (const n of [0, 1, 2]) same(at(n), ['main']);
  });

  test('offsets are those of the instructions', () => {
    const text =
      '(module (type $f (func)) (type $k (cont $f)) (func $a nop (resume $k (ref.null $k))) (func $b (export "run") nop nop (call $a)))';
    const offsets = stack(text, true, 'run').map((line) => Number(/:(0x[0-9a-f]+)\)/.exec(line)?.[1]));
    const code = parseWat(text);
    // resume and call.
    expect(offsets.map((offset) => code[offset])).toEqual([0xe3, 0x10]);
  });
});
