import { describe, expect, test } from 'vitest';
import { type Api, bytes, type Exported, heddle, run, v8 } from '../api/oracle.js';
import { TRAP_KINDS, trapModule } from './kinds.js';

/** One WebAssembly frame of an error's stack. */
interface Frame {
  readonly name: string | undefined;
  readonly module: string;
  readonly index: number;
  /** Byte offset in the module, in hexadecimal. */
  readonly offset: string;
}

/** The lines of an error's stack below its message. */
function linesOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    return stack.split('\n').filter((line) => line.startsWith('    '));
  }
  throw new Error('nothing was thrown');
}

const FRAME = /^ {4}at (?:(\S+) \()?(\S+):wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;

function framesOf(action: () => unknown): Frame[] {
  return linesOf(action).flatMap((line) => {
    const [, name, module = '', index, offset = ''] = FRAME.exec(line) ?? [];
    return index === undefined ? [] : [{ name, module, index: Number(index), offset }];
  });
}

/** Where each frame is, as V8 says it too. */
function places(action: () => unknown): string[] {
  return framesOf(action).map(({ index, offset }) => `${index} at ${offset}`);
}

describe('function and offset are those of V8', () => {
  const both = (text: string, name: string, ...args: unknown[]): void => {
    const [ours, theirs] = [heddle, v8].map((api: Api) => {
      const e = run(api, text, { m: { x: () => undefined } });
      return places(() => e[name]?.(...args));
    });
    expect(ours).toEqual(theirs);
    expect(theirs?.length).toBeGreaterThan(0);
  };

  test.each(TRAP_KINDS.filter((kind) => kind.v8).map((kind) => [kind.name, kind] as const))('%s', (_name, kind) => {
    both(trapModule(kind, false), 'called');
  });

  test('through direct, indirect and recursive calls', () => {
    const text = `(module (type $f (func (param i32) (result i32))) (table funcref (elem $a $b))
      (func $a (param i32) (result i32) (i32.add (i32.const 1) (call_indirect (type $f) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))))
      (func $b (param i32) (result i32) (if (i32.eqz (local.get 0)) (then unreachable)) (i32.mul (i32.const 3) (call $a (local.get 0))))
      (func (export "f") (param i32) (result i32) (drop (i32.const 0)) (call $b (local.get 0))))`;
    both(text, 'f', 0);
    both(text, 'f', 3);
  });

  test('in a function of many traps', () => {
    const text = `(module (memory 1) (func (export "f") (param i32 i32)
      (drop (i32.div_u (i32.const 1) (local.get 0))) (drop (i32.load offset=65530 (local.get 0)))
      (drop (i32.trunc_f32_s (f32.convert_i32_s (local.get 0)))) (drop (i32.rem_u (i32.const 5) (local.get 1))) unreachable))`;
    for (const [a, b] of [
      [0, 1],
      [100, 1],
      [1, 0],
      [1, 1],
    ])
      both(text, 'f', a, b);
  });
});

describe('names', () => {
  const nameOf = (text: string): (string | undefined)[] => {
    const e = run(heddle, text);
    return framesOf(() => e['f']?.()).map(({ name }) => name);
  };

  test('come from the name section', () => {
    expect(nameOf('(module (func $inner unreachable) (func $outer (export "f") (call $inner)))')).toEqual(['inner', 'outer']);
  });

  test('or else from the exports', () => {
    expect(nameOf('(module (func (export "g") unreachable) (func (export "f") (call 0)))')).toEqual(['g', 'f']);
  });

  test('or there are none', () => {
    expect(nameOf('(module (func unreachable) (func (export "f") (call 0)))')).toEqual([undefined, 'f']);
  });

  test('of any letters', () => {
    expect(nameOf('(module (func $"größe::<Ť>" unreachable) (func (export "f") (call 0)))')).toEqual(['größe::<Ť>', 'f']);
  });

  test('of imported functions count in the numbers', () => {
    const text = '(module (import "m" "x" (func)) (import "m" "y" (func)) (func $a unreachable) (func $b (export "f") (call $a)))';
    const e = run(heddle, text, { m: { x: () => 0, y: () => 0 } });
    expect(framesOf(() => e['f']?.()).map(({ name, index }) => [name, index])).toEqual([
      ['a', 2],
      ['b', 3],
    ]);
  });

  test('of the module stand before the function', () => {
    const e = run(heddle, '(module $thing (func $a (export "f") unreachable))');
    expect(framesOf(() => e['f']?.())[0]?.module).toBe('thing');
  });
});

describe('from fiber to fiber', () => {
  const NESTED = `(module $nest
    (type $f (func (param i32))) (type $k (cont $f)) (tag $pause) (type $v (func)) (type $vk (cont $v)) (elem declare func $level $waits)
    (func $bottom (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))
    (func $level (param $n i32)
      (if (i32.eqz (local.get $n)) (then (call $bottom (i32.const 0))) (else (call $next (local.get $n)))))
    (func $next (param $n i32) (resume $k (i32.sub (local.get $n) (i32.const 1)) (cont.new $k (ref.func $level))))
    (func $main (export "main") (param i32) (call $level (local.get 0)))
    (func $waits (suspend $pause) (call $bottom (i32.const 0)))
    (func $starts (result (ref $vk))
      (block $on (result (ref $vk)) (resume $vk (on $pause $on) (cont.new $vk (ref.func $waits))) (unreachable)))
    (func $ends (export "ends") (resume $vk (call $starts))))`;

  const names = (action: () => unknown): (string | undefined)[] => framesOf(action).map(({ name }) => name);

  test.each([0, 1, 2, 5])('%i continuations deep', (depth) => {
    const e = run(heddle, NESTED);
    const between = Array.from({ length: depth }, () => ['next', 'level']).flat();
    expect(names(() => e['main']?.(depth))).toEqual(['bottom', 'level', ...between, 'main']);
  });

  test('through the resumer of now, not the one of the start', () => {
    const e = run(heddle, NESTED);
    expect(names(() => e['ends']?.())).toEqual(['bottom', 'waits', 'ends']);
  });

  test('offsets are those of the instructions', () => {
    const source =
      '(module (type $f (func)) (type $k (cont $f)) (elem declare func $a) (func $a nop unreachable) (func $b (export "f") nop (resume $k (cont.new $k (ref.func $a)))))';
    const e = run(heddle, source);
    const frames = framesOf(() => e['f']?.());
    expect(frames.map(({ name }) => name)).toEqual(['a', 'b']);
    const code = bytes(source);
    expect(code[Number.parseInt(frames[0]?.offset ?? '0', 16)]).toBe(0x00); // unreachable
    expect(code[Number.parseInt(frames[1]?.offset ?? '0', 16)]).toBe(0xe3); // resume
  });

  test('across instances', () => {
    const inner = run(heddle, '(module $inner (func $deep unreachable) (func $entry (export "entry") (call $deep)))');
    const text = `(module $outer (import "m" "entry" (func $e)) (type $f (func)) (type $k (cont $f)) (elem declare func $e)
      (func $go (export "go") (resume $k (cont.new $k (ref.func $e)))))`;
    const e = run(heddle, text, { m: inner });
    expect(framesOf(() => e['go']?.()).map(({ name, module }) => `${module}.${name}`)).toEqual(['inner.deep', 'inner.entry', 'outer.go']);
  });

  test('JavaScript frames stand between the frames of two entries', () => {
    const text = `(module (import "m" "x" (func $x)) (func $inner (export "inner") unreachable) (func $outer (export "outer") (call $x)))`;
    const e = run(heddle, text, {
      m: {
        x: function between() {
          return e['inner']?.();
        },
      },
    });
    const lines = linesOf(() => e['outer']?.());
    expect(lines[0]).toMatch(/^ {4}at inner \(/);
    expect(lines.some((line) => line.includes('between'))).toBe(true);
    expect(lines.join('\n')).not.toMatch(/instance.engine|errors.catalog/);
  });

  test('a long one is cut in the middle', () => {
    const e = run(heddle, NESTED);
    const depth = 1000;
    const lines = linesOf(() => e['main']?.(depth)).filter((line) => !/node_modules|node:|\.test\.ts/.test(line));
    const cut = lines.findIndex((line) => line.includes('left out'));
    const left = Number(/(\d+) frames left out/.exec(lines[cut] ?? '')?.[1]);
    // bottom, level, 1,000 times next and level, main.
    const all = 2 + 2 * depth + 1;
    const kept = lines.filter((line) => FRAME.test(line));
    expect(kept.length + left).toBe(all);
    expect(kept.length).toBeLessThan(300);
    expect(cut).toBeGreaterThan(20);
    expect(kept.length - cut).toBeGreaterThan(5);
    expect(kept[0]).toContain('bottom');
    expect(kept.at(-1)).toContain('main');
  });

  test('a long one on one fiber is cut, too', () => {
    const text = `(module (func $r (param i32) (if (i32.eqz (local.get 0)) (then unreachable)) (call $r (i32.sub (local.get 0) (i32.const 1))))
      (func $main (export "f") (param i32) (call $r (local.get 0))))`;
    const e = run(heddle, text);
    const lines = linesOf(() => e['f']?.(5000));
    const kept = lines.filter((line) => FRAME.test(line));
    const left = Number(/(\d+) frames left out/.exec(lines.join('\n'))?.[1]);
    expect(kept.length + left).toBe(5002);
    expect(kept.at(-1)).toContain('main');
  });
});

test('the stack of an overflow', () => {
  const e = run(heddle, '(module (func $again (export "f") (call $again)))');
  const frames = framesOf(() => e['f']?.());
  expect(new Set(frames.map(({ name }) => name))).toEqual(new Set(['again']));
});

test('message and name stand at the head', () => {
  const e = run(heddle, '(module (func $a (export "f") unreachable))');
  const fail = (fn: Exported | undefined): unknown => {
    try {
      return fn?.();
    } catch (error) {
      return error;
    }
  };
  expect(fail(e['f'])).toMatchObject({ stack: expect.stringMatching(/^RuntimeError: unreachable\n {4}at a \(/) });
  const deep = run(heddle, '(module (func $a (export "f") (call $a)))');
  expect(fail(deep['f'])).toMatchObject({ stack: expect.stringMatching(/^RangeError: call stack exhausted\n {4}at a \(/) });
});
