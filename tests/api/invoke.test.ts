/**
 * Emscripten's imports `invoke_…`: one module and one glue, which is the text of several versions of Emscripten, by Heddle and by V8. What is seen of each case is its result or error, the
 * stack pointer, what `setThrew` was told, and which functions of JavaScript ran.
 */
import { describe, expect, test } from 'vitest';
import { collect, dispose, WebAssembly } from '../../ts/index.js';
import { type Api, bytes, heddle, outcome, run, v8 } from './oracle.js';

/** The functions of the glue in the texts of several versions, with what they use in their scope. */
const GLUES = {
  'a number': (name: string, args: string, returns: string) =>
    `function ${name}(index${args && `,${args}`}){var sp=stackSave();try{${returns ? 'return ' : ''}getWasmTableEntry(index)(${args})}catch(e){stackRestore(sp);if(e!==e+0)throw e;_setThrew(1,0)}}`,
  'a number, by terser': (name: string, args: string, returns: string) =>
    `{${name}:function(index${args && `,${args}`}){var sp=stackSave();try{${returns ? 'return ' : ''}getWasmTableEntry(index)(${args})}catch(e){if(stackRestore(sp),e!==e+0)throw e;_setThrew(1,0)}}}.${name}`,
  'a number, minified': (_name: string, args: string, returns: string) =>
    `(function q$(index${args && `,${args}`}){var d=stackSave();try{${returns ? 'return ' : ''}getWasmTableEntry(index)(${args});}catch(f){stackRestore(d);if(f!==f+0)throw f;_setThrew(1,0);}})`,
  'an object': (name: string, args: string, returns: string) => `function ${name}(index${args && `,${args}`}) {
  var sp = stackSave();
  try {
    ${returns ? 'return ' : ''}getWasmTableEntry(index)(${args});
  } catch(e) {
    stackRestore(sp);
    if (!(e instanceof EmscriptenEH)) throw e;
    _setThrew(1, 0);${returns === 'j' ? '\n    return 0n;' : ''}
  }
}`,
  'a number or longjmp': (name: string, args: string, returns: string) => `function ${name}(index${args && `,${args}`}) {
  const sp = stackSave();
  try { ${returns ? 'return ' : ''}wasmTable.get(index)(${args}); } catch(e) { stackRestore(sp); if (e !== e+0 && e !== 'longjmp') throw e; _setThrew(1, 0); }
}`,
};

type Glue = keyof typeof GLUES;

/**
 * Table: 0 null, 1 `double`, 2 `throws` (by the import), 3 `traps`, 4 `deep` (throws from three invokes), 5 a function of JavaScript's, 6 `wide`, 7 `floats`, 8 `long`, 9 `endless`, 10 `raises`
 * (an exception of WebAssembly's), 11 `nothing`, 12 `many`, 13 `caught`.
 */
