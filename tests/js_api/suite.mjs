// Where the JS API suite of the specification is, what lies in it, and what is expected to fail.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptsFolder } from '../spec/scripts.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const isFolder = (path) => existsSync(path) && statSync(path).isDirectory();

/** The suite's folder: HEDDLE_JS_API_TESTS, or js-api in the folder of the specification's scripts; undefined where there is none. */
export function suiteFolder() {
  const named = process.env.HEDDLE_JS_API_TESTS;
  if (named !== undefined) return isFolder(named) ? named : undefined;
  const scripts = scriptsFolder();
  if (scripts === undefined) return undefined;
  const beside = join(scripts, 'js-api');
  return isFolder(beside) ? beside : undefined;
}

/** What to say where it is missing. */
export const MISSING =
  "the JS API suite was not found, so none of it is run: put test/js-api of github.com/WebAssembly/spec into js-api in the folder of the specification's scripts, or name its folder in HEDDLE_JS_API_TESTS";

/** Whether it must be there: where it was named, and where continuous integration runs with a folder of scripts that has it or has none. */
export function isRequired() {
  if (process.env.HEDDLE_JS_API_TESTS !== undefined) return true;
  return Boolean(process.env.CI) && scriptsFolder() === undefined;
}

/** Its files, sorted. */
export function fileNames(suite) {
  return readdirSync(suite, { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.any.js'))
    .sort();
}

/**
 * The expected failures of a major version of Node: by file, `*` (any subtest may fail, some must) or the patterns of the names of those that must fail.
 * A line of the list: `FILE [versions] | names | reason`.
 */
export function expectedFailures(version) {
  const entries = new Map();
  for (const line of readFileSync(join(root, 'tests/js_api/expected_failures.txt'), 'utf8').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const parts = line.split(' | ');
    const match = /^(\S+\.any\.js)(?: (\d+(?:,\d+)*))?$/.exec(parts[0] ?? '');
    if (match === null || parts.length !== 3) throw new Error(`expected_failures.txt: cannot read "${line}"`);
    const [, file, versions] = match;
    if (versions !== undefined && !versions.split(',').includes(String(version))) continue;
    const names = entries.get(file) ?? [];
    names.push(parts[1]);
    entries.set(file, names);
  }
  return entries;
}

const matches = (pattern, name) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);

/** Holds the results of a file against the list: what is wrong, as lines, and how many failures were expected. */
export function problems(file, results, patterns) {
  const found = [];
  let known = 0;
  for (const { name, ok, message } of results) {
    const listed = patterns.some((pattern) => matches(pattern, name));
    if (listed && !ok) known++;
    else if (listed) found.push(`${file}: "${name}" passes: take it out of expected_failures.txt`);
    else if (!ok) found.push(`${file}: "${name}": ${message}`);
  }
  for (const pattern of patterns)
    if (!results.some(({ name }) => matches(pattern, name)))
      found.push(`${file}: there is no subtest "${pattern}", which expected_failures.txt names`);
  return { found, known };
}
