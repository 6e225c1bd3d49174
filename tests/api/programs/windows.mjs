// Random accesses of tables and globals, from JavaScript and from WebAssembly, on Heddle and on V8; then instances that a table has in turn. Needs --expose-gc. Prints what each engine
// gave, and how many instances are left.
import { collect, WebAssembly as Heddle, parseWat, statistics } from '../../../dist/ts/index.js';

const SHARED = parseWat(`(module
  (import "m" "step" (func $step))
  (table $t (export "t") 4 5000 funcref) (table $e (export "e") 4 5000 externref)
  (global $g (export "g") (mut funcref) (ref.null func)) (global $x (export "x") (mut externref) (ref.null extern))
  (global $i (export "i") (mut i32) (i32.const 0)) (global $l (export "l") (mut i64) (i64.const 0)) (global $d (export "d") (mut f64) (f64.const 0))
  (func $0 (export "f0") (result i32) (i32.const 0)) (func $1 (export "f1") (result i32) (i32.const 1)) (func $2 (export "f2") (result i32) (i32.const 2))
  (elem declare func $0 $1 $2)
  (func (export "step") (call $step))
  (func (export "grow") (param i32) (result i32) (call $step) (table.grow $t (ref.func $1) (local.get 0)))
  (func (export "growExterns") (param i32 externref) (result i32) (call $step) (table.grow $e (local.get 1) (local.get 0)))
  (func (export "fill") (param i32 funcref i32) (table.fill $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "exchange") (param i32) (local funcref)
    (local.set 1 (global.get $g)) (global.set $g (table.get $t (local.get 0))) (table.set $t (local.get 0) (local.get 1)))
  (func (export "count") (global.set $i (i32.add (global.get $i) (i32.const 1))) (global.set $l (i64.sub (global.get $l) (i64.const 3)))
    (global.set $d (f64.add (global.get $d) (f64.const 0.1)))))`);

/** Names for what cannot be printed, in the order of their coming. */
function namer(exports) {
  const names = new Map([
    [exports.f0, 'f0'],
    [exports.f1, 'f1'],
    [exports.f2, 'f2'],
  ]);
  return (value) => {
    if (typeof value === 'bigint') return `${value}n`;
    return typeof value === 'function' || (typeof value === 'object' && value !== null)
      ? (names.get(value) ?? value.name ?? 'another')
      : String(value);
  };
}

function story(api, seed) {
  let state = seed;
  const random = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
  let e;
  let depth = 0;
  const steps = [];
  const step = () => {
    if (depth > 2) return;
    depth++;
    act();
    depth--;
  };
  e = new api.Instance(new api.Module(SHARED), { m: { step } }).exports;
  const name = namer(e);
  const functions = [e.f0, e.f1, e.f2, null];
  const fn = () => functions[random(4)];
  const index = () => random(random(8) === 0 ? 3000 : 6);
  const object = () => ({ name: `object ${random(9)}` });
  const actions = [
    () => e.t.get(index()),
    () => e.t.get(index()),
    () => e.t.get(index()),
    () => e.e.get(index()),
    () => e.e.get(index()),
    () => e.t.set(index(), fn()),
    () => e.t.set(index()),
    () => e.e.set(index(), object()),
    () => e.e.set(index()),
    () => [e.t.length, e.e.length],
    () => e.t.grow(random(3) * random(90), fn()),
    () => e.e.grow(random(90), object()),
    () => e.grow(random(3) * random(90)),
    () => e.growExterns(random(90), object()),
    () => e.fill(index(), fn(), random(4)),
    () => e.copy(index(), index(), random(4)),
    () => e.exchange(index()),
    () => e.g.value,
    () => (e.g.value = fn()),
    () => e.x.value,
    () => (e.x.value = object()),
    () => e.count(),
    () => [e.i.value, e.l.value, e.d.value].join(),
    () => (e.i.value = random(9) * 1e9),
    () => (e.l.value = BigInt(random(99)) << 58n),
    () => (e.d.value = random(99) / 7),
    () => e.step(),
  ];
  const act = () => {
    try {
      steps.push(name(actions[random(actions.length)]()));
    } catch (error) {
      // Engines word their errors differently.
      steps.push(error instanceof RangeError ? 'RangeError' : error.constructor.name);
    }
  };
  for (let i = 0; i < 2000; i++) act();
  return steps;
}

async function settle() {
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    globalThis.gc();
    collect();
  }
}

async function turns() {
  await settle();
  const before = statistics().instances;
  const t = new Heddle.Table({ element: 'anyfunc', initial: SLOTS });
  const g = new Heddle.Global({ value: 'anyfunc', mutable: true });
  const module = new Heddle.Module(
    parseWat(`(module (import "m" "t" (table $t ${SLOTS} funcref)) (import "m" "g" (global $g (mut funcref)))
      (func $f (result i32) (i32.const 5)) (elem declare func $f)
      (func (export "put") (param i32) (table.set $t (local.get 0) (ref.func $f)) (global.set $g (ref.func $f)))
      (func (export "clear") (table.fill $t (i32.const 0) (ref.null func) (i32.const ${SLOTS})) (global.set $g (ref.null func))))`),
  );
  const turn = (slot) => {
    new Heddle.Instance(module, { m: { t, g } }).exports.put(slot);
    let sum = 0;
    for (let i = 0; i < 20; i++) sum += t.get(slot)() + g.value();
    return sum;
  };
  for (let i = 0; i < 2 * SLOTS; i++) if (turn(i % SLOTS) !== 200) throw new Error('a function of another');
  // JavaScript does not look again at what WebAssembly has overwritten.
  new Heddle.Instance(module, { m: { t, g } }).exports.clear();
  await settle();
  const left = statistics().instances - before;
  if (t.get(0) !== null || g.value !== null) throw new Error('not cleared');
  return left;
}

const SLOTS = 40;
const seeds = [1, 2, 3, 4];
const results = (api) => seeds.map((seed) => story(api, seed));
console.log(JSON.stringify({ heddle: results(Heddle), v8: results(WebAssembly), instances: await turns() }));
