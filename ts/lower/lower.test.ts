/**
 * Every construct is lowered with the checks of debug mode and compiled with Cranelift's verifier, for both instruction sets. That it computes the
 * right thing is tested where code runs.
 */
import { describe, expect, test } from 'vitest';
import { TRAP } from '../generated/abi.js';
import { UnsupportedOperator, unsupportedOperator } from './lower.js';
import { OP } from './program/stream.js';
import { compileAll, lowerText, trapCodes } from './support.test-helper.js';

const OPTIONS = [{}, { checked: true }, { interruptible: false }];

/** Lowers and compiles a module with all options. */
function accepts(text: string): void {
  for (const options of OPTIONS) {
    for (const size of compileAll(lowerText(text, options))) expect(size).toBeGreaterThan(0);
  }
}

const repeat = (count: number, text: string | ((i: number) => string)): string =>
  Array.from({ length: count }, (_, i) => (typeof text === 'string' ? text : text(i))).join(' ');

describe('control', () => {
  test.each([
    ['an empty function', '(func)'],
    ['a function that only traps', '(func (result i32) unreachable)'],
    ['blocks whose results fall through', '(func (result i32) (block (result i32) (block (result i32) (i32.const 1))))'],
    ['a branch out of two blocks', '(func (param i32) (block (block (br_if 1 (local.get 0))) (local.set 0 (i32.const 2))))'],
    ['branches to the function', '(func (param i32) (result i32) (br_if 0 (i32.const 1) (local.get 0)) (br 0 (i32.const 2)))'],
    ['operators behind a dead block', '(func (param i32) (result i32) (block (result i32) (br 1 (local.get 0))) (i32.add (local.get 0)))'],
    ['operators behind a dead loop', '(func (param i32) (result i32) (loop (br 0)) (local.get 0))'],
    [
      'a loop with params',
      '(func (param i32) (result i32) (local.get 0) (loop (param i32) (result i32) (br_if 0 (i32.const 4) (i32.eqz (local.tee 0)))))',
    ],
    [
      'if and else with params',
      '(func (param i32 i64) (result i64) (local.get 1) (if (param i64) (result i64) (local.get 0) (then (i64.const 1) (i64.add)) (else (drop) (i64.const 2))))',
    ],
    [
      'if without else, with params',
      '(func (param i32 i64) (result i64) (local.get 1) (if (param i64) (result i64) (local.get 0) (then (i64.const 1) (i64.add))))',
    ],
    [
      'if whose arms are both dead',
      '(func (param i32) (result i32) (if (result i32) (local.get 0) (then (return (i32.const 1))) (else unreachable)))',
    ],
    ['if without else, whose arm is dead', '(func (param i32) (if (local.get 0) (then (return))))'],
    ['a branch to an if without else', '(func (param i32) (if (local.get 0) (then (br_if 0 (local.get 0)) (nop))))'],
    [
      'a table with values',
      '(func (param i32) (result i32) (block (result i32) (block (result i32) (br_table 0 1 2 0 (i32.const 7) (local.get 0)))))',
    ],
    ['a table with one target', '(func (param i32) (br_table 0 (local.get 0)))'],
    [
      'comparisons as values',
      '(func (param i32 i32) (result i32) (i32.add (i32.eqz (i32.lt_s (local.get 0) (local.get 1))) (i32.lt_u (local.get 0) (local.get 1))))',
    ],
    [
      'comparisons as conditions',
      '(func (param i32 i64) (result i64) (if (result i64) (i64.eqz (local.get 1)) (then (select (local.get 1) (i64.const 3) (i32.ge_s (local.get 0) (i32.const 2)))) (else (i64.const 0))))',
    ],
    [
      'comparisons through a block',
      '(func (param i32) (result i32) (block (result i32) (br_if 0 (i32.eqz (local.get 0)) (i32.eqz (local.get 0))) (drop) (i32.gt_s (local.get 0) (i32.const 3))))',
    ],
    [
      'comparisons as arguments of branches',
      '(func (param f32) (result i32) (block (result i32) (br 0 (f32.eq (local.get 0) (local.get 0)))))',
    ],
  ])('%s', (_, text) => accepts(`(module ${text})`));

  test('a block with 1,000 params and results', () => {
    const types = repeat(1000, 'i64');
    accepts(
      `(module (func (result ${types}) ${repeat(1000, '(i64.const 1)')} (block (param ${types}) (result ${types}) (loop (param ${types}) (result ${types}) (br 1)))))`,
    );
  });

  test('a branch table with 2,000 targets', () => {
    accepts(
      `(module (func (param i32) ${repeat(50, '(block')} (br_table ${repeat(2000, (i) => String(i % 50))} (local.get 0)) ${repeat(50, ')')}))`,
    );
  });

  test('300 nested blocks, loops and ifs', () => {
    accepts(
      `(module (func (param i32) ${repeat(100, '(block (loop (if (local.get 0) (then (br_if 2 (local.get 0))')} ${repeat(100, '))))')}))`,
    );
  });

  test('branches on null', () => {
    accepts(`(module (type $f (func (result i32)))
      (func (param (ref null $f)) (result i32)
        (block $null (result i32) (i32.const 1) (local.get 0) (br_on_null $null) (call_ref $f) (i32.add)))
      (func (param (ref null $f)) (result (ref null $f))
        (block $set (result (ref $f)) (br_on_non_null $set (local.get 0)) (return (ref.null $f)))))`);
  });
});