const MODULE = `(module
  (type $ii (func (param i32) (result i32)))
  (import "env" "throw_js" (func $throw (param i32) (result i32)))
  (import "env" "invoke_v" (func $invoke_v (param i32)))
  (import "env" "invoke_ii" (func $invoke_ii (param i32 i32) (result i32)))
  (import "env" "invoke_dd" (func $invoke_dd (param i32 f64) (result f64)))
  (import "env" "invoke_jj" (func $invoke_jj (param i32 i64) (result i64)))
  (import "env" "invoke_iiiiiiii" (func $invoke_many (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (tag $tag (export "tag") (param i32))
  (memory 1)
  (table $t (export "t") 16 funcref)
  (global $sp (mut i32) (i32.const 65536))
  (global $threw (mut i32) (i32.const 0))
  (elem (i32.const 1) $double $throws $traps $deep $throw $wide $floats $long $endless $raises $nothing $many $caught)
  (func (export "save") (result i32) (global.get $sp))
  (func (export "restore") (param i32) (global.set $sp (local.get 0)))
  (func (export "setThrew") (param i32 i32)
    (if (i32.eqz (global.get $threw)) (then (global.set $threw (local.get 0)))))
  (func (export "threw") (result i32) (global.get $threw) (global.set $threw (i32.const 0)))
  (func $frame (global.set $sp (i32.sub (global.get $sp) (i32.const 16))))
  (func $unframe (global.set $sp (i32.add (global.get $sp) (i32.const 16))))
  (func $double (type $ii) (call $frame) (i32.mul (local.get 0) (i32.const 2)) (call $unframe))
  (func $throws (type $ii) (call $frame) (call $throw (local.get 0)) (call $unframe))
  (func $traps (type $ii) (call $frame) unreachable)
  (func $deep (type $ii) (call $frame)
    (if (result i32) (local.get 0)
      (then (call $invoke_ii (i32.const 4) (i32.sub (local.get 0) (i32.const 1))))
      (else (call $throw (i32.const 7))))
    (call $unframe))
  (func $wide (param i64) (result i64) (i64.mul (local.get 0) (i64.const 3)))
  (func $floats (param f64) (result f64) (f64.div (local.get 0) (f64.const 4)))
  (func $long (type $ii) (call $frame) (call $invoke_ii (i32.const 2) (local.get 0)) (call $unframe))
  (func $endless (type $ii) (call $frame) (call $invoke_ii (i32.const 9) (local.get 0)))
  (func $raises (type $ii) (call $frame) (throw $tag (local.get 0)))
  (func $nothing (call $frame) (call $unframe))
  (func $many (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.sub (local.get 0) (i32.sub (local.get 1) (i32.sub (local.get 2) (i32.sub (local.get 3) (i32.sub (local.get 4) (i32.sub (local.get 5) (local.get 6))))))))
  (func $caught (type $ii) (call $frame)
    (try (result i32) (do (call $invoke_ii (i32.const 2) (local.get 0))) (catch_all (i32.const -5)))
    (call $unframe))
  (func (export "ii") (param i32 i32) (result i32) (call $frame) (call $invoke_ii (local.get 0) (local.get 1)) (call $unframe))
  (func (export "v") (param i32) (call $frame) (call $invoke_v (local.get 0)) (call $unframe))
  (func (export "dd") (param i32 f64) (result f64) (call $invoke_dd (local.get 0) (local.get 1)))
  (func (export "jj") (param i32 i64) (result i64) (call $invoke_jj (local.get 0) (local.get 1)))
  (func (export "many") (param i32 i32) (result i32)
    (call $invoke_many (local.get 0) (local.get 1) (i32.const 2) (i32.const 30) (i32.const 400) (i32.const 5000) (i32.const 60000) (i32.const 700000)))
)`;

interface Exports {
  save(): number;
  restore(sp: number): void;
  setThrew(a: number, b: number): void;
  threw(): number;
  ii(index: number, x: number): number;
  v(index: number): void;
  dd(index: number, x: number): number;
  jj(index: number, x: bigint): bigint;
  many(index: number, x: number): number;
  t: { get(index: number): (...args: unknown[]) => unknown; set(index: number, value: unknown): void };
  tag: object;
}

interface Program {
  readonly instance: object;
  readonly exports: Exports;
  /** What the glue has called. */
  readonly log: string[];
}

class EmscriptenEH extends Error {}

/** An instance, with what the import `throw_js` throws or does. */
function program(api: Api, glue: Glue, throws: (x: number, exports: Exports) => unknown): Program {
  const log: string[] = [];
  let exports: Exports | undefined;
  const all = (): Exports => exports as Exports;
  const scope = {
    EmscriptenEH,
    stackSave: () => {
      log.push('save');
      return all().save();
    },
    stackRestore: (sp: number) => all().restore(sp),
    _setThrew: (a: number, b: number) => {
      log.push(`threw ${a} ${b}`);
      all().setThrew(a, b);
    },
    getWasmTableEntry: (index: number) => all().t.get(index),
    wasmTable: { get: (index: number) => all().t.get(index) },
  };
  const make = (name: string, args: string, returns: string): unknown =>
    new Function(...Object.keys(scope), `return ${GLUES[glue](name, args, returns)}`)(...Object.values(scope));
  const instance = new api.Instance(new api.Module(bytes(MODULE)), {
    env: {
      throw_js: (x: number) => throws(x, all()),
      invoke_v: make('invoke_v', '', ''),
      invoke_ii: make('invoke_ii', 'a1', 'i'),
      invoke_dd: make('invoke_dd', 'a1', 'd'),
      invoke_jj: make('invoke_jj', 'a1', 'j'),
      invoke_iiiiiiii: make('invoke_iiiiiiii', 'a1,a2,a3,a4,a5,a6,a7', 'i'),
    },
  });
  exports = instance.exports as unknown as Exports;
  return { instance, exports, log };
}

