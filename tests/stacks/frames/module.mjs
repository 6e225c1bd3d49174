// A module for one function type that calls a function of it in every way there is. Each way stores the params that
// arrived and the results that came back.
import { argumentTexts, REFERENCES, resultTexts, TYPES } from './shapes.mjs';

/** Slots of 16 bytes in memory, and of the tables of references: params from 0, results from here. */
export const RESULTS = 1000;
/** Where the table of functions has a fiber's. */
const FIBER = 2000;
/** The most params or results that a type may have. */
const MOST = 1000;
/** What the `size` of `run` chooses. */
export const SIZES = [16_384, 65_536, 262_144];

const join = (list) => list.join(' ');

function store(type, slot, value) {
  if (type === 'funcref') return `(table.set $functions (i32.const ${slot}) ${value})`;
  if (type === 'externref') return `(table.set $objects (i32.const ${slot}) ${value})`;
  return `(${type}.store offset=${16 * slot} (i32.const 0) ${value})`;
}

/** Stores operands, the last one first. */
const take = (types) => join(types.map((type, i) => `(local.set $${type}) ${store(type, RESULTS + i, `(local.get $${type})`)}`).reverse());
const LOCALS = join(TYPES.map((type) => `(local $${type} ${type})`));

/**
 * The ways. `name`; `code` leaves the results as operands, or stores them itself where they are `taken`; `imports`,
 * `more`, `locals` are what the way needs besides; `params`, `results`: how many more of them some type of it has; `host`
 * calls JavaScript, which takes no vectors; `waits` may be called only where a call may wait; `usual`: some of it runs on
 * a stack that the way cannot choose, the smallest.
 */
