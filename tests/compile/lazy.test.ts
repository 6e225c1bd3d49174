/** Modules whose functions are made at their first calls (docs/decisions/0037): what is made when, and that programs see no difference. Expectations are arithmetic, or V8's. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { call, parseWat, statistics, WebAssembly } from '../../ts/index.js';
import { resultOf } from '../traps/child.js';

type Exports = Record<string, (...args: never[]) => unknown>;

function lazily(text: string, imports: WebAssembly.Imports = {}): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(parseWat(text), { compile: 'lazy' }), imports).exports as Exports;
}

const run = (exports: Exports, name: string, ...args: unknown[]): unknown => (exports[name] as (...args: unknown[]) => unknown)(...args);
/** Bytes of machine code that something adds. */
function added(action: () => void): number {
  const before = statistics().codeBytes;
  action();
  return statistics().codeBytes - before;
}
const program = (name: string): URL => new URL(`programs/${name}.mjs`, import.meta.url);

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('what is made when', () => {
  test('a function by its first call, once, and no other', () => {
    const text = `(module (func (export "f") (result i32) (i32.const 42)) (func (export "g") (result i32) (i32.const 43)))`;
    const exports = lazily(text);
    expect(added(() => expect(run(exports, 'f')).toBe(42))).toBeGreaterThan(0);
    expect(added(() => expect(run(exports, 'f')).toBe(42))).toBe(0);
    expect(added(() => expect(run(exports, 'g')).toBe(43))).toBeGreaterThan(0);
  });

  test('a second instance finds what the first has made', () => {
    const module = new WebAssembly.Module(parseWat('(module (func (export "f") (result i32) (i32.const 7)))'), { compile: 'lazy' });
    const make = (): Exports => new WebAssembly.Instance(module).exports as Exports;
    const [first, early] = [make(), make()];
    run(first, 'f');
    const late = make();
    expect(added(() => expect([run(early, 'f'), run(late, 'f')]).toEqual([7, 7]))).toBe(0);
  });

  test('all of it before the module is there, where that is asked for', () => {
    vi.stubEnv('HEDDLE_COMPILE', 'lazy');
    const bytes = parseWat('(module (func (export "f") (result i32) (i32.const 11)))');
    const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes, { compile: 'eager' })).exports as Exports;
    expect(added(() => expect(run(exports, 'f')).toBe(11))).toBe(0);
  });

  test('by HEDDLE_COMPILE, which must be one of the two', () => {
    vi.stubEnv('HEDDLE_COMPILE', 'lazy');
    vi.stubEnv('HEDDLE_CACHE', 'off');
    const bytes = parseWat('(module (func (export "f") (result i32) (i32.const 12)))');
    const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports;
    expect(added(() => expect(run(exports, 'f')).toBe(12))).toBeGreaterThan(0);
    vi.stubEnv('HEDDLE_COMPILE', 'never');
    expect(() => new WebAssembly.Module(bytes)).toThrow(/^HEDDLE_COMPILE must be lazy or eager, not never$/);
    expect(() => new WebAssembly.Module(bytes, { compile: 'never' as 'lazy' })).toThrow(TypeError);
  });

  test('errors of the module come with the module', () => {
    const open = (text: string | Uint8Array): unknown =>
      new WebAssembly.Module(typeof text === 'string' ? parseWat(text) : (text as Uint8Array<ArrayBuffer>), { compile: 'lazy' });
    // The body says that it gives an i32 and gives none.
    const invalid = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 10, 4, 1, 2, 0, 11];
    expect(() => open(new Uint8Array(invalid))).toThrow(WebAssembly.CompileError);
    const refused = (text: string): unknown => {
      try {
        open(text);
        return 'opened';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const asyncify = '(import "asyncify" "start_unwind" (func $start (param i32))) (import "asyncify" "stop_unwind" (func $stop))';
    expect(refused(`(module ${asyncify} (memory 1) (func (call $start (i32.const 0)) (call $stop)))`)).toBe('HEDDLE_UNSUPPORTED');
    const loops = 251;
    expect(refused(`(module (func ${'(loop '.repeat(loops)}${')'.repeat(loops)}))`)).toBe('HEDDLE_LIMIT');
  });
});

