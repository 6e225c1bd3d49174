// What promise integration does in many small cases, by name, as JSON. Argument `v8`: by V8's own, which is how tests/schedule/recorded/promise_integration.json
// was made (Node 26.10); otherwise by Heddle's.
import vm from 'node:vm';
import { WebAssembly as Heddle, parseWat } from '../../../dist/heddle.mjs';

const Api = process.argv[2] === 'v8' ? globalThis.WebAssembly : Heddle;
const { Suspending, SuspendError, promising } = Api;

const instance = (text, env = {}) => new Api.Instance(new Api.Module(parseWat(text)), { env }).exports;
const PLUS_ONE = `(module (import "env" "f" (func $f (param i32) (result i32)))
  (func (export "g") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1))))`;
const plusOne = (f) => instance(PLUS_ONE, { f }).g;

const show = (value) => {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
};
const kind = (error) => (error instanceof SuspendError ? 'SuspendError' : error instanceof Error ? error.constructor.name : show(error));

/** What an action returned, threw, or gave by a promise. */
async function outcome(action) {
  let promise;
  try {
    promise = action();
  } catch (error) {
    return `threw ${kind(error)}`;
  }
  if (!(promise instanceof Promise)) return `returned ${typeof promise === 'function' ? 'a function' : show(promise)}`;
  try {
    return `resolved to ${show(await promise)}`;
  } catch (error) {
    return `rejected with ${kind(error)}`;
  }
}

class Derived extends Promise {}

/** Things that an import returns, and what its caller gets. */
const GIVEN = {
  'a number': () => 5,
  'a promise': () => Promise.resolve(5),
  'a promise of later': () => new Promise((resolve) => setImmediate(resolve, 5)),
  'an async function': async () => 5,
  "a derived class's promise": () => Derived.resolve(5),
  'a thenable': () => ({ then: (resolve) => resolve(5) }),
  'a function with then': () => Object.assign(() => 0, { then: (resolve) => resolve(5) }),
  'a promise of another realm': () => vm.runInNewContext('Promise.resolve(5)'),
  'no promise, though it looks so': () => Object.create(Promise.prototype),
  'a promise of a thenable': () => Promise.resolve({ then: (resolve) => resolve(5) }),
  'a promise of a promise': () => Promise.resolve(Promise.resolve(5)),
  'a promise of an object with valueOf': () => Promise.resolve({ valueOf: () => 5 }),
  'a promise of a symbol': () => Promise.resolve(Symbol()),
  'a promise of nothing': () => Promise.resolve(),
  'a rejected promise': () => Promise.reject(new EvalError('no')),
  'a promise rejected with nothing': () => Promise.reject(),
  'an error, thrown': () => {
    throw new EvalError('no');
  },
  'a getter of then that throws': () => ({
    get then() {
      throw new EvalError('no');
    },
  }),
};

const CATCHING = `(module (import "env" "f" (func $f (result i32))) (tag $js (import "env" "tag") (param externref)) (tag $mine)
  (func (export "all") (result i32) (block $h (try_table (catch_all $h) (return (call $f)))) (i32.const -1))
  (func (export "value") (result externref) (block $h (result externref) (try_table (catch $js $h) (drop (call $f))) (ref.null extern)))
  (func (export "other") (result i32) (block $h (try_table (catch $mine $h) (return (call $f)))) (i32.const -1))
  (func (export "again") (result i32)
    (block $h (result exnref) (try_table (catch_all_ref $h) (return (call $f))) (unreachable)) (throw_ref)))`;

const FRAMES = `(module (import "env" "js" (func $js)) (import "env" "wait" (func $wait))
  (func (export "outer") (call $js)) (func (export "inner") (call $wait)))`;

