// Where the specification's scripts are, and what is expected to fail in them.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The folder of the specification's scripts: HEDDLE_SPEC_TESTS, or ../shared/spec-tests beside the repository; undefined where there is none. */
export function scriptsFolder() {
  const folder = process.env.HEDDLE_SPEC_TESTS ?? resolve(root, '../shared/spec-tests');
  return existsSync(folder) && statSync(folder).isDirectory() ? folder : undefined;
}

/** What to say where they are missing. */
export const MISSING =
  "the specification's scripts were not found: put them in ../shared/spec-tests, or name their folder in HEDDLE_SPEC_TESTS";

/** Folders whose scripts the suite runs. */
export const FOLDERS = ['core', 'stack-switching', 'stack-switching-examples', 'threads', 'legacy'];

/** Names of all scripts, `folder/name.wast`, sorted. */
export function scriptNames(folder) {
  return FOLDERS.flatMap((sub) =>
    readdirSync(join(folder, sub))
      .filter((name) => name.endsWith('.wast'))
      .sort()
      .map((name) => `${sub}/${name}`),
  );
}

/** A list about scripts, by script: what `value` makes of the groups of `pattern`, of which the first is the script's name. */
function list(file, pattern, value) {
  const entries = new Map();
  for (const line of readFileSync(new URL(file, import.meta.url), 'utf8').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = pattern.exec(line);
    if (match === null) throw new Error(`${file}: cannot read "${line}"`);
    const [, name, ...groups] = match;
    if (entries.has(name)) throw new Error(`${file}: ${name} is there twice`);
    entries.set(name, value(groups));
  }
  return entries;
}

/**
 * The expected failures: by script, either `*` (anything may fail, something must) or the lines that must fail.
 * A line of the file: `folder/name.wast[:line,line…] reason`.
 */
export function expectedFailures() {
  return list('expected_failures.txt', /^(\S+?\.wast)(?::([\d,]+))? (.+)$/, ([lines]) =>
    lines === undefined ? '*' : new Set(lines.split(',').map(Number)),
  );
}

/** The scripts of earlier versions of the language: by script, the feature bits that take away what came later. A line of the file: `folder/name.wast bit,bit… reason`. */
export function earlierLanguage() {
  return list('earlier_language.txt', /^(\S+?\.wast) ([\w,]+) (.+)$/, ([bits]) => bits.split(','));
}

/** Holds a script's result against the list; returns what is wrong, as text lines. */
export function problems(name, result, expected) {
  const list = expected.get(name);
  const found = [];
  if (list === '*') {
    if (result.failures.length === 0) found.push(`${name} passes whole: take it out of expected_failures.txt`);
    return found;
  }
  for (const failure of result.failures) {
    if (list === undefined || !list.has(failure.line)) found.push(`${name}:${failure.line} ${failure.directive}: ${failure.message}`);
  }
  for (const line of list ?? []) {
    if (!result.failures.some((failure) => failure.line === line))
      found.push(`${name}:${line} passes: take it out of expected_failures.txt`);
  }
  return found;
}
