import { describe, expect, test } from 'vitest';
import { call, statistics } from '../../ts/index.js';
import { exported, heddle, outcome, run } from './oracle.js';

const passed = expect.objectContaining({
  name: 'RuntimeError',
  code: 'HEDDLE_TRAP_DEADLINE',
  message: expect.stringMatching(/^the deadline of the call has passed/),
});

/** Programs that never end, by what they do. Each also exports `fine`. */
const ENDLESS: Readonly<Record<string, string>> = {
  'a loop': '(func (export "f") (loop $l (br $l)))',
  'nested loops': '(func (export "f") (loop $a (loop $b (br_if $b (i32.const 0))) (br $a)))',
  'a loop that works on memory':
    '(memory 1) (func (export "f") (loop $l (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))) (br $l)))',
  'a loop that calls': '(func $g) (func (export "f") (loop $l (call $g) (br $l)))',
  'a loop that calls an import': '(import "m" "x" (func $x)) (func (export "f") (loop $l (call $x) (br $l)))',
  'recursion as deep as a tree': `(func $tree (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else
        (i32.add (call $tree (i32.sub (local.get 0) (i32.const 1))) (call $tree (i32.sub (local.get 0) (i32.const 1)))))))
    (func (export "f") (drop (call $tree (i32.const 60))))`,
  'tail calls': '(func $a (export "f") (return_call $b)) (func $b (return_call $a))',
  'a loop in a continuation': `(type $f (func)) (type $k (cont $f)) (func $body (loop $l (br $l))) (elem declare func $body)
    (func (export "f") (resume $k (cont.new $k (ref.func $body))))`,
  'a continuation that is resumed for ever': `(type $f (func)) (type $k (cont $f)) (tag $t)
    (func $body (loop $l (suspend $t) (br $l))) (elem declare func $body)
    (func (export "f") (local $c (ref null $k)) (local.set $c (cont.new $k (ref.func $body)))
      (loop $l (block $on (result (ref $k)) (resume $k (on $t $on) (local.get $c)) (return)) (local.set $c) (br $l)))`,
  'continuations that are made for ever': `(type $f (func)) (type $k (cont $f)) (func $body) (elem declare func $body)
    (func (export "f") (loop $l (resume $k (cont.new $k (ref.func $body))) (br $l)))`,
  'a loop in the tenth nested continuation': `(type $f (func (param i32))) (type $k (cont $f)) (elem declare func $down)
    (func $down (param i32) (if (i32.eqz (local.get 0)) (then (loop $l (br $l)))
      (else (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $down))))))
    (func (export "f") (call $down (i32.const 10)))`,
};

/** Code without a loop, whose library calls take long one by one, or by their number; and how often they stand there. */
const STRAIGHT: Readonly<Record<string, readonly [fields: string, code: string, count: number]>> = {
  'memory.fill': ['(memory 1024)', '(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x4000000))', 3000],
  'memory.copy, forwards': ['(memory 1024)', '(memory.copy (i32.const 0) (i32.const 1) (i32.const 0x3ffffff))', 3000],
  'memory.copy, backwards': ['(memory 1024)', '(memory.copy (i32.const 1) (i32.const 0) (i32.const 0x3ffffff))', 3000],
  'memory.init': [
    `(memory 1024) (data $d "${'x'.repeat(1 << 20)}")`,
    '(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0x100000))',
    20_000,
  ],
  'small memory.fill': ['(memory 16)', '(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x80000))', 20_000],
  'table.fill': ['(table 10000000 funcref)', '(table.fill (i32.const 0) (ref.null func) (i32.const 10000000))', 1000],
  'table.copy': ['(table 10000000 funcref)', '(table.copy (i32.const 0) (i32.const 1) (i32.const 9999999))', 1000],
  'memory.atomic.wait32': ['(memory 1 1 shared)', '(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 2000000)))', 5000],
  'an import': ['(import "m" "busy" (func $busy))', '(call $busy)', 5000],
  'an import that takes a reference': ['(import "m" "busy" (func $busy (param externref)))', '(call $busy (ref.null extern))', 5000],
};

const FINE = '(func (export "fine") (result i32) (i32.const 42))';
/** Takes about a millisecond. */
function busy(): void {
  for (const end = performance.now() + 1; performance.now() < end; );
}
const imports = { m: { x: () => undefined, busy } };

describe.each(Object.entries(ENDLESS))('%s', (_name, fields) => {
  const text = `(module ${fields} ${FINE})`;

  test('traps when its deadline has passed, each time', () => {
    const e = run(heddle, text, imports);
    const before = statistics();
    for (let i = 0; i < 3; i++) {
      expect(() => call(exportOf(e, 'f'), [], { deadline: 20 })).toThrow(passed);
      expect(e['fine']?.()).toBe(42);
      expect(call(exportOf(e, 'fine'), [], { deadline: 1000 })).toBe(42);
    }
    const after = statistics();
    // A suspended continuation that only a frame of the trapped call held is not collected: one each time, then.
    const kept = fields.includes('suspend') ? 3 : 0;
    expect(after.continuationsLive - before.continuationsLive).toBeLessThanOrEqual(kept);
    expect(after.stacksLive - before.stacksLive).toBeLessThanOrEqual(kept);
  });
});