const cases = {
  'promising: of a number': () => promising(1),
  'promising: of a function of JavaScript': () => promising(() => 0),
  'promising: of nothing': () => promising(),
  'promising: twice': () => promising(promising(plusOne(() => 0))),
  'promising: v128': () => promising(instance('(module (func (export "v") (result v128) (v128.const i32x4 0 0 0 0)))').v),
  'promising: with new': () => new (promising(plusOne(() => 0)))(),
  'promising: its length': () => promising(plusOne(() => 0)).length,
  'Suspending: without new': () => Suspending(() => 0),
  'Suspending: of a number': () => new Suspending(1),
  'Suspending: of nothing': () => new Suspending(),
  'Suspending: of an export': () => new Suspending(plusOne(() => 0)),
  'Suspending: its class': () => Object.prototype.toString.call(new Suspending(() => 0)),
  'Suspending: its length': () => Suspending.length,
  'an argument that does not convert': () => promising(plusOne(new Suspending(async () => 0)))(Symbol()),
  'an argument that is missing': () => promising(plusOne(new Suspending(async (x) => x)))(),
  'no imports': () => promising(instance('(module (func (export "f") (result i32) (i32.const 3)))').f)(),
  'a trap': () => promising(instance('(module (func (export "f") unreachable))').f)(),
  'a trap after a wait': () =>
    promising(
      instance('(module (import "env" "f" (func $f)) (func (export "g") (call $f) unreachable))', { f: new Suspending(async () => {}) }).g,
    )(),
  'an import without Suspending that returns a promise': () => promising(plusOne(async () => 5))(0),
  'two results': () =>
    promising(
      instance('(module (import "env" "f" (func $f (result i32 i64))) (export "g" (func $f)))', { f: new Suspending(async () => [1, 2n]) })
        .g,
    )(),
  'too few results': () =>
    promising(
      instance('(module (import "env" "f" (func $f (result i32 i64))) (export "g" (func $f)))', { f: new Suspending(async () => [1]) }).g,
    )(),
  'an import of v128': () =>
    promising(
      instance('(module (import "env" "f" (func $f (result v128))) (func (export "g") (drop (call $f))))', {
        f: new Suspending(async () => 0),
      }).g,
    )(),
  'an import that is exported': () => {
    const { f } = instance('(module (import "env" "f" (func $f (result i32))) (export "f" (func $f)))', {
      f: new Suspending(async () => 3),
    });
    return promising(f)();
  },
  'an import that is exported, called without promising': () =>
    instance('(module (import "env" "f" (func $f (result i32))) (export "f" (func $f)))', { f: new Suspending(async () => 3) }).f(),
  'through a table': () =>
    promising(
      instance(
        `(module (import "env" "f" (func $f (result i32))) (table 1 funcref) (elem (i32.const 0) $f) (type $t (func (result i32)))
          (func (export "g") (result i32) (call_indirect (type $t) (i32.const 0))))`,
        { f: new Suspending(async () => 3) },
      ).g,
    )(),
  'this of the import': () => {
    const seen = [];
    return promising(
      plusOne(
        new Suspending(async function () {
          seen.push(this === undefined || this === globalThis);
          return Number(seen[0]);
        }),
      ),
    )(0);
  },
  'without promising: an import that would wait': () => plusOne(new Suspending(async () => 5))(0),
  'without promising: an import that would not wait': () => plusOne(new Suspending(() => 5))(0),
  'without promising: the import is not called': () => {
    let calls = 0;
    try {
      plusOne(new Suspending(() => calls++))(0);
    } catch {}
    return calls;
  },
  'JavaScript in between': () => {
    const exports = instance(FRAMES, { js: () => exports.inner(), wait: new Suspending(async () => {}) });
    return promising(exports.outer)();
  },
  'JavaScript in between begins another': async () => {
    let inner;
    const exports = instance(FRAMES, {
      js: () => {
        inner = promising(exports.inner)();
      },
      wait: new Suspending(async () => {}),
    });
    return [await promising(exports.outer)(), await inner].length;
  },
  'order: one wait': async () => {
    const order = [];
    const done = promising(
      plusOne(
        new Suspending(async () => {
          order.push('called');
          await null;
          order.push('goes on');
        }),
      ),
    )(0).then(() => order.push('done'));
    order.push('started');
    let ticks = Promise.resolve();
    for (let i = 0; i < 5; i++) ticks = ticks.then(() => order.push(i));
    await Promise.all([done, ticks]);
    return order.join();
  },
  'order: no wait': async () => {
    const order = [];
    const done = promising(instance('(module (func (export "f")))').f)().then(() => order.push('done'));
    order.push('started');
    const ticks = Promise.resolve().then(() => order.push(0));
    await Promise.all([done, ticks]);
    return order.join();
  },
};
for (const [name, give] of Object.entries(GIVEN)) {
  cases[`an import gives ${name}`] = () => promising(plusOne(new Suspending(give)))(1);
  for (const handler of ['all', 'value', 'other', 'again']) {
    cases[`an import gives ${name}; handler: ${handler}`] = () =>
      promising(instance(CATCHING, { f: new Suspending(give), tag: Api.JSTag })[handler])();
  }
}

const results = {};
for (const [name, run] of Object.entries(cases)) results[name] = await outcome(run);
console.log(JSON.stringify(results, null, 2));
