/**
 * The variables of the environment in docs/debugging.md and CONTRIBUTING.md are those that the code reads. What looks like one and is none is a code of an error (ts/errors/catalog.ts) or listed here.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../cli/command.js';

/** What is published and reads variables. */
const PUBLISHED = ['ts', 'bin', 'native', 'binding.gyp', 'scripts/build_native.mjs', 'scripts/build_own_codegen.mjs'];
/** What those who work on Heddle run. */
const WORK = ['scripts', 'tests', 'codegen/codegen.test.ts', 'ts/lower/golden.test.ts', 'benchmarks/harness.mjs'];
const CODE = /\.(ts|mjs|cjs|cc|h|gyp)$/;

/** Codes of errors that are made elsewhere, and parts of codes. */
const CODES = ['HEDDLE_EXCEPTION', 'HEDDLE_OPTION', 'HEDDLE_TRAP', 'HEDDLE_TRAP_'];
/** What one file of the tests tells a process that it starts. */
const INSIDE = ['HEDDLE_ENTRY', 'HEDDLE_GENERATIONS_LEFT', 'HEDDLE_TEST_MODULES'];

function filesOf(path: string, isTest: boolean): readonly string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .map((name) => `${path}/${name}`)
    .filter((name) => CODE.test(name) && !/\/node_modules\//.test(name) && (isTest || !/\.test\.ts$|\/tests\//.test(name)));
}

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

/** Read as a property of `env`, by `getenv`, or by `is_set`. */
const READ = /(?:\b(?:env|environment)\??(?:\.|\[['`])|\b(?:getenv|is_set)\(")(HEDDLE_[A-Z0-9_]+)/g;
/** Named in quotes: to be read by another way, or a code. */
const QUOTED = /['"`](HEDDLE_[A-Z0-9_]+)['"`]/g;

const codes = new Set([...CODES, ...filesOf('ts/errors', false).flatMap((file) => matches(textOf(file), QUOTED))]);

/** The variables in the first column of a page's tables. */
const documented = (page: string): string[] =>
  textOf(page)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => matches(line.split(' | ')[0] ?? '', /`(HEDDLE_[A-Z0-9_]+)/g));

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

test('docs/debugging.md has those that the package reads', () => {
  const texts = PUBLISHED.flatMap((path) => filesOf(path, false)).map(textOf);
  const read = texts.flatMap((text) => matches(text, READ));
  const quoted = texts.flatMap((text) => matches(text, QUOTED)).filter((name) => !codes.has(name));
  expect(read.length).toBeGreaterThan(10);
  expect(sorted(documented('docs/debugging.md'))).toEqual(sorted([...read, ...quoted]));
});

test('CONTRIBUTING.md has those that scripts and tests read besides', () => {
  const page = documented('docs/debugging.md');
  const read = WORK.flatMap((path) => filesOf(path, true)).flatMap((file) => matches(textOf(file), READ));
  const known = documented('CONTRIBUTING.md').map((name) => name.replace(/(?<=^HEDDLE_NODE_)\d+$/, ''));
  expect(sorted(known)).toEqual(sorted(read.filter((name) => !page.includes(name) && !INSIDE.includes(name))));
});

test('docs/cli.md says of none what docs/debugging.md has not', () => {
  expect(documented('docs/debugging.md')).toEqual(expect.arrayContaining(documented('docs/cli.md')));
});