describe('numbers and variables', () => {
  const integer =
    'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u extend8_s extend16_s'.split(
      ' ',
    );
  const float = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign eq ne lt gt le ge'.split(' ');
  const one = new Set('clz ctz popcnt eqz extend8_s extend16_s extend32_s abs neg ceil floor trunc nearest sqrt'.split(' '));
  const comparison = (name: string): boolean => /^(eqz|eq|ne|[lg][te](_[su])?)$/.test(name);
  const operators = [
    ...['i32', 'i64'].flatMap((type) => integer.map((name) => [type, name] as const)),
    ['i64', 'extend32_s'] as const,
    ...['f32', 'f64'].flatMap((type) => float.map((name) => [type, name] as const)),
  ];

  test('arithmetic and comparisons', () => {
    accepts(
      `(module ${operators
        .map(
          ([type, name]) =>
            `(func (param ${type} ${type}) (result ${comparison(name) ? 'i32' : type}) (${type}.${name} (local.get 0) ${one.has(name) ? '' : '(local.get 1)'}))`,
        )
        .join('\n')})`,
    );
  });

  test('conversions', () => {
    const conversions = [
      'i32.wrap_i64',
      'i64.extend_i32_s',
      'i64.extend_i32_u',
      'f32.demote_f64',
      'f64.promote_f32',
      'i32.reinterpret_f32',
      'i64.reinterpret_f64',
      'f32.reinterpret_i32',
      'f64.reinterpret_i64',
    ];
    for (const to of ['i32', 'i64'])
      for (const from of ['f32', 'f64'])
        for (const sign of ['s', 'u']) {
          conversions.push(`${to}.trunc_${from}_${sign}`, `${to}.trunc_sat_${from}_${sign}`, `${from}.convert_${to}_${sign}`);
        }
    accepts(
      `(module ${conversions
        .map((name) => {
          const [, to, from] = /^(\w+)\.\w+?_(?:sat_)?([if]\d+)/.exec(name) as unknown as [string, string, string];
          return `(func (param ${from}) (result ${to}) (${name} (local.get 0)))`;
        })
        .join('\n')})`,
    );
  });

  test('locals of every type, read before they are written', () => {
    accepts(`(module (func (param i32) (result i32 i64 f32 f64 funcref externref)
      (local i32 i64 f32 f64 v128 funcref externref)
      (if (local.get 0) (then (local.set 1 (i32.const 1)) (local.set 4 (f64.const 2))))
      (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 6) (local.get 7)))`);
  });

  test('10,000 locals', () => {
    accepts(`(module (func (result i64) (local ${repeat(10_000, 'i64')}) (local.get 9999)))`);
  });

  test('globals: mutable or not, defined or imported', () => {
    accepts(`(module (import "" "a" (global i32)) (import "" "b" (global (mut f64)))
      (global i64 (i64.const 1)) (global (mut funcref) (ref.null func)) (global (mut v128) (v128.const i64x2 1 2))
      (func (result i32 f64 i64 funcref) (global.set 1 (f64.const 3)) (global.set 3 (ref.null func))
        (global.set 4 (global.get 4)) (global.get 0) (global.get 1) (global.get 2) (global.get 3)))`);
  });
});