/** Each function that is called takes and gives other kinds of values, some on the stack; each way of calling is its first call. */
const KINDS = `(module
  (type $mixed (func (param i32 i64 f32 f64 v128 externref i32 i64 f32 f64 i32 i64 i64 f64 f64 f64 f64) (result f64)))
  (type $many (func (param i32) (result i32 i64 f32 f64 i32 i32 i32 i32 i32 i32)))
  (table $t 2 funcref) (elem (i32.const 0) $by_table $many_by_table) (elem declare func $by_reference)
  (global $kept (mut externref) (ref.null extern))
  ${['direct', 'by_table', 'by_reference', 'by_tail']
    .map(
      (name) => `(func $${name} (type $mixed)
    (global.set $kept (local.get 5))
    (f64.add (f64.add (f64.convert_i32_s (i32.add (local.get 0) (local.get 6))) (f64.convert_i64_s (i64.add (local.get 1) (local.get 7))))
      (f64.add (f64.add (f64.promote_f32 (f32.add (local.get 2) (local.get 8))) (f64.add (local.get 3) (local.get 9)))
        (f64.add (f64.convert_i32_s (i32.add (local.get 10) (i32x4.extract_lane 3 (local.get 4))))
          (f64.add (f64.convert_i64_s (i64.add (local.get 11) (local.get 12)))
            (f64.add (f64.add (local.get 13) (local.get 14)) (f64.add (local.get 15) (local.get 16))))))))`,
    )
    .join('\n')}
  (func $many_by_table (type $many)
    (i32.add (local.get 0) (i32.const 1)) (i64.const 2) (f32.const 3) (f64.const 4)
    (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10))
  (func $arguments (param externref) (result i32 i64 f32 f64 v128 externref i32 i64 f32 f64 i32 i64 i64 f64 f64 f64 f64)
    (i32.const 1) (i64.const 2) (f32.const 4) (f64.const 8) (v128.const i32x4 0 0 0 16) (local.get 0) (i32.const 32) (i64.const 64)
    (f32.const 128) (f64.const 256) (i32.const 512) (i64.const 1024) (i64.const 2048) (f64.const 4096) (f64.const 8192) (f64.const 16384)
    (f64.const 32768))
  (func (export "direct") (param externref) (result f64) (call $direct (call $arguments (local.get 0))))
  (func (export "by_table") (param externref) (result f64)
    (call_indirect $t (type $mixed) (call $arguments (local.get 0)) (i32.const 0)))
  (func (export "by_reference") (param externref) (result f64)
    (call_ref $mixed (call $arguments (local.get 0)) (ref.func $by_reference)))
  (func (export "by_tail") (param externref) (result f64) (return_call $by_tail (call $arguments (local.get 0))))
  (func (export "many") (result i32 i64 f32 f64 i32 i32 i32 i32 i32 i32) (call_indirect $t (type $many) (i32.const 100) (i32.const 1)))
  (func (export "kept") (result externref) (global.get $kept)))`;

