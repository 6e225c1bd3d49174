import { describe, expect, test } from 'vitest';
import { call } from '../../ts/index.js';
import { type AnyInstance, type Api, exported, heddle, outcome, run, v8 } from './oracle.js';

/** Asks twice, by suspending; the question's tag and the function are exported in every way there is. */
const LIBRARY = `(module $library
  (type $f (func (param i32) (result i32)))
  (tag $question (export "question") (param i32) (result i32))
  (func $ask (export "ask") (type $f)
    (i32.add (suspend $question (local.get 0)) (suspend $question (i32.add (local.get 0) (i32.const 1)))))
  (table (export "table") funcref (elem $ask))
  (global (export "global") (ref $f) (ref.func $ask))
  (func (export "reference") (result funcref) (ref.func $ask)))`;

/** Answers each question with ten times it. The imports, and how the library's function is called, are left open. */
const main = (imports: string, body: string): string => `(module $main
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "library" "question" (tag $question (param i32) (result i32)))
  ${imports}
  (func $body (type $f) ${body})
  (elem declare func $body)
  (func (export "main") (param $x i32) (result i32) (local $k (ref null $k)) (local $asked i32)
    (local.set $k (cont.new $k (ref.func $body)))
    (loop $again
      (block $on (result i32 (ref $k))
        (return (resume $k (on $question $on) (local.get $x) (local.get $k))))
      (local.set $k) (local.set $asked)
      (local.set $x (i32.mul (local.get $asked) (i32.const 10)))
      (br $again))
    (unreachable)))`;

const IMPORTED = '(import "library" "ask" (func $ask (type $f)))';

describe('a suspension in one instance is handled in another', () => {
  const ways: readonly (readonly [name: string, imports: string, body: string])[] = [
    ['an import', IMPORTED, '(call $ask (local.get 0))'],
    ['a tail call', IMPORTED, '(return_call $ask (local.get 0))'],
    ['a table', '(import "library" "table" (table 1 funcref))', '(call_indirect (type $f) (local.get 0) (i32.const 0))'],
    ['a global', '(import "library" "global" (global $g (ref $f)))', '(call_ref $f (local.get 0) (global.get $g))'],
  ];

  test.each(ways)('called through %s', (_way, imports, body) => {
    const library = run(heddle, LIBRARY);
    // main(4) asks 4 and 5 and adds the answers, 40 and 50.
    expect(run(heddle, main(imports, body), { library })['main']?.(4)).toBe(90);
  });

  test('called through a reference that came by way of JavaScript', () => {
    const library = run(heddle, LIBRARY);
    const text = main('(table $t (export "t") 1 funcref)', '(call_indirect $t (type $f) (local.get 0) (i32.const 0))');
    const e = run(heddle, text, { library });
    e['t']?.set(0, library['reference']?.());
    expect(e['main']?.(4)).toBe(90);
  });

  test('called through a third instance that exports it again', () => {
    const library = run(heddle, LIBRARY);
    const middle = run(heddle, '(module (import "l" "ask" (func $a (param i32) (result i32))) (export "ask" (func $a)))', { l: library });
    expect(middle['ask']).toBe(library['ask']);
    const text = main(IMPORTED, '(call $ask (local.get 0))');
    expect(run(heddle, text, { library: { ask: middle['ask'], question: library['question'] } })['main']?.(4)).toBe(90);
  });

  test('the tag is by instance, not by module or name', () => {
    const [a, b] = [run(heddle, LIBRARY), run(heddle, LIBRARY)];
    const e = run(heddle, main(IMPORTED, '(call $ask (local.get 0))'), { library: { ask: a['ask'], question: b['question'] } });
    expect(() => e['main']?.(4)).toThrow(
      expect.objectContaining({ code: 'HEDDLE_TRAP_UNHANDLED_TAG', message: expect.stringContaining('question') }),
    );
  });

  test.each([
    ['a JavaScript function', (ask: unknown) => (x: unknown) => (ask as (x: unknown) => unknown)(x)],
    ['call()', (ask: unknown) => (x: unknown) => call(ask as (x: unknown) => unknown, [x])],
    ['a bound function', (ask: unknown) => (ask as () => unknown).bind(undefined)],
    ['a proxy', (ask: unknown) => new Proxy(ask as () => unknown, {})],
    [
      'V8',
      (ask: unknown) =>
        exported(v8, '(module (import "m" "f" (func $f (param i32) (result i32))) (export "f" (func $f)))', 'f', {
          m: { f: (x: unknown) => (ask as (x: unknown) => unknown)(x) },
        }),
    ],
  ])('but not across %s', (_between, wrap) => {
    const library = run(heddle, LIBRARY);
    const e = run(heddle, main(IMPORTED, '(call $ask (local.get 0))'), {
      library: { ask: wrap(library['ask']), question: library['question'] },
    });
    expect(() => e['main']?.(4)).toThrow(
      expect.objectContaining({
        code: 'HEDDLE_TRAP_BARRIER',
        message: expect.stringMatching(/^suspension would cross a barrier: library\.ask$/),
      }),
    );
    expect(() => library['ask']?.(1)).toThrow(expect.objectContaining({ code: 'HEDDLE_TRAP_UNHANDLED_TAG' }));
  });
});

