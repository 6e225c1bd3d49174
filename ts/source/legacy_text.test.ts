import { expect, test } from 'vitest';
import { parseWat } from './bytes.js';
import { flattenLegacyTry } from './legacy_text.js';

/** White space does not count. */
const tokens = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/ ?([()]) ?/g, '$1')
    .trim();

test.each([
  ['(try (do (nop)) (catch $e (drop)))', 'try (nop) catch $e (drop) end'],
  [
    '(try $l (result i32) (do (call 0)) (catch 1 nop) (catch_all (rethrow 0)))',
    'try $l (result i32) (call 0) catch 1 nop catch_all (rethrow 0) end',
  ],
  ['(try (do) (delegate $l))', 'try delegate $l'],
  ['(try (do (try (do (a)) (delegate 0))) (catch_all))', 'try try (a) delegate 0 catch_all end'],
  ['( try ( do nop ) ( catch_all ) )', 'try nop catch_all end'],
])('%s', (folded, flat) => {
  expect(tokens(flattenLegacyTry(folded))).toBe(tokens(flat));
});

test('what is in strings and comments, and what is no legacy try, stays', () => {
  const kept = [
    '"(try (do) (catch_all))"',
    '"\\"(try (do))"',
    ';; (try (do))\n',
    '(; (; (try (do) ;) (catch_all) ;)',
    '(try_table (catch $e $l) (nop))',
  ];
  for (const text of kept) expect(flattenLegacyTry(`${text} (try (do) (catch_all))`).startsWith(text)).toBe(true);
  expect(flattenLegacyTry('(try_table (catch $e 0))')).toBe('(try_table (catch $e 0))');
});

test('lines stay where they are', () => {
  const text = '(module\n  (func\n    (try\n      (do\n        (nop))\n      (catch_all))\n  )\n)\n';
  const flat = flattenLegacyTry(text);
  expect(flat.split('\n').length).toBe(text.split('\n').length);
  expect(flat.split('\n')[4]).toContain('(nop)');
});

test.each([
  ['(drop (try (result i32) (do (a)) (catch_all (b))))', 'try (result i32) (a) catch_all (b) end drop'],
  ['(i32.add (i32.const 1) (try (do) (delegate 0)))', '(i32.const 1) try delegate 0 i32.add'],
  ['(f (try (do) (catch_all)) (g (x) (y)))', 'try catch_all end (g (x) (y)) f'],
  ['(f (g 1 (; no ;) 2 ;; (no)\n (try (do) (catch_all))) (h))', 'try catch_all end g 1 2 (h) f'],
  ['(f (try (do) (catch_all)) (g (try (do) (catch_all))))', 'try catch_all end try catch_all end g f'],
  ['(call_indirect $t (type $f) (param i32) (try (do) (catch_all)) (x))', 'try catch_all end (x) call_indirect $t (type $f) (param i32)'],
  ['(f (block $l (result i32) (try (do) (catch_all))))', '(f (block $l (result i32) try catch_all end))'],
  ['(if $l (result i32) (try (do) (catch_all)) (then (a)) (else (b)))', 'try catch_all end if $l (result i32) (a) else (b) end'],
  ['(f (if (g (try (do) (catch_all))) (then)))', 'try catch_all end g if end f'],
  ['(if (x) (then (try (do) (catch_all))))', '(if (x) (then try catch_all end))'],
])('a try among operands: %s', (folded, flat) => {
  expect(tokens(flattenLegacyTry(`(func ${folded})`))).toBe(tokens(`(func ${flat})`));
});

test('a folded try among operands assembles to the bytes of the unfolded form', () => {
  const module = (body: string): Uint8Array =>
    parseWat(`(module (tag $e (param i32)) (type $f (func (param i32 i32) (result i32))) (table 1 funcref)
      (func (export "run") (param $x i32) (result i32) (local $y i32) ${body}))`);
  const folded = `
    (local.set $y (i32.mul (local.get $x)
      (try (result i32) (do (throw $e (i32.const 6))) (catch $e (i32.add (i32.const 1))))))
    (if (result i32) (i32.eqz (try (result i32) (do (i32.sub (local.get $y) (i32.const 35))) (delegate 0)))
      (then (call_indirect (type $f) (i32.const 1) (try (result i32) (do (i32.const 2)) (catch_all (rethrow 0))) (i32.const 0)))
      (else (select (result i32) (try (result i32) (do (i32.const 3)) (catch_all (i32.const 4))) (i32.const 5) (local.get $x))))`;
  const flat = `
    local.get $x
    try (result i32) i32.const 6 throw $e catch $e i32.const 1 i32.add end
    i32.mul local.set $y
    try (result i32) local.get $y i32.const 35 i32.sub delegate 0
    i32.eqz
    if (result i32)
      i32.const 1 try (result i32) i32.const 2 catch_all rethrow 0 end i32.const 0 call_indirect (type $f)
    else
      try (result i32) i32.const 3 catch_all i32.const 4 end i32.const 5 local.get $x select (result i32)
    end`;
  expect(module(folded)).toEqual(module(flat));
});

test('lines stay where they are when what is around a try is unfolded', () => {
  const text =
    '(module\n  (func\n    (drop\n      (i32.eqz\n        (try (result i32)\n          (do\n            (i32.const 1))\n          (catch_all\n            (bad))))))\n)\n';
  const flat = flattenLegacyTry(text);
  const line = (of: string, what: string): number => of.slice(0, of.indexOf(what)).split('\n').length;
  for (const what of ['try', 'i32.const', 'bad']) expect(line(flat, what)).toBe(line(text, what));
  expect(flat.split('\n').length).toBe(text.split('\n').length);
});
