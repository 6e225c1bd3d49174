import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withProgress } from './progress.js';

const { isTTY } = process.stderr;
let written: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  process.stderr.isTTY = isTTY;
});

/** Something that takes so long, of the fake clock. */
const taking = (milliseconds: number) => (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('done'), milliseconds));

/** What is on a terminal's line after it was written all of this. */
const line = (): string => written.join('').split('\r\u{1b}[K').at(-1) ?? '';

test('a compile that takes long has a line on a terminal, which is gone when it ends', async () => {
  process.stderr.isTTY = true;
  const done = withProgress('dir/a\u{1b}[31m.wat', taking(3200));
  await vi.advanceTimersByTimeAsync(999);
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(line()).toMatch(/^heddle: compiling .*: 2 s$/);
  // What steers terminals is not written.
  expect(written.join('')).not.toContain('\u{1b}[31m');
  await vi.advanceTimersByTimeAsync(1000);
  expect(await done).toBe('done');
  expect(line()).toBe('');
});

test('a short one has none, nor has one without a terminal, nor one that fails soon', async () => {
  process.stderr.isTTY = true;
  const short = withProgress('a.wat', taking(900));
  await vi.advanceTimersByTimeAsync(5000);
  await short;
  await expect(withProgress('a.wat', () => Promise.reject(new Error('wrong')))).rejects.toThrow('wrong');
  await vi.advanceTimersByTimeAsync(5000);
  process.stderr.isTTY = false;
  const long = withProgress('a.wat', taking(4000));
  await vi.advanceTimersByTimeAsync(5000);
  await long;
  expect(written).toEqual([]);
});
