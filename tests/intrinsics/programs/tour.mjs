// What Heddle does for a program: modules compiled, calls, waits, growth, errors. Asks nothing of JavaScript's built-in objects itself but by operators, so that it can run while they are patched; what
// comes of it is one text.
import { Continuation, call, collect, createMemory, parseWat, Scheduler, WebAssembly } from '../../../dist/heddle.mjs';

const whole = parseWat(`(module
  (memory (import "env" "memory") 1 5000)
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (import "env" "pair" (func $pair (param i32 externref) (result i32 externref)))
  (import "env" "wait" (func $wait (param i32) (result i32)))
  (import "env" "fail" (func $fail))
  (tag $t (export "tag") (param i32))
  (tag $y (export "yield") (param i32) (result i32))
  (type $f (func (param i32) (result i32)))
  (table (export "table") 4 funcref)
  (global (export "global") (mut i64) (i64.const 7))
  (elem (i32.const 1) $double)
  (data (i32.const 100) "first")
  (func $double (export "double") (param i32) (result i32) (call $twice (local.get 0)))
  (func (export "add") (param i32 i64 f32 f64) (result f64)
    (f64.add (f64.add (f64.convert_i32_s (local.get 0)) (f64.convert_i64_s (local.get 1)))
      (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))
  (func (export "many") (param i32 i32 i32 i32 i32 i32) (result i32)
    (i32.sub (i32.mul (local.get 0) (local.get 5)) (i32.add (local.get 1) (i32.add (local.get 2) (i32.add (local.get 3) (local.get 4))))))
  (func (export "pair") (param i32 externref) (result i32 externref) (call $pair (local.get 0) (local.get 1)))
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $f) (local.get 1) (local.get 0)))
  (func (export "wait") (param i32) (result i32) (i32.add (call $wait (local.get 0)) (i32.const 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "trap") (unreachable))
  (func (export "throw") (param i32) (throw $t (local.get 0)))
  (func (export "caught") (result i32) (block $h (try_table (catch_all $h) (call $fail)) (return (i32.const 0))) (i32.const 1))
  (func (export "loop") (loop (br 0)))
  (func (export "generate") (result i32) (i32.add (suspend $y (i32.const 3)) (suspend $y (i32.const 4)))))`);

/** Modules whose code is compared. */
const modules = [
  parseWat(`(module
    (memory (import "env" "memory") 1 5000)
    (import "env" "twice" (func $twice (param i32) (result i32)))
    (type $f (func (param i32) (result i32)))
    (tag $t (param i32))
    (table 4 funcref)
    (elem (i32.const 1) $double)
    (data (i32.const 100) "first")
    (func $double (export "double") (param i32) (result i32) (call $twice (local.get 0)))
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $f) (local.get 1) (local.get 0)))
    (func (export "caught") (result i32) (block $h (result i32) (try_table (catch $t $h) (throw $t (i32.const 6))) (i32.const 0))))`),
  parseWat('(module (memory 1) (func (export "f") (param i32) (result i32) (loop (br_if 0 (i32.load (local.get 0)))) (local.get 0)))'),
];

/** What somebody throws, as text that does not depend on patches. */
function thrown(error) {
  return typeof error === 'object' && error !== null ? `!${error.code} ${error.message}` : `!${error}`;
}

const box = { boxed: true };
/** No module. */
const none = new Uint8Array(4);

function importsOf(memory) {
  return {
    env: {
      memory,
      twice: (x) => 2 * x,
      pair: (x, y) => [x + 1, y],
      wait: new WebAssembly.Suspending((x) => (x > 0 ? promises[x] : x)),
      fail: () => {
        throw box;
      },
    },
  };
}

/** Promises for the imports that wait: made before anything is patched, since `new Promise` is the program's own. */
const promises = [0, 0, 0, 0];

/** A program's things, made before anything is patched. */
export function prepare() {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 5000 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(whole), importsOf(memory));
  return {
    memory,
    exports,
    imports: importsOf(memory),
    promised: WebAssembly.promising(exports.wait),
    scheduler: new Scheduler({ budget: Infinity }),
  };
}

