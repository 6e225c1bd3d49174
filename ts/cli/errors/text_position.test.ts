/** Which instruction of a text an offset stands for. The offsets are the validator's own; what is expected is where the test wrote the mistake. */
import { expect, test } from 'vitest';
import { parseWat } from '../../source/bytes.js';
import { validateModule } from '../../validate/validate.js';
import { functionAt } from './function_at.js';
import { positionInText } from './text_position.js';

/** The text with `@` before what the message is to point at, and what it points at. */
function check(marked: string): void {
  const text = marked.replace('@', '');
  const before = marked.slice(0, marked.indexOf('@')).split('\n');
  const bytes = parseWat(text);
  let offset = -1;
  try {
    validateModule(bytes);
  } catch (error) {
    offset = Number(Reflect.get(error as object, 'offset'));
  }
  const fn = functionAt(bytes, offset);
  if (fn === undefined) throw new Error(`no function at ${offset}`);
  expect(positionInText(text, fn, offset)).toEqual({ line: before.length, column: (before.at(-1)?.length ?? 0) + 1 });
}

test.each([
  ['a folded instruction', '(module (func (result i32) (@i32.add (i32.const 1) (i64.const 2))))'],
  ['a flat one', '(module (func (result i32)\n  i32.const 1\n  i64.const 2\n  @i32.add))'],
  ['the end of a function', '(module (func (result i32)\n  nop @))'],
  ['a condition', '(module (func (@if (i64.const 1) (then (nop)))))'],
  ['the end of a then, which is the else', '(module (func (if (i32.const 1) (then (i32.const 3)) @(else (nop)))))'],
  ['inside an else', '(module (func (if (i32.const 1) (then) (else (@drop)))))'],
  ['the end of a block', '(module (func (block (result i32) (i64.const 1) @) (drop)))'],
  ['a flat block with comments', '(module (func ;; (\n block (result i32) (; ( ;)\n i64.const 1\n @end drop))'],
  [
    'a function behind imports, exports and others',
    '(module $m (import "a" "b" (func $i (param i32))) (func $x (import "a" "c")) (func (export "(") nop)\n (func $f (param i32) (local i64) (@call $i (i64.const 1))))',
  ],
  ['a try_table', '(module (tag $t) (func (block $l (try_table (catch $t $l) (@drop)))))'],
  ['among many instructions', `(module (func ${'(drop (i32.const 1))\n'.repeat(300)} (drop (@i64.eqz (i32.const 200)))))`],
  ['without the parentheses of a module', '(func nop) (func (result i64) (@i32.const 1) @)'.replace('(@', '(')],
])('%s', (_, marked) => check(marked));

test('more text than is worth it, and legacy exceptions in folded form, have no position', () => {
  const legacy = '(module (tag $t) (func (try (do (drop)) (catch $t))))';
  const fn = { index: 0, defined: 0, start: 0, end: 10 };
  expect(positionInText(legacy, fn, 3)).toBeUndefined();
  expect(positionInText(`(module (func ${'nop '.repeat(300_000)}))`, fn, 3)).toBeUndefined();
});
