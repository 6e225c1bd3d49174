// What becomes of JavaScript objects that WebAssembly refers to, or that refer to WebAssembly. Needs --expose-gc. Prints what is left after each step.
import { collect, dispose, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const instance = (text, imports) => new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)), imports);

/** V8's collection and Heddle's, as often as one may need the other, with turns of the event loop between. */
async function settle() {
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    globalThis.gc();
    collect();
  }
}

const results = {};

async function externrefs() {
  const { set, hold, release, out } = instance(`(module (type $f (func (param externref) (result externref))) (type $k (cont $f)) (tag $t)
    (global $g (mut externref) (ref.null extern)) (table $all 10 externref) (global $c (mut (ref null $k0)) (ref.null $k0))
    (type $f0 (func (result externref))) (type $k0 (cont $f0))
    (func (export "set") (param i32 externref) (global.set $g (local.get 1)) (table.set $all (local.get 0) (local.get 1)))
    (func $waits (param externref) (result externref) (suspend $t) (local.get 0)) (elem declare func $waits)
    (func (export "hold") (param externref)
      (global.set $c (block $h (result (ref $k0)) (drop (resume $k (on $t $h) (local.get 0) (cont.new $k (ref.func $waits)))) (return))))
    (func (export "release") (global.set $g (ref.null extern)) (table.fill $all (i32.const 0) (ref.null extern) (i32.const 10)))
    (func (export "out") (result externref) (resume $k0 (global.get $c)) (global.set $c (ref.null $k0))))`).exports;
  // In functions of their own: a local of this one would stay until it ends.
  const make = (_, i) => {
    const value = { i };
    set(i, value);
    return new WeakRef(value);
  };
  const refs = Array.from({ length: 10 }, make);
  const heldRef = (() => {
    const held = { held: true };
    hold(held);
    return new WeakRef(held);
  })();
  const alive = () => refs.filter((ref) => ref.deref() !== undefined).length;
  await settle();
  results.inTable = alive();
  release();
  await settle();
  results.released = alive();
  results.inFrame = heldRef.deref() !== undefined;
  results.cameOut = out() === heldRef.deref() && heldRef.deref()?.held === true;
  await settle();
  results.gone = heldRef.deref() === undefined;
  results.handles = statistics().externrefs;
}

async function cycles() {
  await settle();
  const before = statistics();
  const refs = [];
  let kept = [];
  const make = () => {
    const cell = {};
    const f = () => cell.exports;
    const made = instance('(module (import "m" "f" (func $f)) (func (export "g") (call $f)))', { m: { f } });
    cell.exports = made.exports;
    refs.push(new WeakRef(f));
    kept.push(made);
  };
  for (let i = 0; i < 100; i++) make();
  const alive = () => refs.filter((ref) => ref.deref() !== undefined).length;
  kept = kept.slice(0, 50);
  await settle();
  // Neither collector sees that the other fifty are garbage.
  results.cycles = [alive(), statistics().instances - before.instances, statistics().hostFunctions - before.hostFunctions];
  kept.forEach((made) => dispose(made));
  const [one] = kept;
  kept = [];
  await settle();
  results.disposed = [alive(), statistics().instances - before.instances, statistics().hostFunctions - before.hostFunctions];
  try {
    one.exports.g();
  } catch (error) {
    results.afterDispose = error.code;
  }
}

async function code() {
  await settle();
  const before = statistics();
  for (let i = 0; i < 20; i++) instance(`(module (func (export "f") (result i32) (i32.const ${i})))`).exports.f();
  results.codes = statistics().codes - before.codes;
  await settle();
  results.codesLater = statistics().codes - before.codes;
}

async function identity() {
  const { exports } = instance(
    '(module (func $f (export "f")) (elem declare func $f) (func (export "get") (result funcref) (ref.func $f)))',
  );
  const { f, get } = exports;
  f.mark = true;
  await settle();
  results.sameFunction = get() === f && get().mark === true;
  const tag = new WebAssembly.Tag({ parameters: ['i32'] });
  const exception = new WebAssembly.Exception(tag, [7]);
  const thrower = instance('(module (import "m" "t" (tag $t (param i32))) (import "m" "throw" (func $x)) (func (export "g") (call $x)))', {
    m: {
      t: tag,
      throw: () => {
        throw exception;
      },
    },
  }).exports;
  await settle();
  try {
    thrower.g();
  } catch (error) {
    results.sameException = error === exception && error.getArg(tag, 0) === 7;
  }
}

for (const step of [externrefs, cycles, code, identity]) await step();
process.stdout.write(JSON.stringify(results));