describe('a first call', () => {
  test.each(['direct', 'by_table', 'by_reference', 'by_tail'])('%s has all of its arguments', (name) => {
    const exports = lazily(KINDS);
    const value = { name };
    // Each argument is another power of two.
    for (let i = 0; i < 3; i++) expect(run(exports, name, value)).toBe(2 ** 16 - 1);
    expect(run(exports, 'kept')).toBe(value);
  });

  test('gives many results', () => {
    const exports = lazily(KINDS);
    for (let i = 0; i < 2; i++) expect(run(exports, 'many')).toEqual([101, 2n, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('is where a continuation begins, and where one goes on into', () => {
    const exports = lazily(`(module
      (type $f (func (param i32) (result i32))) (type $k (cont $f)) (type $g (func (param i32) (result i32))) (type $gk (cont $g))
      (tag $t (param i32) (result i32)) (elem declare func $body)
      (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
      (func $body (param i32) (result i32) (call $twice (suspend $t (call $twice (local.get 0)))))
      (func (export "f") (param i32) (result i32) (local $c (ref null $gk)) (local $v i32)
        (block $on (result i32 (ref $gk))
          (resume $k (on $t $on) (local.get 0) (cont.new $k (ref.func $body)))
          (return))
        (local.set $c) (local.set $v)
        (resume $gk (i32.add (local.get $v) (i32.const 1)) (local.get $c))))`);
    // 2 (2 n + 1)
    for (const n of [1, 5, 100]) expect(run(exports, 'f', n)).toBe(2 * (2 * n + 1));
  });

  test('throws to handlers around it, and traps with its own frames', () => {
    const exports = lazily(`(module
      (tag $e (param i32))
      (func $thrower (param i32) (throw $e (i32.add (local.get 0) (i32.const 1))))
      (func $trapper unreachable)
      (func (export "caught") (param i32) (result i32)
        (block $h (result i32) (try_table (catch $e $h) (call $thrower (local.get 0))) (i32.const -1)))
      (func $outer (export "trapped") (call $trapper)))`);
    for (let i = 0; i < 3; i++) expect(run(exports, 'caught', i)).toBe(i + 1);
    for (let i = 0; i < 2; i++) {
      const error = catching(() => run(exports, 'trapped'));
      expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
      const frames = [...(error.stack ?? '').matchAll(/at .*?(trapper|trapped|outer)/g)].map((found) => found[1]);
      expect(frames).toEqual(['trapper', 'outer']);
    }
  });
});

function catching(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** A function that takes a while to compile. */
const LARGE = `(func $large (export "large") (param i32) (result i32)
  ${Array.from({ length: 6000 }, (_, i) => `(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const ${2 * i + 3})) (i32.const ${i})))`).join('\n')}
  (local.get 0))`;
/** The same in JavaScript. */
function large(n: number): number {
  let value = n;
  for (let i = 0; i < 6000; i++) value = (Math.imul(value, 2 * i + 3) + i) | 0;
  return value;
}

describe('a first call that does not come to its end', () => {
  test('ends by a deadline, and the next one has the function made where the first has not', () => {
    const exports = lazily(`(module ${LARGE})`);
    const wait = (): unknown => call(exports['large'] as (n: number) => number, [5], { deadline: 1 });
    expect(catching(wait)).toMatchObject({ code: 'HEDDLE_TRAP_DEADLINE' });
    expect(run(exports, 'large', 5)).toBe(large(5));
  });

  test('is a RangeError near the end of the stack, and the next call tries again', () => {
    let depth = 0;
    // Room is measured by going as deep as it gets, calling on the way back.
    const exports = lazily(
      `(module (import "m" "down" (func $down)) (func $leaf (export "leaf") (result i32) (i32.const 3))
      (func (export "f") (call $down)) ${LARGE})`,
      {
        m: {
          down: () => {
            depth++;
            run(exports, 'f');
          },
        },
      },
    );
    const errors = new Set<string>();
    const deep = (frames: number): unknown => {
      if (frames % 100 !== 0) return deep(frames + 1);
      try {
        return deep(frames + 1);
      } catch (error) {
        errors.add((error as Error).name);
        return run(exports, 'large', 1);
      }
    };
    expect(catching(() => run(exports, 'f'))).toBeInstanceOf(RangeError);
    expect(depth).toBeGreaterThan(100);
    // Frame by frame on the way back there is more room, up to what a compile needs.
    expect(deep(0)).toBe(large(1));
    expect([...errors]).toEqual(['RangeError']);
    expect(run(exports, 'leaf')).toBe(3);
  });

  test('ends by worker.terminate() and by a time limit of node:vm, and can be made later', async () => {
    expect(await resultOf(program('lazy_ended'))).toEqual({ terminated: 1, limited: 'ERR_SCRIPT_EXECUTION_TIMEOUT', after: true });
  }, 60_000);
});

describe('the cache', () => {
  const folders: string[] = [];
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'heddle-lazy-'));
    folders.push(made);
    return made;
  };
  afterAll(() => {
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  });
  interface Found {
    readonly made: number;
    readonly entries: readonly string[];
  }
  const runWith = (cache: string, compile: string, args: readonly string[] = []): Promise<Found> =>
    resultOf<Found>(program('lazy_cached'), { args, env: { HEDDLE_CACHE: cache, HEDDLE_COMPILE: compile } });
  const hash = (...path: string[]): string =>
    createHash('sha256')
      .update(readFileSync(join(...path)))
      .digest('hex');

  test('gets all of the module once no more functions are made: the same bytes as of an eager compile', async () => {
    const [eager, lazy] = [folder(), folder()];
    const { made, entries } = await runWith(eager, 'eager');
    expect([made, entries.length]).toEqual([0, 1]);
    expect(await runWith(lazy, 'lazy')).toEqual({ made: 1, entries });
    expect(hash(lazy, `${entries[0]}`)).toBe(hash(eager, `${entries[0]}`));
    // It is what the next process runs.
    expect((await runWith(lazy, 'lazy')).made).toBe(0);
  }, 120_000);

  test('is not waited for by a process that ends, which leaves what it has made to the next', async () => {
    const cache = folder();
    expect(await runWith(cache, 'lazy', ['end'])).toEqual({ made: 1, entries: [] });
    expect((await runWith(cache, 'lazy', ['end'])).made).toBe(0);
    // Another function is made by another process, and both are there for the third.
    expect((await runWith(cache, 'lazy', ['end', 'g'])).made).toBe(1);
    expect((await runWith(cache, 'lazy', ['end', 'g'])).made).toBe(0);
    expect((await runWith(cache, 'lazy', ['end'])).made).toBe(0);
    // Then all of it, as if nothing had been left.
    const { entries } = await runWith(folder(), 'eager');
    const waiting = await runWith(cache, 'lazy', ['wait', `${entries[0]}`]);
    expect(waiting.entries).toContain(entries[0]);
  }, 120_000);

  test('is filled by a thread of a low priority, for which no process waits that has no more to do', async () => {
    const { lower, whole } = await resultOf<{ lower: number; whole: number }>(program('lazy_left'), { env: { HEDDLE_CACHE: folder() } });
    expect(lower).toBeGreaterThan(0);
    expect(whole).toBe(0);
  }, 60_000);
});