/** All that is seen of a call. The glue's calls of `stackSave` are not: they are what is spared. */
function seen(api: Api, glue: Glue, throws: (x: number, exports: Exports) => unknown, call: (exports: Exports) => unknown): unknown {
  const { exports, log } = program(api, glue, throws);
  const first = outcome(() => call(exports));
  const after = [exports.save(), exports.threw(), log.filter((entry) => entry !== 'save')];
  // The same again: nothing of the first is left.
  exports.restore(65536);
  return [first, after, outcome(() => call(exports)), exports.save(), exports.threw()];
}

const throwing = (value: unknown) => (): never => {
  throw value;
};
const object = { what: 'an object' };
const glues = Object.keys(GLUES) as Glue[];

const THROWN: readonly (readonly [string, () => unknown])[] = [
  ['a number', throwing(5)],
  ['NaN', throwing(Number.NaN)],
  ['Infinity', throwing(Number.POSITIVE_INFINITY)],
  ['a bigint', throwing(5n)],
  ['a string', throwing('longjmp')],
  ['undefined', throwing(undefined)],
  ['null', throwing(null)],
  ['an object', throwing(object)],
  ['an Emscripten exception', throwing(new EmscriptenEH('longjmp'))],
  ['a symbol', throwing(Symbol.iterator)],
  ['an error', throwing(new TypeError('wrong'))],
  ['a range error', throwing(new RangeError('far'))],
];

describe.each(glues)('glue that catches %s', (glue) => {
  const same = (throws: (x: number, exports: Exports) => unknown, call: (exports: Exports) => unknown): void =>
    expect(seen(heddle, glue, throws, call)).toEqual(seen(v8, glue, throws, call));

  test.each([
    ['a function', (e: Exports) => e.ii(1, 21)],
    ['one without values', (e: Exports) => e.v(11)],
    ['one of f64', (e: Exports) => e.dd(7, 10)],
    ['one of i64', (e: Exports) => e.jj(6, -(2n ** 62n))],
    ['one of many', (e: Exports) => e.many(12, 1)],
    ['a null element', (e: Exports) => e.ii(0, 1)],
    ['an index beyond the table', (e: Exports) => e.ii(99, 1)],
    ['a negative index', (e: Exports) => e.ii(-1, 1)],
    ['a function of JavaScript', (e: Exports) => e.ii(5, 1)],
    ['a function of another type', (e: Exports) => e.ii(7, 3)],
    ['one that takes a bigint', (e: Exports) => e.ii(6, 3)],
    ['one without values by its result', (e: Exports) => e.ii(11, 3)],
    ['a trap', (e: Exports) => e.ii(3, 1)],
    ['an exception of WebAssembly', (e: Exports) => outcome(() => e.ii(10, 1)).toString()],
  ])('calls %s as V8 does', (_name, call) => same(() => 3, call));

  test.each(THROWN)('sees %s as V8 does', (_name, throws) => {
    for (const index of [2, 4, 8, 13]) same(throws, (e) => e.ii(index, 3));
  });

  test('sees what JavaScript does inside', () => {
    same(
      (x, exports) => (x > 0 ? exports.ii(2, x - 1) : exports.ii(1, 50)),
      (e) => e.ii(2, 4),
    );
    same(
      (x, exports) => {
        if (x > 0) return exports.ii(2, x - 1);
        throw 3;
      },
      (e) => e.ii(2, 4),
    );
    same(
      (x, exports) => exports.ii(3, x),
      (e) => e.ii(2, 4),
    );
  });

  test('sees a table that changes', () => {
    same(
      () => 3,
      (e) => {
        const before = e.ii(1, 4);
        e.t.set(1, e.t.get(2));
        return [before, e.ii(1, 4)];
      },
    );
  });

  test('is not called where nothing is thrown', () => {
    const { exports, log } = program(heddle, glue, () => 3);
    expect([exports.ii(1, 4), exports.ii(2, 4), exports.many(12, 1)]).toEqual([8, 3, 1 - (2 - (30 - (400 - (5000 - (60000 - 700000)))))]);
    exports.v(11);
    expect(log).toEqual([]);
  });

  test('ends an endless recursion with the stack pointer of the outermost', () => {
    const { exports } = program(heddle, glue, () => 3);
    for (let i = 0; i < 2; i++) {
      exports.restore(2 ** 30);
      expect(() => exports.ii(9, 1)).toThrow(expect.objectContaining({ message: expect.stringContaining('call stack') as string }));
      expect(exports.save()).toBe(2 ** 30 - 16);
    }
  });
});