function exportOf(exports: ReturnType<typeof run>, name: string): (...args: unknown[]) => unknown {
  const found = exports[name];
  if (found === undefined) throw new Error(`no export ${name}`);
  return found;
}

describe('nested calls', () => {
  const text = `(module (import "m" "x" (func $x (result i32))) (func (export "spin") (loop $l (br $l)))
    (func (export "outer") (result i32) (call $x)) (func (export "outer_spin") (drop (call $x)) (loop $l (br $l)))
    (func (export "short") (result i32) (i32.const 3)))`;

  test('the deadline of the outer call holds for the inner one', () => {
    const e = run(heddle, text, { m: { x: () => e['spin']?.() } });
    expect(() => call(exportOf(e, 'outer'), [], { deadline: 20 })).toThrow(passed);
    expect(() => call(exportOf(e, 'outer'), [], { deadline: 20 })).toThrow(passed);
  });

  test('the deadline of the inner call is its own', () => {
    const e = run(heddle, text, {
      m: { x: () => (outcome(() => call(exportOf(e, 'spin'), [], { deadline: 20 })) === 'threw RuntimeError' ? 7 : 0) },
    });
    expect(e['outer']?.()).toBe(7);
    expect(call(exportOf(e, 'outer'), [], { deadline: 60_000 })).toBe(7);
  });

  test('a longer deadline inside a shorter one does not lengthen it', () => {
    const e = run(heddle, text, { m: { x: () => call(exportOf(e, 'spin'), [], { deadline: 600_000 }) } });
    expect(() => call(exportOf(e, 'outer'), [], { deadline: 20 })).toThrow(passed);
  });

  test('the outer deadline holds again after an inner one', () => {
    const e = run(heddle, text, { m: { x: () => call(exportOf(e, 'short'), [], { deadline: 10 }) } });
    expect(() => call(exportOf(e, 'outer_spin'), [], { deadline: 40 })).toThrow(passed);
  });

  test('JavaScript that calls short functions for ever', () => {
    const e = run(heddle, text, {
      m: {
        x: () => {
          for (;;) e['short']?.();
        },
      },
    });
    expect(() => call(exportOf(e, 'outer'), [], { deadline: 20 })).toThrow(passed);
  });
});

describe('the options of a call', () => {
  const f = exported(heddle, `(module (func (export "f") (param i32 i64) (result i32) (local.get 0)))`, 'f');

  test.each([undefined, {}, { deadline: 0 }, { deadline: 1e9 }, { deadline: Number.POSITIVE_INFINITY }, { deadline: 5_000 }])(
    '%o',
    (options) => {
      expect(call(f, [5, 1n], options)).toBe(5);
    },
  );

  test('without arguments', () => {
    const none = exported(heddle, '(module (func (export "f") (result i64) (i64.const 9)))', 'f');
    expect(call(none)).toBe(9n);
  });

  test('the function must be an export of ours', () => {
    expect(() => call(() => 1, [])).toThrow(expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' }));
  });

  test('a module without interrupts still runs', () => {
    const module = new heddle.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), { interruptible: false });
    expect(new heddle.Instance(module).exports).toEqual({});
  });
});

// Each would take seconds without a look at the deadline between two, or inside one.
describe.each(Object.entries(STRAIGHT))('code without a loop: %s', (_name, [fields, code, count]) => {
  test('traps when its deadline has passed, each time', () => {
    const e = run(heddle, `(module ${fields} (func (export "f") ${code.repeat(count)}) ${FINE})`, imports);
    for (let i = 0; i < 3; i++) {
      expect(() => call(exportOf(e, 'f'), [], { deadline: 20 })).toThrow(passed);
      expect(e['fine']?.()).toBe(42);
    }
  });
});

test('a deadline that is no number of milliseconds is a TypeError that names it', () => {
  const f = exportOf(run(heddle, `(module ${FINE})`), 'fine');
  for (const deadline of ['100', Number.NaN, -1, {}, 10n, null, true, Symbol('x'), [5]] as unknown as readonly number[]) {
    expect(() => call(f, [], { deadline })).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT', message: expect.stringContaining('deadline') }),
    );
  }
  for (const deadline of [undefined, 0, 0.5e6, Number.POSITIVE_INFINITY, Number.MAX_VALUE])
    expect(call(f, [], deadline === undefined ? {} : { deadline })).toBe(42);
});