test('a trap in a linked instance has no JavaScript between its frames', () => {
  const library = run(heddle, '(module $library (func $deep unreachable) (func $shallow (export "f") (call $deep)))');
  const e = run(heddle, '(module $main (import "l" "f" (func $f)) (func $go (export "go") (call $f)))', { l: library });
  const stack = stackOf(() => e['go']?.());
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  expect(frames.slice(0, 3).map((line) => line.split(' ')[5])).toEqual(['deep', 'shallow', 'go']);
});

function stackOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? (error.stack ?? '') : '';
  }
  return 'nothing was thrown';
}

describe('state that instances share', () => {
  test.each<[string, (api: Api) => unknown]>([
    ['memory', (api) => sharedMemory(api)],
    ['table', (api) => sharedTable(api)],
    ['global', (api) => sharedGlobal(api)],
  ])('a %s', (_kind, story) => {
    expect(story(heddle)).toEqual(story(v8));
  });

  function sharedMemory(api: Api): unknown[] {
    const a = run(
      api,
      `(module (memory (export "m") 1 3) (func (export "size") (result i32) memory.size)
      (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))`,
    );
    const b = run(
      api,
      `(module (import "a" "m" (memory 1)) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))`,
      { a },
    );
    const steps: unknown[] = [a['size']?.(), b['store']?.(7, 8), a['load']?.(7), outcome(() => a['load']?.(65_536))];
    steps.push(b['grow']?.(1), a['size']?.(), a['load']?.(65_536), b['store']?.(131_071, 9), a['load']?.(131_071));
    steps.push(b['grow']?.(2), b['grow']?.(1), a['size']?.(), a['m']?.buffer.byteLength);
    return steps;
  }

  function sharedTable(api: Api): unknown[] {
    const a = run(
      api,
      `(module (table (export "t") 1 4 funcref)
      (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))`,
    );
    const b = run(
      api,
      `(module (import "a" "t" (table $t 1 funcref)) (func $f (result i32) (i32.const 5)) (elem declare func $f)
      (func (export "grow") (result i32) (table.grow $t (ref.func $f) (i32.const 1)))
      (elem (i32.const 0) $f))`,
      { a },
    );
    return [a['call']?.(0), outcome(() => a['call']?.(1)), b['grow']?.(), a['call']?.(1), a['t']?.length];
  }

  function sharedGlobal(api: Api): unknown[] {
    const a = run(api, `(module (global (export "g") (mut i64) (i64.const 1)) (func (export "get") (result i64) (global.get 0)))`);
    const b = run(api, '(module (import "a" "g" (global (mut i64))) (func (export "set") (param i64) (global.set 0 (local.get 0))))', {
      a,
    });
    return [a['get']?.(), b['set']?.(-5n), a['get']?.(), a['g']?.value];
  }
});

describe('an instance that fails', () => {
  const FAILING: readonly (readonly [name: string, text: string])[] = [
    ['data', '(module (memory 1) (data (i32.const 65536) "a"))'],
    ['elements', '(module (table 1 funcref) (func $f) (elem (i32.const 1) $f))'],
    ['an empty segment beyond the end', '(module (memory 1) (data (i32.const 65537) ""))'],
    ['an empty segment at the end', '(module (memory 1) (data (i32.const 65536) ""))'],
    ['a start function', '(module (func $f unreachable) (start $f))'],
    ['a start function that overflows the stack', '(module (func $f (call $f)) (start $f))'],
    ['a start function that divides by zero', '(module (func $f (drop (i32.div_u (i32.const 1) (i32.const 0)))) (start $f))'],
  ];

  test.each(FAILING)('%s', (_name, text) => {
    expect(outcome(() => run(heddle, text))).toBe(outcome(() => run(v8, text)));
  });

  test('leaves what was written before, in what it shares', () => {
    const story = (api: Api): unknown[] => {
      const m = new api.Memory({ initial: 1 });
      const t = new api.Table({ element: 'anyfunc', initial: 2 });
      const text = `(module (import "m" "m" (memory 1)) (import "m" "t" (table 2 funcref)) (func $f (result i32) (i32.const 9))
        (elem (i32.const 0) $f) (data (i32.const 0) "ab") (data (i32.const 65535) "xy"))`;
      const end = outcome(() => run(api, text, { m: { m, t } }));
      return [end, ...new Uint8Array(m.buffer, 0, 2), new Uint8Array(m.buffer)[65_535], (t.get(0) as () => unknown)(), t.get(1)];
    };
    expect(story(heddle)).toEqual(story(v8));
  });
});

test('a hundred instances of one module', () => {
  const text = `(module (import "m" "n" (global $n i32)) (memory (export "m") 1) (data (global.get $n) "x")
    (func (export "n") (result i32) (global.get $n)))`;
  const all: AnyInstance['exports'][] = [];
  for (let n = 0; n < 100; n++) all.push(run(heddle, text, { m: { n } }));
  all.forEach((e, n) => {
    expect(e['n']?.()).toBe(n);
    expect(new Uint8Array(e['m']?.buffer ?? new ArrayBuffer(0)).indexOf(0x78)).toBe(n);
  });
});
