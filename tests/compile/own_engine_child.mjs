// What tests/compile/own_engine.test.ts looks at, each in a process of its own: `node own_engine_child.mjs CASE`. Prints JSON.
import assert from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import * as heddle from '../../dist/ts/index.js';

const inner = (path) => import(new URL(`../../dist/ts/${path}.js`, import.meta.url).href);
const { withCrate } = await inner('source/crate');
const { compileModuleSync } = await inner('compile/compile');
const { serializeArtifact } = await inner('compile/artifact');
const { baselineFeatures } = await inner('compile/settings');
const { codegenEngine, hasCodegenEngine } = await inner('instance/engine');

const { WebAssembly: Heddle, call, configure, parseWat, statistics } = heddle;
const gofmt = readFileSync(new URL('../../node_modules/@wasm-fmt/gofmt/gofmt.wasm', import.meta.url));

/** The code generator's engine on this thread; undefined where none was made. */
const engine = () => (hasCodegenEngine() ? codegenEngine() : undefined);

/** A module of many kinds of operators, in text. */
const text = `(module (memory 1) (table 2 funcref) (elem (i32.const 0) $f $g)
  (type $t (func (param i32) (result i32)))
  (func $f (type $t) (local.get 0) (i32.const 3) (i32.mul))
  (func $g (type $t) (i32.load (local.get 0)) (call_indirect (type $t) (i32.const 0)))
  (func (export "sum") (param i32) (result i32) (local i32)
    (loop $l (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func (export "deep") (result f64) ${'(f64.add (f64.const 1) '.repeat(200)}(f64.const 0)${')'.repeat(200)}))`;

function codeOf(bytes) {
  const options = { target: 'x64', cpu: baselineFeatures('x64'), workers: 0, verify: false };
  return createHash('sha256')
    .update(Buffer.concat(serializeArtifact(compileModuleSync(bytes, options))))
    .digest('hex');
}

/** A function that calls `during` from inside WebAssembly, and returns what `run` returns of 3 after it. */
function outer(during) {
  const bytes = parseWat(`(module (import "" "f" (func $f (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))
    (func (export "loop") (drop (call $f (i32.const 3))) (loop $l (br $l))))`);
  return new Heddle.Instance(new Heddle.Module(bytes), { '': { f: during } }).exports;
}

const sum = (n) => new Heddle.Instance(new Heddle.Module(parseWat(text))).exports.sum(n);

/** Makes the code generator panic: a block without an end is what its own checks do not see. */
const panic = () =>
  withCrate((crate) =>
    crate.compile_text('x86_64-unknown-linux-gnu', '', 'function u0:0(i32) -> i32 tail {\nblock0(v0: i32):\n v1 = iadd v0, v0\n}'),
  );

function codeThrown(run) {
  try {
    run();
    return 'nothing';
  } catch (error) {
    return error.code ?? error.name;
  }
}

/** Counters that a compile may not touch. */
function counters() {
  const { compileMilliseconds: _, ...rest } = statistics({ stacks: true });
  return rest;
}