function ways(shape) {
  const { params, results } = shape;
  const P = params.length > 0 ? `(param ${join(params)})` : '';
  const R = results.length > 0 ? `(result ${join(results)})` : '';
  const args = argumentTexts(shape);
  const all = join(args);
  const half = args.length >> 1;
  const locals = join(params.map((_, i) => `(local.get ${i})`));
  const made = '(call $make (ref.func $f))';
  return [
    { name: 'direct', code: `${all} (call $f)` },
    { name: 'indirect', code: `${all} (i32.const 0) (call_indirect $calls (type $F))` },
    { name: 'reference', code: `${all} (ref.func $f) (call_ref $F)` },
    { name: 'return_call', code: '(call $rc)', more: `(func $rc ${R} ${all} (return_call $f))` },
    {
      name: 'return_call_indirect',
      code: '(call $rci)',
      more: `(func $rci ${R} ${all} (i32.const 0) (return_call_indirect $calls (type $F)))`,
    },
    { name: 'return_call_ref', code: '(call $rcr)', more: `(func $rcr ${R} ${all} (ref.func $f) (return_call_ref $F))` },
    {
      name: 'return_call with fewer params',
      code: `${all} (call $down)`,
      more: `(func $down (type $F) (return_call $up)) (func $up ${R} ${all} (return_call $f))`,
    },
    { name: 'import', code: `${all} (call $host)`, host: true },
    { name: 'return_call of an import', code: '(call $rch)', more: `(func $rch ${R} ${all} (return_call $host))`, host: true },
    { name: 'import that waits', code: `${all} (call $waits)`, host: true, waits: true },
    { name: 'start of a continuation', code: `${all} ${made} (resume $C)` },
    { name: 'start with an import', code: `${all} (call $make (ref.func $host)) (resume $C)`, host: true },
    { name: 'start with an import that waits', code: `${all} (call $make (ref.func $waits)) (resume $C)`, host: true, waits: true },
    {
      name: 'cont.bind',
      code: `${join(args.slice(half))} ${join(args.slice(0, half))} ${made} (cont.bind $C $BOUND) (resume $BOUND)`,
      more: `(type $bound (func ${P && `(param ${join(params.slice(half))})`} ${R})) (type $BOUND (cont $bound))`,
    },
    { name: 'suspend', code: `${all} (suspend $T)`, results: 0, params: 1 },
    { name: 'suspend, inlined', code: `${all} (call $small)`, more: `(func $small (type $F) ${locals} (suspend $T))`, params: 1 },
    {
      name: 'switch',
      code: `${all} (cont.new $THERE (ref.func $target)) (switch $THERE $S) (local.set $rest) ${take(results)} (resume $REST (local.get $rest))`,
      taken: true,
      locals: '(local $rest (ref null $REST))',
      more: `(type $rest (func)) (type $REST (cont $rest))
        (type $back (func ${`(param ${join(results)} (ref null $REST))`})) (type $BACK (cont $back))
        (type $there (func (param ${join(params)} (ref null $BACK)))) (type $THERE (cont $there))
        (func $target (type $there) ${locals} (call $f) (switch $BACK $S (local.get ${params.length})))
        (elem declare func $target)`,
      params: 1,
      results: 1,
      usual: true,
    },
    {
      name: 'throw',
      code: `(block $h (result ${join(params)}) (try_table (catch $E $h) ${all} (call $throws)) (unreachable)) (call $f)`,
      more: `(func $throws ${P} ${locals} (throw $E))`,
    },
    {
      name: 'call in try_table',
      code: `(block $h (try_table ${R} (catch_all $h) ${all} (call $f)) ${take(results)} (return)) (unreachable)`,
      taken: true,
    },
    {
      name: 'call_ref in try_table',
      code: `(block $h (try_table ${R} (catch_all $h) ${all} (ref.func $f) (call_ref $F)) ${take(results)} (return)) (unreachable)`,
      taken: true,
    },
    {
      name: 'import in try_table',
      code: `(block $h (try_table ${R} (catch $N $h) ${all} (call $host)) ${take(results)} (return)) (unreachable)`,
      taken: true,
      host: true,
    },
    {
      name: 'resume in try_table',
      code: `(block $h (try_table ${R} (catch_all $h) ${all} ${made} (resume $C)) ${take(results)} (return)) (unreachable)`,
      taken: true,
    },
    { name: 'call in try', code: `(try ${R} (do ${all} (call $f)) (catch_all (unreachable)))` },
    {
      name: 'barrier',
      code: `${all} (ref.func $f) (call $barrier)`,
      imports: `(import "heddle" "barrier" (func $barrier (param ${join(params)} (ref null $F)) ${R}))`,
      params: 1,
      usual: true,
    },
    ...[
      ['suspend_to', '(call $suspend_to)'],
      ['a call of a tag', '(call_ref $F)'],
    ].map(([name, call], i) => ({
      name,
      code: `(local.set $tag (call $tag)) (local.get $tag) (local.get $tag) (cont.new $NAMED (ref.func $named${i})) (call $resume_named)
        (local.set $left) (call $f) (local.get $left) (resume $LEFT) (drop)`,
      taken: true,
      locals: '(local $tag (ref null $F)) (local $left (ref null $LEFT))',
      imports:
        i === 0
          ? `
        (type $named (func (param (ref null $F)))) (type $NAMED (cont $named)) (type $left (func ${R && `(param ${join(results)})`})) (type $LEFT (cont $left))
        (import "heddle" "tag.new" (func $tag (result (ref null $F))))
        (import "heddle" "suspend_to" (func $suspend_to (param ${join(params)} (ref null $F)) ${R}))
        (import "heddle" "resume_named" (func $resume_named (param (ref null $F) (ref null $F) (ref null $NAMED)) (result i32 ${join(params)} (ref null $LEFT))))`
          : '',
      more: `(func $named${i} (type $named) ${LOCALS} ${all} (local.get 0) ${call} ${take(results)}) (elem declare func $named${i})`,
      params: 2,
      usual: true,
    })),
    {
      name: 'fiber',
      code: `(local.set $fiber (call $fiber_new (i32.const ${FIBER}))) (drop (call $fiber_resume (local.get $fiber) (i64.const 1)))
        (drop (call $fiber_resume (local.get $fiber) (i64.const 2))) (call $fiber_free (local.get $fiber))`,
      taken: true,
      locals: '(local $fiber i32)',
      imports: `(import "heddle" "fiber_new" (func $fiber_new (param i32) (result i32)))
        (import "heddle" "fiber_resume" (func $fiber_resume (param i32 i64) (result i64)))
        (import "heddle" "fiber_yield" (func $fiber_yield (param i64) (result i64)))
        (import "heddle" "fiber_free" (func $fiber_free (param i32)))`,
      more: `(func $body (param $x i64) (result i64) ${LOCALS} ${all} (call $f) ${take(results)} (call $fiber_yield (local.get $x)))
        (elem (table $functions) (i32.const ${FIBER}) func $body)`,
      usual: true,
    },
  ].filter(({ params: p = 0, results: r = 0 }) => params.length + p <= MOST && results.length + r <= MOST);
}