describe('calls', () => {
  test('direct, imported, by reference, through a table', () => {
    accepts(`(module (type $f (func (param i32) (result i64)))
      (import "" "f" (func $imported (type $f))) (table $t 3 funcref) (table $typed 3 (ref null $f)) (table $filled 3 (ref $f) (ref.func $defined))
      (func $defined (type $f) (i64.extend_i32_u (local.get 0)))
      (func (param i32 (ref null $f)) (result i64)
        (i64.add (call $imported (local.get 0)) (call $defined (local.get 0)))
        (i64.add (call_ref $f (local.get 0) (local.get 1)))
        (i64.add (call_indirect $t (type $f) (local.get 0) (local.get 0)))
        (i64.add (call_indirect $typed (type $f) (local.get 0) (local.get 0)))
        (i64.add (call_indirect $filled (type $f) (local.get 0) (local.get 0)))))`);
  });

  test('in the place of the caller', () => {
    accepts(`(module (type $f (func (param i32) (result i64)))
      (import "" "f" (func $imported (type $f))) (table $t 3 funcref)
      (func $defined (type $f) (return_call $defined (local.get 0)))
      (func (type $f) (return_call $imported (local.get 0)))
      (func (param i32 (ref null $f)) (result i64) (return_call_ref $f (local.get 0) (local.get 1)))
      (func (type $f) (return_call_indirect $t (type $f) (local.get 0) (local.get 0))))`);
  });

  test.each([
    ...['i32', 'i64', 'f32', 'f64', 'externref', 'v128'].flatMap((type) => [6, 7, 8, 9].map((count) => [count, type] as const)),
    [1000, 'i64'] as const,
  ])('%i params and results of type %s', (count, type) => {
    const types = repeat(count, type);
    const locals = repeat(count, (i) => `(local.get ${i})`);
    const lowered = lowerText(`(module (type $f (func (param ${types}) (result ${types})))
      (import "" "f" (func $imported (type $f)))
      (func $defined (type $f) ${locals})
      (func (type $f) ${locals} (call $imported) (call $defined))
      (func (type $f) ${locals} (return_call $defined)))`);
    expect(Math.min(...compileAll(lowered))).toBeGreaterThan(0);
  });

  test('a call through a table traps for each reason', () => {
    const lowered = lowerText('(module (type $f (func)) (table 3 funcref) (func (param i32) (call_indirect (type $f) (local.get 0))))');
    for (const codes of trapCodes(lowered, 0)) {
      expect(codes).toEqual(expect.arrayContaining([TRAP.undefinedElement, TRAP.uninitializedElement, TRAP.indirectCallType]));
    }
  });

  test('checks that the types make needless are left out', () => {
    const text =
      '(module (type $f (func)) (table 3 (ref $f) (ref.func 1)) (func (param i32) (call_indirect (type $f) (local.get 0))) (func (type $f)))';
    const lowered = lowerText(text);
    for (const codes of trapCodes(lowered, 0)) {
      expect(codes).toContain(TRAP.undefinedElement);
      expect(codes).not.toContain(TRAP.uninitializedElement);
      expect(codes).not.toContain(TRAP.indirectCallType);
    }
  });
});

describe('memories', () => {
  const LOADS =
    'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u'.split(
      ' ',
    );
  const STORES = 'i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32'.split(' ');

  test.each([
    ['a memory', '(memory 1)', 'i32', ''],
    ['the second memory', '(memory 1) (memory $m 1)', 'i32', '$m '],
    ['an imported memory', '(import "" "m" (memory 1))', 'i32', ''],
    ['a 64-bit memory', '(memory i64 1)', 'i64', ''],
  ])('loads, stores and bulk operators of %s', (_, memory, index, name) => {
    const address = `(${index}.const 8)`;
    const loads = ['', 'offset=5', 'offset=2147483647', 'offset=2147483648', 'offset=4294967295'].flatMap((offset) =>
      LOADS.map((load) => `(drop (${load} ${name}${offset} ${address}))`),
    );
    const stores = STORES.map((store) => `(${store} ${name}offset=9 ${address} (${store.slice(0, 3)}.const 1))`);
    accepts(`(module ${memory} (data $d "abc") (func (result ${index}) ${loads.join(' ')} ${stores.join(' ')}
      (memory.fill ${name}${address} (i32.const 1) ${address}) (memory.copy ${name}${name}${address} ${address} ${address})
      (memory.init ${name}$d ${address} (i32.const 0) (i32.const 3)) (data.drop $d)
      (drop (memory.grow ${name}${address})) (memory.size ${name})))`);
  });

  test('offsets beyond every memory', () => {
    accepts('(module (memory i64 1) (func (result i32) (i32.load offset=18446744073709551615 (i64.const 8))))');
  });

  test('copies between memories of both kinds', () => {
    accepts(`(module (memory $a 1) (memory $b i64 1) (func
      (memory.copy $a $b (i32.const 1) (i64.const 2) (i32.const 3)) (memory.copy $b $a (i64.const 1) (i32.const 2) (i32.const 3))))`);
  });
});

