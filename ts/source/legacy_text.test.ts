import { expect, test } from 'vitest';
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
