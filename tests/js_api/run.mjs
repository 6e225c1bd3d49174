// Runs the JS API suite of the specification: `node tests/js_api/run.mjs [--v8] [--verbose] [part of a name…]`. One line a file, then `N passed, N failed` in subtests. Each file has a
// process of its own, in which the global WebAssembly is Heddle's; with --v8 it is V8's, for comparison, and nothing is expected.
import { execFileSync, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expectedFailures, fileNames, isRequired, MISSING, problems, suiteFolder } from './suite.mjs';

/** The Node that runs the files. */
const execPath = process.env.HEDDLE_SPEC_NODE ?? process.execPath;
const TIMEOUT = 900_000;
const args = process.argv.slice(2);
const engine = args.includes('--v8') ? 'v8' : 'heddle';
const verbose = args.includes('--verbose');
const parts = args.filter((arg) => !arg.startsWith('--'));

const suite = suiteFolder();
if (suite === undefined) {
  console.log(MISSING);
  // No test was run, and the count says so.
  console.log(`0 passed, ${isRequired() ? 1 : 0} failed`);
  process.exit(isRequired() ? 1 : 0);
}

/** Runs a file; resolves with its subtests' results and the version of Node that ran them. */
function runFile(file) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), [engine, suite, file], {
      execPath,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, HEDDLE_CACHE: 'off' },
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT);
    const done = (results) => {
      clearTimeout(timer);
      resolve(results);
    };
    child.once('message', done);
    child.once('exit', (status, signal) => done([{ name: '(the process)', ok: false, message: `ended with ${signal ?? status}` }]));
  });
}

const version = Number(execFileSync(execPath, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }));
const names = fileNames(suite);
const expected = engine === 'heddle' ? expectedFailures(version) : new Map();
let passed = 0;
let failed = 0;
const report = [];
for (const file of names.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))) {
  const results = await runFile(file);
  const { found, known } = problems(file, results, expected.get(file) ?? []);
  const count = results.filter(({ ok }) => ok).length;
  passed += count;
  failed += found.length;
  report.push(...found);
  const note = found.length > 0 ? ` ${found.length} FAILED` : known > 0 ? ` (${known} expected to fail)` : '';
  console.log(`${file}: ${count} passed${note}`);
  if (verbose) for (const { name, ok, message } of results) if (!ok) console.log(`  ${name}: ${message}`);
}
for (const file of expected.keys()) {
  if (names.includes(file)) continue;
  report.push(`expected_failures.txt names ${file}, which does not exist`);
  failed++;
}
for (const line of report) console.log(`FAILED ${line}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