describe('tables and references', () => {
  test.each(['i32', 'i64'])('operators of tables with %s indices', (index) => {
    const wide = index === 'i64' ? 'i64 ' : '';
    accepts(`(module (table $t ${wide}5 funcref) (table $u ${wide}5 funcref) (elem $e func 0)
      (func (param ${index}) (result ${index} funcref)
        (table.set $t (local.get 0) (table.get $u (local.get 0)))
        (table.fill $t (local.get 0) (ref.func 0) (local.get 0))
        (table.copy $t $u (local.get 0) (local.get 0) (local.get 0))
        (table.init $t $e (local.get 0) (i32.const 0) (i32.const 1)) (elem.drop $e)
        (drop (table.grow $t (ref.null func) (local.get 0)))
        (table.size $t) (table.get $t (local.get 0))))`);
  });

  test('references', () => {
    accepts(`(module (import "" "f" (func $imported)) (elem declare func $imported $defined)
      (func $defined (param funcref externref (ref null $t)) (result i32)
        (i32.add (ref.is_null (local.get 0)) (ref.is_null (select (result externref) (local.get 1) (ref.null extern) (i32.const 1))))
        (drop (ref.func $imported)) (drop (ref.func $defined)) (drop (ref.as_non_null (local.get 2))))
      (type $t (func))
      (func (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1))))`);
  });
});

describe('continuations', () => {
  test('made, bound, resumed, suspended', () => {
    accepts(`(module
      (type $f (func (param i32 v128) (result f32))) (type $k (cont $f))
      (type $g (func (param v128) (result f32))) (type $kg (cont $g))
      (type $h (func (result f32))) (type $kh (cont $h))
      (tag $a (param i32)) (tag $b (result v128)) (tag $c (param f64 funcref) (result i32 v128))
      (func (param (ref null $f)) (result (ref $k)) (cont.new $k (local.get 0)))
      (func (param (ref null $k)) (result (ref $kg)) (cont.bind $k $kg (i32.const 1) (local.get 0)))
      (func (param (ref null $k)) (result (ref $k)) (cont.bind $k $k (local.get 0)))
      (func (param (ref null $k) v128) (result (ref $kh)) (cont.bind $k $kh (i32.const 1) (local.get 1) (local.get 0)))
      (func (param (ref null $kh)) (result f32) (resume $kh (local.get 0)))
      (func (param v128) (result i32 v128) (suspend $a (i32.const 2)) (drop (suspend $b)) (suspend $c (f64.const 1) (ref.null func)))
      (func (param (ref null $kh)) (result f32)
        (loop $again (result f32)
          (block $c (result f64 funcref (ref $k))
            (block $b (result (ref $kg))
              (block $a (result i32 (ref $kh))
                (return (resume $kh (on $a $a) (on $b $b) (on $c $c) (local.get 0))))
              (local.set 0) (drop) (br $again))
            (drop) (return (f32.const 1)))
          (drop) (drop) (drop) (br $again))))`);
  });

  test('clauses that branch to the function and to loops, and clauses for switch', () => {
    accepts(`(module (type $f (func)) (type $k (cont $f)) (tag $a) (tag $s)
      (func (param (ref $k)) (result (ref $k)) (resume $k (on $a 0) (on $s switch) (local.get 0)) (local.get 0))
      (func (param (ref $k)) (local.get 0) (loop $l (param (ref $k)) (resume $k (on $a $l)))))`);
  });

  test('payloads of 999 values', () => {
    const types = repeat(999, 'i64');
    const locals = repeat(999, (i) => `(local.get ${i})`);
    accepts(`(module (type $f (func (param ${types}) (result ${types}))) (type $k (cont $f)) (tag $t (param ${types}) (result ${types}))
      (func (param ${types}) (result ${types}) ${locals} (suspend $t))
      (func (param ${types}) (result ${types}) (local $k (ref null $k))
        (block $h (result ${types} (ref $k)) ${locals} (local.get $k) (resume $k (on $t $h)) (return))
        (local.set $k)))`);
  });
});