/** The module's text, and its ways in order: `run(way, depth, size)` takes a way by its number. */
export function moduleOf(shape) {
  const { params, results } = shape;
  const list = ways(shape);
  const P = params.length > 0 ? `(param ${join(params)})` : '';
  const R = results.length > 0 ? `(result ${join(results)})` : '';
  const suspends = list.some(({ name }) => name === 'suspend');
  const text = `(module
    (type $F (func ${P} ${R})) (type $C (cont $F)) (type $way (func)) (type $number (func (result i32)))
    (type $dive (func (param i32 i32))) (type $DIVE (cont $dive))
    (type $main (func (param i32 i32 i32))) (type $MAIN (cont $main))
    (type $resumed (func ${R && `(param ${join(results)})`})) (type $RESUMED (cont $resumed))
    (import "env" "starts" (global $starts i32))
    (import "env" "host" (func $host (type $F)))
    (import "env" "waits" (func $waits (type $F)))
    ${join(Array.from({ length: REFERENCES }, (_, i) => `(import "env" "e${i}" (global $e${i} externref))`))}
    (import "heddle" "cont.new size=1048576" (func $new_main (param (ref null $main)) (result (ref $MAIN))))
    ${join(SIZES.map((size, i) => `(import "heddle" "cont.new size=${size}" (func $dive${i} (param (ref null $dive)) (result (ref $DIVE))))`))}
    ${join(SIZES.map((size, i) => `(import "heddle" "cont.new size=${size}" (func $make${i} (param (ref null $F)) (result (ref $C))))`))}
    ${join(list.map(({ imports = '' }) => imports))}
    (memory (export "memory") 1)
    (table $functions (export "functions") 2001 funcref)
    (table $objects (export "objects") 2000 externref)
    (table $calls funcref (elem $f))
    (table $ways funcref (elem ${join(list.map((_, i) => `$way${i}`))}))
    (tag $T (type $F)) (tag $E ${P}) (tag $N) (tag $S)
    (global $size (mut i32) (i32.const 0))
    (elem declare func $f $host $waits $main $dive ${join(Array.from({ length: REFERENCES }, (_, i) => `$n${i}`))})
    ${join(Array.from({ length: REFERENCES }, (_, i) => `(func $n${i} (export "n${i}") (result i32) (i32.const ${i}))`))}
    (func $f (export "f") (type $F) ${join(params.map((type, i) => store(type, i, `(local.get ${i})`)))} ${join(resultTexts(shape))})
    (func $make (param $f (ref null $F)) (result (ref $C))
      (if (i32.eqz (global.get $size)) (then (return (call $make0 (local.get $f)))))
      (if (i32.eq (global.get $size) (i32.const 1)) (then (return (call $make1 (local.get $f)))))
      (call $make2 (local.get $f)))
    ${join(list.map(({ more = '' }) => more))}
    ${join(list.map(({ code, taken = false, locals = '' }, i) => `(func $way${i} (type $way) ${LOCALS} ${locals} ${code} ${taken ? '' : take(results)})`))}
    (func $start (if (global.get $starts) (then (call $way0))))
    (start $start)
    (func $dive (type $dive) (param $way i32) (param $depth i32)
      (if (local.get $depth)
        (then (call $dive (local.get $way) (i32.sub (local.get $depth) (i32.const 1))))
        (else (call_indirect $ways (type $way) (local.get $way)))))
    (func $new_dive (result (ref $DIVE))
      (if (i32.eqz (global.get $size)) (then (return (call $dive0 (ref.func $dive)))))
      (if (i32.eq (global.get $size) (i32.const 1)) (then (return (call $dive1 (ref.func $dive)))))
      (call $dive2 (ref.func $dive)))
    (func $main (type $main) (param $way i32) (param $depth i32) (param $chosen i32) (local $left (ref null $RESUMED))
      (global.set $size (local.get $chosen))
      (table.fill $functions (i32.const 0) (ref.null func) (i32.const 2000))
      (table.fill $objects (i32.const 0) (ref.null extern) (i32.const 2000))
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 32000))
      ${
        suspends
          ? `(block $on (result ${join(params)} (ref $RESUMED))
        (resume $DIVE (on $T $on) (on $S switch) (local.get $way) (local.get $depth) (call $new_dive)) (return))
      (local.set $left) (call $f) (resume $RESUMED (local.get $left))`
          : '(resume $DIVE (on $S switch) (local.get $way) (local.get $depth) (call $new_dive))'
      })
    (func (export "run") (param $way i32) (param $depth i32) (param $size i32)
      (resume $MAIN (local.get $way) (local.get $depth) (local.get $size) (call $new_main (ref.func $main)))))`;
  return { text, ways: list };
}
