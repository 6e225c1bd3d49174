import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { type Exported, heddle, outcome, run, v8 } from '../api/oracle.js';
import { TRAP_KINDS, trapModule } from './kinds.js';

/** How `trap` is reached, with the argument that it takes. */
const PLACES: readonly (readonly [place: string, argument?: number])[] = [
  ['trap'],
  ['called'],
  ['through_javascript'],
  ['continuation'],
  ['nested', 0],
  ['nested', 5],
  ['resumed'],
];

/** What every trap is. */
const trapOf = (message: string, code: string): unknown =>
  expect.objectContaining({ name: 'RuntimeError', code: `HEDDLE_TRAP_${code}`, message: expect.stringMatching(new RegExp(`^${message}`)) });

describe.each(TRAP_KINDS.map((kind) => [kind.name, kind] as const))('%s', (_name, kind) => {
  test('wherever it happens, again and again, and the instance goes on', () => {
    const e = run(heddle, trapModule(kind, true), { m: { x: () => e['trap']?.() } });
    const before = statistics();
    for (const [place, argument] of [...PLACES, ...PLACES]) {
      expect(() => e[place]?.(argument)).toThrow(trapOf(kind.message, kind.code));
      expect(e['fine']?.(41)).toBe(42);
    }
    const after = statistics();
    expect([after.continuationsLive, after.stacksLive]).toEqual([before.continuationsLive, before.stacksLive]);
  });

  test('the error is of the class that V8 has for it', () => {
    const e = run(heddle, trapModule(kind, false), { m: { x: () => undefined } });
    expect(() => e['trap']?.()).toThrow(WebAssembly.RuntimeError);
    if (!kind.v8) return;
    const theirs = run(v8, trapModule(kind, false), { m: { x: () => undefined } });
    expect(outcome(() => e['trap']?.())).toBe(outcome(() => theirs['trap']?.()));
  });
});

test('an unhandled tag is named', () => {
  const text = `(module (tag $hidden) (tag $inner (export "outer")) (tag (export "only") (param i32)) (tag)
    (func (export "a") (suspend $hidden)) (func (export "b") (suspend $inner)) (func (export "c") (suspend 2 (i32.const 1)))
    (func (export "d") (suspend 3)))`;
  const e = run(heddle, text);
  const messages = ['a', 'b', 'c', 'd'].map((name) => messageOf(e[name]));
  expect(messages).toEqual(['unhandled tag: hidden', 'unhandled tag: inner', 'unhandled tag: only', 'unhandled tag: tag 3']);
});

test('a tag made in JavaScript is named, too', () => {
  const text = '(module (import "m" "t" (tag $t)) (func (export "f") (suspend $t)))';
  expect(messageOf(run(heddle, text, { m: { t: new heddle.Tag({ parameters: [] }) } })['f'])).toBe(
    'unhandled tag: a tag made in JavaScript',
  );
});

function messageOf(fn: Exported | undefined): string {
  try {
    fn?.();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing was thrown';
}

test('a trap is not caught by an import’s finally, and what finally throws replaces it', () => {
  const text = '(module (import "m" "x" (func $x)) (func (export "trap") unreachable) (func (export "f") (call $x)))';
  const other = new Error('from finally');
  let throwing = false;
  const e = run(heddle, text, {
    m: {
      x: () => {
        try {
          e['trap']?.();
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: that is what is tested
          if (throwing) throw other;
        }
      },
    },
  });
  expect(() => e['f']?.()).toThrow(trapOf('unreachable', 'UNREACHABLE'));
  throwing = true;
  expect(() => e['f']?.()).toThrow(other);
});