describe('beside other things', () => {
  test('code that nobody calls any more is collected', async () => {
    const { left } = await resultOf<{ left: number }>(program('lazy_collected'), { flags: ['--expose-gc'], env: { HEDDLE_CACHE: 'off' } });
    // The last one may be found on a stack.
    expect(left).toBeLessThan(4);
  }, 60_000);

  test('2,000 modules take no descriptors, and give back the memory of their code', async () => {
    const found = await resultOf<{ right: number; added: number; bytes: number; after: number }>(program('lazy_many'), {
      flags: ['--expose-gc'],
      env: { HEDDLE_CACHE: 'off' },
    });
    expect(found).toMatchObject({ right: 2000, added: 0 });
    // Each has a page at least. Some may be found on a stack.
    expect(found.bytes).toBeGreaterThanOrEqual(2000 * 4096);
    expect(found.after).toBeLessThan(found.bytes / 100);
  }, 120_000);

  test('built-in objects that were changed meanwhile change nothing', async () => {
    expect(await resultOf(program('lazy_patched'))).toEqual({ before: 6, after: [10, 24, 'function trapper'], inlined: 45 });
  }, 60_000);

  test('where the system gives no room for code that grows, all of it is compiled', async () => {
    expect(await resultOf(program('lazy_refused'), { env: { HEDDLE_COMPILE: 'lazy' } })).toEqual({ result: 42, added: 0 });
  }, 60_000);
});