/** For one step. Its promises are settled already: no turn of Node's event loop, which breaks where built-in objects are patched, comes between. */
export function renew() {
  for (let i = 1; i < 4; i++) promises[i] = Promise.resolve(10 * i);
}

const steps = {
  calls: ({ exports }) =>
    `${exports.double(21)} ${exports.add(1, 2n, 0.5, 0.25)} ${exports.many(1, 2, 3, 4, 5, 6)} ${exports.indirect(1, 4)} ${exports.same(box) === box} ${exports.same(undefined)}`,
  lists: ({ exports }) => {
    const list = exports.pair(4, box);
    return `${list.length} ${list[0]} ${list[1] === box}`;
  },
  objects: ({ exports }) => {
    exports.global.value = 9n;
    exports.table.set(2, exports.double);
    return `${exports.global.value} ${exports.table.get(2) === exports.double} ${exports.table.length} ${exports.indirect(2, 8)}`;
  },
  growth: ({ exports, memory }) => {
    exports.fill(65_000, 7, 500);
    return `${exports.load(65_100)} ${exports.load(100)} ${memory instanceof WebAssembly.Memory}`;
  },
  traps: ({ exports }) => {
    try {
      return exports.trap();
    } catch (error) {
      return `${thrown(error)} ${error instanceof WebAssembly.RuntimeError}`;
    }
  },
  bounds: ({ exports }) => {
    try {
      return exports.load(-1);
    } catch (error) {
      return thrown(error);
    }
  },
  exceptions: ({ exports }) => {
    try {
      return exports.throw(5);
    } catch (error) {
      return `${exports.caught()} ${error.is(exports.tag)} ${error.getArg(exports.tag, 0)} ${thrown(error)}`;
    }
  },
  arguments: ({ exports }) => {
    try {
      return exports.add(1, 2, 3, 4);
    } catch (error) {
      return thrown(error);
    }
  },
  deadlines: ({ exports }) => {
    try {
      return call(exports.loop, [], { deadline: 5 });
    } catch (error) {
      return thrown(error);
    }
  },
  continuations: ({ exports }) => {
    const first = new Continuation(exports.generate).resume();
    const second = first.continuation.resume(30);
    const last = second.continuation.resume(12);
    return `${first.payload[0]} ${second.payload[0]} ${last.done} ${last.value}`;
  },
  waits: async ({ promised }) => `${await promised(1)} ${await promised(-5)} ${await promised(2)}`,
  collection: ({ exports }) => {
    collect();
    return `${exports.double(3)}`;
  },
  'a page more': ({ exports, memory }) => {
    const before = exports.size();
    const own = createMemory({ initial: 3, maximum: 9, shared: false, address: 'i32', pageSize: 1 });
    own.grow(4);
    return `${exports.grow(1) === before} ${exports.size() - before} ${exports.load(65_100)} ${memory !== own}`;
  },
};

/** What a fresh instance of a module does; a program's own memory each. */
function fresh(index) {
  return ({ imports }) => {
    const module = new WebAssembly.Module(modules[index]);
    const { exports } = new WebAssembly.Instance(module, imports);
    return index === 0 ? `${exports.double(4)} ${exports.indirect(1, 5)} ${exports.load(100)} ${exports.caught()}` : `${exports.f(0)}`;
  };
}

/** Makes code, or has Node do something: each may be an error where something is patched. */
export const compiling = {
  tasks: async ({ scheduler, exports }) => `${await scheduler.spawn(exports.wait, [3]).promise}`,
  'the first module': fresh(0),
  'the second module': fresh(1),
  'a module in promises': async ({ imports }) => {
    const { instance } = await WebAssembly.instantiate(modules[1], imports);
    return `${instance.exports.f(8)}`;
  },
  'a module that is none': () => {
    try {
      return new WebAssembly.Module(none);
    } catch (error) {
      if (error.code === undefined) throw error;
      // One of Heddle's own bugs says more.
      const bug = error.code === 'HEDDLE_INTERNAL' ? ` ${error.stack} ${error.cause?.stack}` : '';
      return `${error.code} ${error.offset} ${error instanceof WebAssembly.CompileError}${bug}`;
    }
  },
};

/** Makes none: the same whatever is patched. */
export const running = steps;
