// Runs the specification's scripts: `node tests/spec/run.mjs [--verbose] [part of a name…]`. One line a script, then `N passed, N failed`
// in assertions. Scripts run in child processes, so that a crash is one script's failure.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jobs } from '../../scripts/jobs.mjs';
import { earlierLanguage, expectedFailures, MISSING, problems, scriptNames, scriptsFolder } from './scripts.mjs';

/** The Node that runs the scripts, with what comes before it: an emulator, for another CPU. */
const [execPath, ...execArgv] = (process.env.HEDDLE_SPEC_NODE ?? process.execPath).split(' ');
const TIMEOUT = 300_000;
const args = process.argv.slice(2);
const verbose = args.includes('--verbose');
const parts = args.filter((arg) => !arg.startsWith('--'));

const folder = scriptsFolder();
if (folder === undefined) {
  // Who asks for them and has none has not tested anything.
  console.log(`${MISSING}\n0 passed, 1 failed`);
  process.exit(1);
}

const names = scriptNames(folder).filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)));
if (names.length === 0) {
  console.log(`no script has ${parts.join(' or ')} in its name\n0 passed, 1 failed`);
  process.exit(1);
}
const expected = expectedFailures();
const earlier = earlierLanguage();
let passed = 0;
let failed = 0;
const report = [];

function finish(name, result) {
  const found = problems(name, result, expected);
  const known = found.length === 0 ? result.failures.length : 0;
  passed += result.passed;
  failed += found.length;
  report.push(...found);
  const note = found.length > 0 ? ` ${found.length} FAILED` : known > 0 ? ` (${known} expected to fail)` : '';
  console.log(`${name}: ${result.passed} passed${note}`);
  if (verbose) for (const failure of result.failures) console.log(`  ${failure.line} ${failure.directive}: ${failure.message}`);
}

const crash = (what) => ({ passed: 0, failures: [{ line: 0, directive: 'script', message: what }], printed: [] });

/** Takes names until none is left; starts a new child after a crash. */
async function worker(queue) {
  let child;
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    child ??= fork(fileURLToPath(new URL('child.mjs', import.meta.url)), {
      execPath,
      execArgv,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, HEDDLE_CACHE: 'off', HEDDLE_VERIFY: '1' },
    });
    const current = child;
    const result = await new Promise((resolve) => {
      const timer = setTimeout(() => {
        current.kill('SIGKILL');
      }, TIMEOUT);
      const done = (value) => {
        clearTimeout(timer);
        current.removeAllListeners();
        resolve(value);
      };
      current.once('message', done);
      current.once('exit', (status, signal) => {
        child = undefined;
        done(crash(`the process ended with ${signal ?? status}`));
      });
      current.send({ path: join(folder, name), without: earlier.get(name) ?? [] });
    });
    finish(name, result);
  }
  child?.disconnect();
}

const queue = [...names];
await Promise.all(Array.from({ length: Math.min(jobs(), names.length) }, () => worker(queue)));

for (const [list, entries] of [
  ['expected_failures.txt', expected],
  ['earlier_language.txt', earlier],
]) {
  for (const name of entries.keys()) {
    if (parts.length > 0 || names.includes(name)) continue;
    report.push(`${list} names ${name}, which does not exist`);
    failed++;
  }
}
for (const line of report) console.log(`FAILED ${line}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
