// How type ids live and die. The argument says which of the parts below runs. Prints what it saw. Needs --expose-gc.
import { Continuation, collect, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const { Module, Instance } = WebAssembly;
const module = (text) => new Module(parseWat(text));
const instance = (text, imports) => new Instance(module(text), imports).exports;

const leb = (value) => {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return bytes;
  }
};

let serial = 0;
/** A module of `count` types in one recursion group; no two calls make equal types. */
function manyTypes(count) {
  serial++;
  const first = [0x60, 0, ...leb(serial), ...Array(serial).fill(0x7f)];
  const head = [1, 0x4e, ...leb(count), ...first];
  const size = leb(head.length + 3 * (count - 1));
  const bytes = Buffer.concat([
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, ...size, ...head]),
    Buffer.alloc(3 * (count - 1), Buffer.from([0x60, 0, 0])),
  ]);
  return new Module(bytes);
}

/** What a call threw, or 'nothing'. */
function thrown(run) {
  try {
    run();
    return 'nothing';
  } catch (error) {
    return `${error.constructor.name} ${error.code}`;
  }
}

/** V8's collection and Heddle's, as often as one may need the other, with turns of the event loop between. */
async function settle() {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    globalThis.gc();
    collect();
  }
}

const parts = {
  /** Modules with 3,000,000 types in all, each dropped when it was made: nobody collects but the engine. */
  dropped() {
    const small = instance(`(module (type $f (func (param i64) (result i64)))
      (table 1 funcref) (elem (i32.const 0) $g) (func $g (type $f) (local.get 0))
      (func (export "go") (param i64) (result i64) (call_indirect (type $f) (local.get 0) (i32.const 0))))`);
    for (let i = 0; i < 5; i++) manyTypes(600_000);
    return {
      most: statistics().types < 2 ** 20,
      go: String(small.go(7n)),
      later: String(instance('(module (func (export "f") (result i64) (i64.const 1)))').f()),
    };
  },

  /** As many as there can be, all held. */
  async full() {
    const before = statistics().types;
    const first = manyTypes(2 ** 19);
    let second = manyTypes(2 ** 20 - 1 - 2 ** 19 - before);
    const seen = { full: statistics().types };
    const text = '(module (func (export "f") (param f32 f64 f32 f64) (result i64) (i64.const 5)))';
    seen.module = thrown(() => module(text));
    seen.tag = thrown(() => new WebAssembly.Tag({ parameters: ['f64', 'i64', 'f64'] }));
    seen.compile = await WebAssembly.compile(parseWat(text)).then(
      () => 'nothing',
      (error) => `${error.constructor.name} ${error.code}`,
    );
    // Equal types need no ids.
    seen.again = thrown(() => new Instance(second));
    seen.still = statistics().types;
    second = undefined;
    await settle();
    seen.dropped = statistics().types < 2 ** 19 + 100;
    seen.then = String(instance(text).f(1, 2, 3, 4));
    seen.first = thrown(() => new Instance(first));
    return seen;
  },

  /** Each thing that names a type keeps it, alone: others do not get its id while it lives, and it is given back afterwards. */
  async keepers() {
    // An own type each, by its number of params.
    const params = (n) => Array(n).fill('i32').join(' ');
    const text = (n, fields) => `(module (type $t (func (param ${params(n)}))) (type $r (func (result (ref null $t))))
      (type $k (cont $t)) (func $f (export "f") (type $t)) (elem declare func $f) ${fields})`;
    const keepers = {
      module: (n) => module(text(n, '')),
      function: (n) => instance(text(n, '')).f,
      'function that returns it': (n) => instance(text(n, '(func (export "r") (type $r) (ref.func $f))')).r,
      table: (n) => instance(text(n, '(table (export "t") 1 (ref null $t))')).t,
      'constant global': (n) => instance(text(n, '(global (export "g") (ref null $t) (ref.null $t))')).g,
      'imported global': (n) =>
        instance(
          text(n, '(import "m" "g" (global (ref null $t))) (export "i" (global 0))')
            .replace('(func $f (export "f") (type $t))', '')
            .replace('(elem declare func $f)', ''),
          { m: { g: null } },
        ).i,
      tag: (n) => instance(text(n, '(tag (export "e") (type $t))')).e,
      exception: (n) => {
        try {
          instance(text(n, `(tag $e (export "e") (type $t)) (func (export "x") ${'(i32.const 1)'.repeat(n)} (throw $e))`)).x();
        } catch (error) {
          return error;
        }
      },
      continuation: (n) => new Continuation(instance(text(n, '')).f),
      'suspended continuation': (n) => {
        const { s } = instance(text(n, `(tag $e (type $t)) (func (export "s") ${'(i32.const 1)'.repeat(n)} (suspend $e))`));
        return new Continuation(s).resume().continuation;
      },
      'import in a table': (n) => {
        const { table } = instance('(module (table (export "table") 1 funcref))');
        instance(
          `(module (type $t (func (param ${params(n)}))) (import "m" "h" (func $h (type $t))) (import "m" "t" (table 1 funcref)) (elem (i32.const 0) $h))`,
          { m: { h: () => undefined, t: table } },
        );
        return table;
      },
    };
    const seen = {};
    let n = 20;
    for (const [name, make] of Object.entries(keepers)) {
      n++;
      await settle();
      const before = statistics().types;
      let kept = make(n);
      await settle();
      const during = statistics().types - before;
      // Ids that came back are given to others: what is kept must not be one of them.
      const others = Array.from({ length: 8 }, (_, i) =>
        module(`(module (type (func (param ${params(n)} f64) (result ${params(i + 1)}))))`),
      );
      await settle();
      const isOne = statistics().types - before - others.length;
      others.length = 0;
      kept = kept === undefined ? 'none' : undefined;
      await settle();
      seen[name] = { keeps: during >= 1 && isOne === during, given: statistics().types === before, kept };
    }
    return seen;
  },

  /** A function that runs on, while all else of its instance is dropped, calls by type. */
  async running() {
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 2 });
    const others = [];
    const make = () => {
      const { go } = instance(
        `(module (type $t (func (param i32 i32 f32) (result i32))) (import "m" "pause" (func $pause (param i32)))
          (import "m" "t" (table 2 funcref)) (func $own (type $t) (i32.const 9)) (elem declare func $own)
          (func (export "go") (result i32) (local $i i32) (local $sum i32)
            (table.set (i32.const 0) (ref.func $own))
            (loop $l (call $pause (local.get $i))
              (local.set $sum (i32.add (local.get $sum) (call_indirect (type $t) (i32.const 1) (i32.const 1) (f32.const 1) (i32.const 0))))
              (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10))))
            (local.get $sum)))`,
        { m: { t: table, pause: (i) => pause(i) } },
      );
      return go;
    };
    let go = make();
    function pause(i) {
      go = undefined;
      if (i === 4) table.set(0, null);
      globalThis.gc();
      collect();
      // Whatever ids have come back go to types of other shapes, which are put where the loop calls.
      const { f } = instance(`(module (func (export "f") (param i64 i64 ${'i32 '.repeat(i)}) (result i64) (i64.const ${i})))`);
      others.push(f);
      if (i === 4) table.set(0, f);
    }
    return { trap: thrown(() => go()), others: others.length };
  },
};

process.stdout.write(JSON.stringify(await parts[process.argv[2]]()));
