/** Every kind of trap: how it comes about, and what the specification's scripts expect it to say. */

/** One way to trap. */
export interface TrapKind {
  readonly name: string;
  /** Fields that the trapping function needs. */
  readonly fields?: string;
  /** Body of a function without parameters and results. */
  readonly body: string;
  /** How the message begins: the text of the specification's scripts, or ours where it has none. */
  readonly message: string;
  /** The error's code, without HEDDLE_TRAP_. */
  readonly code: string;
  /** Whether V8 runs it, too. */
  readonly v8: boolean;
}

const CONT = '(type $f0 (func)) (type $k0 (cont $f0)) (func $nothing) (elem declare func $nothing)';
const TABLE =
  '(type $none (func)) (type $other (func (param i32))) (table $t 3 4 funcref) (func $o (type $other)) (elem (table $t) (i32.const 0) func $o)';

const kind = (name: string, body: string, message: string, code: string, fields = '', v8 = true): TrapKind => ({
  name,
  body,
  message,
  code,
  fields,
  v8,
});

const divisions = ['i32', 'i64'].flatMap((type) => [
  ...['div_s', 'div_u', 'rem_s', 'rem_u'].map((op) =>
    kind(
      `${type}.${op} by zero`,
      `(drop (${type}.${op} (${type}.const 7) (global.get $zero)))`,
      'integer divide by zero',
      'DIVISION_BY_ZERO',
      `(global $zero (mut ${type}) (${type}.const 0))`,
    ),
  ),
  kind(
    `${type}.div_s overflows`,
    `(drop (${type}.div_s (global.get $least) (${type}.const -1)))`,
    'integer overflow',
    'INTEGER_OVERFLOW',
    `(global $least (mut ${type}) (${type}.const ${type === 'i32' ? '0x80000000' : '0x8000000000000000'}))`,
  ),
]);

const conversions = ['i32', 'i64'].flatMap((to) =>
  ['f32', 'f64'].flatMap((from) =>
    ['s', 'u'].flatMap((sign) => [
      kind(
        `${to}.trunc_${from}_${sign} of nan`,
        `(drop (${to}.trunc_${from}_${sign} (global.get $x)))`,
        'invalid conversion to integer',
        'BAD_CONVERSION',
        `(global $x (mut ${from}) (${from}.const nan))`,
      ),
      kind(
        `${to}.trunc_${from}_${sign} of 1e30`,
        `(drop (${to}.trunc_${from}_${sign} (global.get $x)))`,
        'integer overflow',
        'INTEGER_OVERFLOW',
        `(global $x (mut ${from}) (${from}.const 1e30))`,
      ),
      kind(
        `${to}.trunc_${from}_${sign} of -1e30`,
        `(drop (${to}.trunc_${from}_${sign} (global.get $x)))`,
        'integer overflow',
        'INTEGER_OVERFLOW',
        `(global $x (mut ${from}) (${from}.const -1e30))`,
      ),
    ]),
  ),
);

const outside = (name: string, body: string, fields: string): TrapKind =>
  kind(name, body, 'out of bounds memory access', 'MEMORY_BOUNDS', `(memory 1 2) ${fields}`);
const beyond = (name: string, body: string): TrapKind => kind(name, body, 'out of bounds table access', 'TABLE_BOUNDS', TABLE);