const cases = {
  /** The code of a module that is compiled on this thread. */
  code: () => ({ code: codeOf(parseWat(text)), own: engine() !== undefined }),

  large: () => ({ code: codeOf(gofmt), own: engine() !== undefined }),

  nested() {
    const depths = [];
    const { run } = outer((n) => {
      depths.push(n);
      if (n > 0) {
        assert.strictEqual(
          codeThrown(() => new Heddle.Module(Uint8Array.of(1))),
          'HEDDLE_INVALID_MODULE',
        );
        return outer(() => sum(n)).run(0);
      }
      throw new Error('not called');
    });
    const trap = new Heddle.Instance(new Heddle.Module(parseWat('(module (func (export "f") unreachable))'))).exports.f;
    const trapping = outer(() => {
      sum(1);
      return trap();
    });
    return { result: run(10), trap: codeThrown(() => trapping.run(1)), again: run(4), depths };
  },

  deadline() {
    const code = codeOf(parseWat(text));
    let inside;
    const { loop } = outer(() => {
      const end = performance.now() + 200;
      do inside = codeOf(parseWat(text));
      while (performance.now() < end);
      return 1;
    });
    // When the import ends the deadline has passed: the compiles in it are neither ended nor refused, and the call is.
    const ended = codeThrown(() => call(loop, [], { deadline: 20 }));
    return { same: inside === code, ended, after: sum(4) };
  },

  options() {
    configure({
      stack: { strategy: 'mmap', size: 16384, maximum: 1, memory: 65536, warm: 0, budget: 0 },
      entryStackSize: 16384,
      collect: 'always',
    });
    return { code: codeOf(parseWat(text)), sum: sum(4), collections: engine()?.statistics().collections };
  },

  statistics() {
    heddle.collect();
    const before = counters();
    const bytes = parseWat(text);
    Heddle.validate(bytes);
    codeOf(bytes);
    codeThrown(panic);
    codeOf(bytes);
    assert.deepStrictEqual(counters(), before);
    assert.deepStrictEqual(heddle.inspect().fibers, []);
    return { entries: (engine()?.statistics().entries ?? 0) > 0 };
  },

  environment() {
    const code = codeOf(parseWat(text));
    const { collections, hibernations, snapshotChecks } = engine().statistics();
    return { code, collections, hibernations, snapshotChecks, sum: sum(4) };
  },

  panic() {
    const code = codeOf(parseWat(text));
    const seen = [];
    const { run } = outer((n) => {
      for (let i = 0; i < 3; i++) seen.push(codeThrown(panic));
      return sum(n);
    });
    return { result: run(4), seen, same: codeOf(parseWat(text)) === code };
  },

  /** A panic's message goes to `console.error`, which is the program's and may compile. */
  panicking() {
    const code = codeOf(parseWat(text));
    const inside = [];
    console.error = () =>
      inside.push(
        codeOf(parseWat(text)) === code,
        codeThrown(() => parseWat('(')),
      );
    const ended = codeThrown(panic);
    return { ended, inside, same: codeOf(parseWat(text)) === code };
  },

  exit() {
    console.error = () => process.exit(7);
    outer(() => panic()).run(1);
  },

  timeout() {
    const code = codeOf(parseWat(text));
    globalThis.compile = () => codeOf(gofmt);
    const ended = [];
    for (const timeout of [20, 60, 110]) ended.push(codeThrown(() => vm.runInThisContext('compile()', { timeout })));
    const { run } = outer((n) => {
      codeThrown(() => vm.runInThisContext('compile()', { timeout: 70 }));
      return sum(n);
    });
    return { ended, result: run(4), same: codeOf(parseWat(text)) === code };
  },

  /** At the end of the thread's own stack, and on the way back from there. */
  depth() {
    const bytes = parseWat('(module (func (export "f") (result i32) (i32.const 42)))');
    let failed = 0;
    let back = 0;
    const down = () => {
      let value;
      try {
        value = down();
      } catch {
        failed++;
      }
      if (value !== undefined || back++ % 64 !== 0) return value;
      try {
        return new Heddle.Instance(new Heddle.Module(bytes)).exports.f();
      } catch (error) {
        if (!(error instanceof RangeError) && error.code !== 'HEDDLE_UNSUPPORTED') throw error;
        return undefined;
      }
    };
    const first = down();
    return { first, inside: outer(() => down()).run(0), failed: failed > 0 };
  },

  async terminate() {
    const code = codeOf(parseWat(text));
    const exits = [];
    for (const wait of [5, 60, 130]) {
      const worker = new Worker(new URL(import.meta.url), { argv: ['endless'], workerData: {} });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await new Promise((resolve) => setTimeout(resolve, wait));
      exits.push(await worker.terminate());
    }
    return { exits, same: codeOf(parseWat(text)) === code };
  },

  /** In a worker that is terminated: compiles for ever, inside a call. */
  endless() {
    parentPort.postMessage('begun');
    outer(() => {
      for (;;) codeOf(gofmt);
    }).run(1);
  },

  async threads() {
    const one = () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { argv: ['code'], workerData: { post: true } });
        worker.once('message', resolve).once('error', reject);
      });
    const [a, b] = await Promise.all([one(), one()]);
    return { a, b, here: cases.code() };
  },

  changed() {
    const { map } = Array.prototype;
    Array.prototype.map = function (...args) {
      return map.apply(this, args).slice(0, 1);
    };
    return { sum: sum(4), made: engine() !== undefined };
  },

  async cached() {
    const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    new Heddle.Instance(new Heddle.Module(bytes));
    await Heddle.instantiate(bytes);
    return { made: engine() !== undefined };
  },
};

const result = await cases[process.argv[2]]();
if (isMainThread) console.log(JSON.stringify(result));
else if (workerData.post) parentPort.postMessage(result);
