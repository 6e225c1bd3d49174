/**
 * What no handler sees: traps, also those that passed through JavaScript, the end of a call's time, and termination (tests/interrupts has that of workers).
 */
import { describe, expect, test } from 'vitest';
import { call, WebAssembly as Heddle, parseWat } from '../../ts/index.js';
import { TRAP_KINDS } from '../traps/kinds.js';
import { instance, thrown } from './module.js';

/** Runs $trap under every form of handler; each returns 1 where a handler ran. */
const HANDLERS = `(type $hf (func)) (type $hk (cont $hf)) (tag $mine) (elem declare func $trap $guarded $all)
  (func $all (result i32) (block $h (try_table (catch_all $h) (call $trap)) (return (i32.const 0))) (i32.const 1))
  (func $guarded (drop (call $all)))
  (func (export "all") (result i32) (call $all))
  (func (export "all_ref") (result i32) (block $h (result exnref) (try_table (catch_all_ref $h) (call $trap)) (return (i32.const 0))) (drop) (i32.const 1))
  (func (export "tags") (result i32)
    (drop (block $j (result externref) (block $m (try_table (catch $mine $m) (catch $js $j) (call $trap)) (return (i32.const 0))) (return (i32.const 1))))
    (i32.const 1))
  (func (export "fiber") (result i32) (block $h (try_table (catch_all $h) (resume $hk (cont.new $hk (ref.func $trap)))) (return (i32.const 0))) (i32.const 1))
  (func (export "inside") (result i32) (block $h (try_table (catch_all $h) (resume $hk (cont.new $hk (ref.func $guarded)))) (return (i32.const 0))) (i32.const 1))
  (func (export "javascript") (result i32) (block $h (try_table (catch_all $h) (call $through)) (return (i32.const 0))) (i32.const 1))`;
const IMPORTS = '(import "env" "through" (func $through)) (import "m" "x" (func $x)) (import "env" "js" (tag $js (param externref)))';
const FORMS = ['all', 'all_ref', 'tags', 'fiber', 'inside', 'javascript'];

const module = (fields: string, body: string): string => `(module ${IMPORTS} ${HANDLERS} ${fields} (func $trap (export "trap") ${body}))`;

test.each(TRAP_KINDS.map((kind) => [kind.name, kind] as const))('%s', (_, kind) => {
  const e = instance(module(kind.fields ?? '', kind.body), {
    env: { js: Heddle.JSTag, through: () => e['trap']?.() },
    m: { x: () => e['trap']?.() },
  });
  for (const form of FORMS) expect([form, thrown(() => e[form]?.())]).toMatchObject([form, { code: `HEDDLE_TRAP_${kind.code}` }]);
});

describe('through JavaScript', () => {
  const throws = (make: (error: unknown) => unknown): (() => unknown) => {
    const e = instance(module('', 'unreachable'), {
      env: {
        js: Heddle.JSTag,
        through: () => {
          try {
            e['trap']?.();
          } catch (error) {
            throw make(error);
          }
        },
      },
      m: { x: () => undefined },
    });
    return () => e['javascript']?.();
  };

  test('a trap’s error stays uncatchable where it is caught and thrown again', () => {
    expect(thrown(throws((error) => error))).toMatchObject({ code: 'HEDDLE_TRAP_UNREACHABLE' });
  });

  test('an error that only looks like one, or has one as its cause, is caught', () => {
    expect(throws((error) => new Error('wrapped', { cause: error }))()).toBe(1);
    expect(throws(() => new WebAssembly.RuntimeError('unreachable'))()).toBe(1);
    expect(throws((error) => Object.assign(Object.create(error as object), {}))()).toBe(1);
  });
});

describe('the end of a call’s time', () => {
  test.each(FORMS)('in a loop that handlers stand around: %s', (form) => {
    const e = instance(module('', '(loop $l (br $l))'), {
      env: { js: Heddle.JSTag, through: () => e['trap']?.() },
      m: { x: () => undefined },
    });
    expect(thrown(() => call(e[form] as () => unknown, [], { deadline: 20 }))).toMatchObject({ code: 'HEDDLE_TRAP_DEADLINE' });
  });
});

/** What imports throw, and whether V8's handlers see it is V8's matter: V8 of this Node runs the same module. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  'an overflow of the stack': () => {
    const deep = (): number => 1 + deep();
    return deep();
  },
  'an error that says it is one': () => {
    throw new RangeError('Maximum call stack size exceeded');
  },
  'a RangeError': () => new Array(-1),
  'a trap of V8’s own WebAssembly': () => (new WebAssembly.Instance(new WebAssembly.Module(trapping)).exports['f'] as () => unknown)(),
  'an overflow in V8’s own WebAssembly': () =>
    (new WebAssembly.Instance(new WebAssembly.Module(recursing)).exports['f'] as () => unknown)(),
  'a RuntimeError that a program made': () => {
    throw new WebAssembly.RuntimeError('made');
  },
  'an Error': () => {
    throw new Error('made');
  },
  undefined: () => {
    throw undefined;
  },
};
const trapping = new Uint8Array(parseWat('(module (func (export "f") (unreachable)))'));
const recursing = new Uint8Array(parseWat('(module (func $f (export "f") (call $f)))'));
const catching = parseWat(`(module (import "m" "f" (func $f))
  (func (export "catches") (result i32) (try (result i32) (do (call $f) (i32.const 0)) (catch_all (i32.const 1)))))`);

/** What the export gives, or the message of what it throws. */
function outcomeOf(catches: unknown): unknown {
  try {
    return (catches as () => number)();
  } catch (error) {
    return (error as Error).message;
  }
}

test.each(Object.entries(THROWN))('%s, thrown by an import, is caught where V8 catches it', (_name, f) => {
  const [theirs, ours] = [WebAssembly, Heddle as unknown as typeof WebAssembly].map((api) =>
    outcomeOf(new api.Instance(new api.Module(new Uint8Array(catching)), { m: { f } }).exports['catches']),
  );
  expect(ours).toBe(theirs);
  // The form without legacy instructions does the same.
  const { catches } = instance(
    `(module (import "m" "f" (func $f))
      (func (export "catches") (result i32) (block $h (try_table (catch_all $h) (call $f)) (return (i32.const 0))) (i32.const 1)))`,
    { m: { f } },
  );
  expect(outcomeOf(catches)).toBe(theirs);
});