/** All of them. */
export const TRAP_KINDS: readonly TrapKind[] = [
  kind('unreachable', 'unreachable', 'unreachable', 'UNREACHABLE'),
  ...divisions,
  ...conversions,
  outside('a load', '(drop (i32.load (i32.const 65533)))', ''),
  outside('a store', '(i64.store (i32.const 65529) (i64.const 1))', ''),
  outside('memory.fill', '(memory.fill (i32.const 65536) (i32.const 0) (i32.const 1))', ''),
  outside('memory.copy from', '(memory.copy (i32.const 0) (i32.const 65530) (i32.const 7))', ''),
  outside('memory.copy to', '(memory.copy (i32.const 65530) (i32.const 0) (i32.const 7))', ''),
  outside('memory.init', '(memory.init $d (i32.const 0) (i32.const 2) (i32.const 2))', '(data $d "abc")'),
  outside('memory.init after data.drop', '(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))', '(data $d "abc")'),
  beyond('table.get', '(drop (table.get $t (i32.const 3)))'),
  beyond('table.set', '(table.set $t (i32.const -1) (ref.null func))'),
  beyond('table.fill', '(table.fill $t (i32.const 2) (ref.null func) (i32.const 2))'),
  beyond('table.copy', '(table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 2))'),
  kind(
    'table.init',
    '(table.init $t $e (i32.const 0) (i32.const 1) (i32.const 1))',
    'out of bounds table access',
    'TABLE_BOUNDS',
    `${TABLE} (elem $e func $o)`,
  ),
  kind('call_indirect beyond the end', '(call_indirect $t (type $none) (i32.const 3))', 'undefined element', 'UNDEFINED_ELEMENT', TABLE),
  kind(
    'call_indirect of another type',
    '(call_indirect $t (type $none) (i32.const 0))',
    'indirect call type mismatch',
    'INDIRECT_CALL_TYPE',
    TABLE,
  ),
  kind('call_indirect of null', '(call_indirect $t (type $none) (i32.const 1))', 'uninitialized element', 'UNINITIALIZED_ELEMENT', TABLE),
  kind('call_ref of null', '(call_ref $n (ref.null $n))', 'null function reference', 'NULL_FUNCTION', '(type $n (func))', false),
  kind('ref.as_non_null of null', '(drop (ref.as_non_null (ref.null func)))', 'null reference', 'NULL_REFERENCE', '', false),
  kind('cont.new of null', '(drop (cont.new $k0 (ref.null $f0)))', 'null function reference', 'NULL_FUNCTION', CONT, false),
  kind('resume of null', '(resume $k0 (ref.null $k0))', 'null continuation reference', 'NULL_CONTINUATION', CONT, false),
  kind('cont.bind of null', '(drop (cont.bind $k0 $k0 (ref.null $k0)))', 'null continuation reference', 'NULL_CONTINUATION', CONT, false),
  kind(
    'resume of a used continuation',
    '(global.set $c (cont.new $k0 (ref.func $nothing))) (resume $k0 (global.get $c)) (resume $k0 (global.get $c))',
    'continuation already consumed',
    'CONTINUATION_CONSUMED',
    `${CONT} (global $c (mut (ref null $k0)) (ref.null $k0))`,
    false,
  ),
  kind(
    'cont.bind of a used continuation',
    '(global.set $c (cont.new $k0 (ref.func $nothing))) (resume $k0 (global.get $c)) (drop (cont.bind $k0 $k0 (global.get $c)))',
    'continuation already consumed',
    'CONTINUATION_CONSUMED',
    `${CONT} (global $c (mut (ref null $k0)) (ref.null $k0))`,
    false,
  ),
  kind('suspend that nobody handles', '(suspend $lonely)', 'unhandled tag', 'UNHANDLED_TAG', '(tag $lonely)', false),
];

/** A function that traps as asked, called in several places; `fine` shows that the instance goes on. */
export function trapModule({ fields, body }: TrapKind, continuations: boolean): string {
  const switching = `
    (type $void (func)) (type $vk (cont $void)) (type $fi (func (param i32))) (type $ki (cont $fi)) (tag $pause)
    (elem declare func $trap $down $later)
    (func (export "continuation") (resume $vk (cont.new $vk (ref.func $trap))))
    (func $down (export "nested") (param i32)
      (if (i32.eqz (local.get 0)) (then (call $trap))
        (else (resume $ki (i32.sub (local.get 0) (i32.const 1)) (cont.new $ki (ref.func $down))))))
    (func $later (suspend $pause) (call $trap))
    (func (export "resumed") (block $on (result (ref $vk)) (resume $vk (on $pause $on) (cont.new $vk (ref.func $later))) (return))
      (resume $vk))`;
  return `(module (import "m" "x" (func $x)) ${fields ?? ''}
    (func $trap (export "trap") ${body})
    (func (export "called") (call $trap))
    (func (export "through_javascript") (call $x))
    (func (export "fine") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    ${continuations ? switching : ''})`;
}