describe('exceptions', () => {
  test('every clause, around every kind of call', () => {
    accepts(`(module
      (type $f (func (param i32) (result i32))) (type $k (cont $f)) (tag $e (param i32)) (tag $v (param v128 f32)) (tag $s (result i32))
      (import "" "f" (func $imported (type $f))) (table 1 funcref)
      (func $defined (type $f) (throw $e (local.get 0)))
      (func (param i32 (ref null $f) (ref null $k) exnref) (result i32) (local $l i64)
        (block $e (result i32)
          (block $er (result i32 exnref)
            (block $v (result v128 f32)
              (block $all
                (block $allr (result exnref)
                  (try_table (catch $e $e) (catch_ref $e $er) (catch $v $v) (catch_all_ref $allr) (catch_all $all)
                    (local.set $l (i64.const 1))
                    (drop (call $imported (local.get 0)))
                    (local.set $l (i64.const 2))
                    (drop (call $defined (local.get 0)))
                    (drop (call_indirect (type $f) (local.get 0) (i32.const 0)))
                    (drop (call_ref $f (local.get 0) (local.get 1)))
                    (drop (resume $k (local.get 0) (local.get 2)))
                    (drop (resume_throw $k $e (local.get 0) (local.get 2)))
                    (drop (resume_throw_ref $k (local.get 3) (local.get 2)))
                    (drop (suspend $s))
                    (throw_ref (local.get 3)))
                  (unreachable))
                (throw_ref))
              (return (i32.wrap_i64 (local.get $l))))
            (drop) (drop) (return (i32.const 1)))
          (drop))))`);
  });

  test('frames: nested, dead, without calls, with params, to loops and to the function', () => {
    accepts(`(module (tag $e) (tag $i (param i32)) (func $f)
      (func (try_table (catch $e 0) (call $f)))
      (func (try_table (catch $e 0) (try_table (catch_all 1) (call $f)) (call $f)))
      (func (try_table (catch_all 0) (try_table (catch $e 1) (throw $e)) (call $f)))
      (func (param i32) (result i32) (local.get 0) (try_table (param i32) (result i32) (catch $i 0) (nop)))
      (func (param i32) (result i32) (local.get 0)
        (loop $l (param i32) (result i32) (try_table (param i32) (result i32) (catch $i $l) (throw $i))))
      (func (param i32) (result i32) (block (result i32) (try_table (result i32) (catch $i 0) (br 1 (i32.const 2)))))
      (func (try_table (catch_all 0) (return_call $f)))
      (func (param i32) (if (local.get 0) (then (try_table (catch_all 0) (call $f)) (call $f)) (else (throw $e))))
      (func (try_table (throw $e))) (func (result i32) (try_table (return (i32.const 1))) (i32.const 2)))`);
  });

  test('999 values', () => {
    const types = repeat(999, 'i64');
    accepts(`(module (tag $e (param ${types})) (func $throw (param ${types}) ${repeat(999, (i) => `(local.get ${i})`)} (throw $e))
      (func (param ${types}) (result ${types})
        (try_table (catch $e 0) ${repeat(999, (i) => `(local.get ${i})`)} (call $throw)) (unreachable)))`);
  });

  test('switch with and without values', () => {
    accepts(`(module (rec (type $f (func (param i32 v128 (ref null $k)) (result f32))) (type $k (cont $f)))
      (rec (type $g (func (param (ref null $j)))) (type $j (cont $g))) (tag $t (result f32)) (tag $u)
      (func (param (ref null $k) v128) (result i32 v128 (ref null $k)) (switch $k $t (i32.const 1) (local.get 1) (local.get 0)))
      (func (param (ref null $j)) (result (ref null $j)) (switch $j $u (local.get 0))))`);
  });
});

test('tests, casts and branches on them, of final types and others', () => {
  accepts(`(module (type $a (sub (func))) (type $b (sub final $a (func)))
    (func (param funcref) (result i32 i32 i32 i32)
      (ref.test (ref $a) (local.get 0)) (ref.test (ref null $b) (local.get 0)) (ref.test (ref func) (local.get 0)) (ref.test (ref null nofunc) (local.get 0)))
    (func (param funcref i32) (result (ref $b)) (local.set 1 (i32.const 1)) (drop (ref.cast (ref null $a) (local.get 0))) (ref.cast (ref $b) (local.get 0)))
    (func (param i64 funcref) (result i64 funcref) (br_on_cast 0 funcref (ref $a) (local.get 0) (local.get 1)))
    (func (param i64 funcref) (result i64 funcref) (br_on_cast_fail 0 funcref (ref null $b) (local.get 0) (local.get 1)))
    (func (param externref exnref) (result i32 i32) (ref.test (ref extern) (local.get 0)) (ref.test (ref null noexn) (local.get 1))))`);
});

test('an operator that is not known is named with its place', () => {
  // No valid module has one: behind 0xfb there are 31.
  const unknown = 0xfb01f;
  const found = unsupportedOperator(Uint32Array.of(0, OP.nop, 7, unknown, 8, OP.end, 10));
  expect(found).toBeInstanceOf(UnsupportedOperator);
  expect(found).toMatchObject({ opcode: unknown, offset: 8 });
});
