/**
 * The CLIF text of small functions, as it is kept in tests/golden. After an intended change: `HEDDLE_UPDATE_GOLDEN=1 npx vitest run ts/lower/golden`,
 * then read the difference.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { clifText, compileOne, compilePrinted, lowerText, TARGETS } from './support.test-helper.js';

const folder = new URL('../../tests/golden/', import.meta.url);
const update = process.env['HEDDLE_UPDATE_GOLDEN'] === '1';
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.wat'))
  .map((name) => name.slice(0, -4));

/** Code placed one behind the other, at multiples of 32 bytes. */
function joined(codes: readonly Uint8Array[]): Uint8Array {
  const bytes: number[] = [];
  for (const code of codes) {
    while (bytes.length % 32 > 0) bytes.push(0);
    bytes.push(...code);
  }
  return Uint8Array.from(bytes);
}

describe('golden CLIF', () => {
  test.each(names)('%s', (name) => {
    const lowered = lowerText(readFileSync(new URL(`${name}.wat`, folder), 'utf8'));
    const programs = lowered.programs.length > 0 ? lowered.programs : [lowered.trampolines];
    const text = programs.map((program) => clifText(lowered, program)).join('');
    const golden = new URL(`${name}.clif`, folder);
    if (update) writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
    for (const target of TARGETS) {
      expect(compilePrinted(text, target)).toEqual(joined(programs.map((program) => compileOne(lowered, program, target))));
    }
  });
});