const OTHERS: readonly (readonly [string, string])[] = [
  ['asks nothing', 'function f(i,a){var s=stackSave();try{return getWasmTableEntry(i)(a)}catch(e){stackRestore(s);_setThrew(1,0)}}'],
  [
    'gives other arguments',
    'function f(i,a){var s=stackSave();try{return getWasmTableEntry(i)(i)}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
  [
    'looks something else up',
    'function f(i,a){var s=stackSave();try{return getWasmTableEntry(a)(a)}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
  [
    'restores something else',
    'function f(i,a){var s=stackSave();try{return getWasmTableEntry(i)(a)}catch(e){stackRestore(a);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
  [
    'does more',
    'function f(i,a){var s=stackSave();note();try{return getWasmTableEntry(i)(a)}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
  [
    'has a comment',
    'function f(i,a){var s=stackSave();/**/try{return getWasmTableEntry(i)(a)}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
  [
    'has a default',
    'function f(i,a=note()){var s=stackSave();try{return getWasmTableEntry(i)(a)}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
  [
    'is asynchronous',
    'async function f(i,a){var s=stackSave();try{return getWasmTableEntry(i)(a)}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
  [
    'takes less',
    'function f(i){var s=stackSave();try{return getWasmTableEntry(i)()}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}',
  ],
];

/** How often the glue's `stackSave` has run when a module with one import has called a function by it. */
function runs(glue: string, fields: string, emscripten?: boolean): number {
  let count = 0;
  let exports: Exports | undefined;
  const scope = {
    stackSave: () => {
      count++;
      return 8;
    },
    stackRestore: () => undefined,
    _setThrew: () => undefined,
    getWasmTableEntry: (index: number) => exports?.t.get(index),
    note: () => undefined,
  };
  const make = new Function(...Object.keys(scope), `return ${glue}`) as (...scope: unknown[]) => unknown;
  const text = `(module (import "env" "invoke_ii" (func $i (param i32 i32) (result i32)))
    (global $sp (mut i32) (i32.const 8)) (global $other (mut i32) (i32.const 8))
    (func $d (param i32) (result i32) (i32.const 1))
    (func (export "setThrew") (param i32 i32))
    (func (export "ii") (param i32) (result i32) (call $i (i32.const 0) (local.get 0))) ${fields})`;
  const module = new heddle.Module(bytes(text), emscripten === undefined ? {} : { emscripten });
  exports = new heddle.Instance(module, { env: { invoke_ii: make(...Object.values(scope)) } }).exports as unknown as Exports;
  exports.ii(0, 1);
  return count;
}

const TABLE = '(table $t (export "t") funcref (elem $d))';
const SAVE = '(func (export "save") (result i32) (global.get $sp))';
const RESTORE = '(func (export "restore") (param i32) (global.set $sp (local.get 0)))';
const ALL = `${TABLE} ${SAVE} ${RESTORE}`;
const GLUE =
  'function f(i,a){var s=stackSave();try{return getWasmTableEntry(i)(a)}catch(e){stackRestore(s);if(e!==e+0)throw e;_setThrew(1,0)}}';

describe('glue is known', () => {
  test('by its text', () => expect(runs(GLUE, ALL)).toBe(0));
  test.each(OTHERS)('and is not where it %s', (_name, glue) => expect(runs(glue, ALL)).toBe(1));
  test('by its name where that is said', () => expect(runs(OTHERS[5]?.[1] ?? '', ALL, true)).toBe(0));
  test('and called where that is said', () => expect(runs(GLUE, ALL, false)).toBe(1));
  test.each([
    ['no table', `${SAVE} ${RESTORE} (table $t funcref (elem $d)) (func (export "t"))`],
    ['two tables', `${ALL} (table (export "u") 1 funcref)`],
    ['no getter', `${TABLE} ${RESTORE}`],
    ['no setter', `${TABLE} ${SAVE}`],
    ['a getter of another global', `${TABLE} (func (export "save") (result i32) (global.get $other)) ${RESTORE}`],
    ['a setter that does more', `${TABLE} ${SAVE} (func (export "restore") (param i32) (global.set $sp (local.get 0)) nop)`],
    [
      'getters and setters of two globals',
      `${ALL} (func (export "save2") (result i32) (global.get $other)) (func (export "restore2") (param i32) (global.set $other (local.get 0)))`,
    ],
  ])('and called where the module exports %s', (name, fields) => {
    if (name === 'no table') expect(() => runs(GLUE, fields)).toThrow();
    else expect(runs(GLUE, fields)).toBe(1);
  });
});

describe('inside such a call', () => {
  /** A program whose import waits for a promise, inside an invoke, and what its export `f` comes to. */
  const waits = (promise: () => Promise<number>): Promise<unknown> => {
    let exports: Exports | undefined;
    const scope = {
      stackSave: () => exports?.save(),
      stackRestore: (sp: number) => exports?.restore(sp),
      _setThrew: (a: number, b: number) => exports?.setThrew(a, b),
      getWasmTableEntry: (index: number) => exports?.t.get(index),
    };
    const glue: unknown = new Function(...Object.keys(scope), `return ${GLUE}`)(...Object.values(scope));
    const made = run(
      heddle,
      `(module (import "env" "invoke_ii" (func $i (param i32 i32) (result i32))) (import "env" "wait" (func $wait (param i32) (result i32)))
        (global $sp (mut i32) (i32.const 1024)) (global $threw (mut i32) (i32.const 0)) ${ALL}
        (func $d (param i32) (result i32) (global.set $sp (i32.const 512)) (call $wait (local.get 0)) (global.set $sp (i32.const 1024)))
        (func (export "setThrew") (param i32 i32) (global.set $threw (local.get 0)))
        (func (export "f") (param i32) (result i32)
          (i32.add (i32.mul (call $i (i32.const 0) (local.get 0)) (i32.const 10)) (global.get $threw))))`,
      { env: { invoke_ii: glue, wait: new WebAssembly.Suspending(promise) } },
    );
    exports = made as unknown as Exports;
    const ending = (how: string) => [how, exports?.save()];
    return WebAssembly.promising(made['f'] as unknown as (x: number) => number)(4).then(
      (value) => ending(`returned ${String(value)}`),
      (error: unknown) => ending(`threw ${String(error)}`),
    );
  };

  test('an import waits', async () => expect(await waits(() => Promise.resolve(7))).toEqual(['returned 70', 1024]));
  test('a promise is rejected with what the glue catches', async () =>
    expect(await waits(() => Promise.reject(5 as unknown as Error))).toEqual(['returned 1', 1024]));
  test('a promise is rejected with what it does not', async () =>
    expect(await waits(() => Promise.reject(new Error('no')))).toEqual(['threw Error: no', 1024]));
});

test('an instance that is disposed of calls nothing by it', () => {
  const { instance, exports } = program(heddle, 'a number', () => 3);
  dispose(instance as WebAssembly.Instance);
  expect(() => exports.ii(1, 4)).toThrow(expect.objectContaining({ code: 'HEDDLE_DISPOSED' }));
});

test('what is thrown survives a collection on its way', () => {
  const { exports } = program(heddle, 'a number', () => {
    collect();
    throw 5;
  });
  for (let i = 0; i < 3; i++) expect([exports.ii(2, 4), exports.threw()]).toEqual([0, 1]);
});

test('a trap inside names the functions around it', () => {
  const { exports } = program(heddle, 'a number', () => 3);
  let stack = '';
  try {
    exports.ii(3, 1);
  } catch (error) {
    stack = String((error as Error).stack);
  }
  const names = stack.split('\n').flatMap((line) => /at (\S+) \(.*wasm-function/.exec(line)?.[1] ?? []);
  expect(names).toEqual(['traps', 'ii']);
});
