#!/usr/bin/env node
// The parts of .ci/run, in a clone that `npm ci` has built. Two are run side by side, each with one process at a time (HEDDLE_JOBS): most could not use
// two cores to the end. What a part prints is shown whole when it is done; before that, lines say what is running. Ends with `N passed, N failed`.
// `node scripts/ci.mjs [--lanes N] [--list] [name…]`: all parts, or those that are named.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EAGER, LAZY } from './compile_times.mjs';
import { installNode, VERSIONS } from './nodes.mjs';
import { root } from './tally.mjs';

const node = process.execPath;
const bin = (name) => `node_modules/.bin/${name}`;
const tsx = (...args) => [node, '--import', 'tsx', ...args];
const control = (programs, seed) =>
  tsx('tests/fuzz/control/main.ts', '--engine', 'heddle', '--programs', String(programs), '--seed', String(seed));
const fuzz = (modules, seed) => [node, 'tests/fuzz/run.mjs', '--modules', String(modules), '--seed', String(seed)];
const objects = (modules, seed) => [...fuzz(modules, seed), '--objects'];
const mutants = (count, seed) => [node, 'tests/abuse/mutants.mjs', '--count', String(count), '--seed', String(seed)];

/**
 * The parts: name, command, and `minutes` of a core. The longest begin first, so that the lanes end together. A part ends with `N passed, N failed`, or is a
 * `check`, of which the status counts. Parts of one `lock` write the same files, so they are never side by side; `nodes`: it needs other versions of Node. Random parts are of so many cases,
 * not of so many seconds: what they try does not depend on what runs beside them.
 */
const PARTS = [
  { name: 'npm test', minutes: 13, command: [node, 'scripts/test.mjs', '--built'] },
  { name: 'the addon with sanitizers', minutes: 9, lock: 'cmake-js', command: [node, 'scripts/test_asan.mjs'] },
  { name: 'aarch64', minutes: 10, lock: 'packages', command: [node, 'scripts/test_aarch64.mjs'] },
  { name: 'Node 26', minutes: 5, nodes: true, command: [node, 'scripts/test_nodes.mjs', '26'] },
  { name: 'Node 24', minutes: 5, nodes: true, command: [node, 'scripts/test_nodes.mjs', '24'] },
  { name: 'Node 22', minutes: 4, nodes: true, command: [node, 'scripts/test_nodes.mjs', '22'] },
  { name: 'generations', minutes: 5, command: [node, 'scripts/test_generations.mjs'] },
  { name: 'snapshots', minutes: 5, command: [node, 'scripts/test_snapshots.mjs'] },
  { name: 'fuzzer', minutes: 6, command: fuzz(24_000, 1) },
  { name: 'fuzzer, objects', minutes: 0.7, nodes: true, command: objects(4_000, 1) },
  { name: 'fuzzer, objects, always collecting', minutes: 0.3, nodes: true, command: objects(1_000, 2), env: { HEDDLE_COLLECT: 'always' } },
  { name: 'control fuzzer', minutes: 4, command: control(10_000, 1) },
  { name: 'control fuzzer, always collecting', minutes: 0.8, command: control(300, 4), env: { HEDDLE_COLLECT: 'always' } },
  { name: 'packages of others', minutes: 4, nodes: true, command: [node, 'scripts/test_packages.mjs'] },
  { name: `packages of others, ${EAGER.name}`, minutes: 4, nodes: true, command: [node, 'scripts/test_packages.mjs'], env: EAGER.env },
  { name: 'packages', minutes: 4, check: true, lock: 'packages', nodes: true, command: [node, 'scripts/test_package.mjs'] },
  { name: 'C++ with sanitizers', minutes: 3, command: [node, 'scripts/test_native.mjs', '--sanitize', 'address,undefined'] },
  { name: 'C++ with ThreadSanitizer', minutes: 3, command: [node, 'scripts/test_native.mjs', '--sanitize', 'thread'] },
  { name: 'C++', minutes: 2, command: [node, 'scripts/test_native.mjs'] },
  { name: 'mutants', minutes: 2, command: mutants(20_000, 7) },
  { name: 'cmake-js', minutes: 1.5, check: true, lock: 'cmake-js', command: [node, 'scripts/test_cmake_js.mjs'] },
  // Its modules are large: where nothing is said they are compiled lazily.
  { name: `control fuzzer, ${EAGER.name}`, minutes: 1.5, command: control(5_000, 3), env: EAGER.env },
  ...[LAZY, EAGER].flatMap(({ name, env }) => [
    { name: `fuzzer, ${name}`, minutes: 0.5, command: fuzz(2_000, 2), env },
    { name: `mutants, ${name}`, minutes: 0.2, command: mutants(2_000, 8), env },
  ]),
  { name: 'bundlers', minutes: 0.5, command: [node, 'scripts/test_bundlers.mjs'] },
  { name: 'little address space', minutes: 0.5, nodes: true, command: [node, 'scripts/test_nodes.mjs', 'little-address-space'] },
  { name: 'pages of the API', minutes: 0.5, check: true, command: ['npm', 'run', '--silent', 'docs:api'] },
  { name: 'format and lint', minutes: 0.2, check: true, command: [bin('biome'), 'check', '--error-on-warnings'] },
  {
    name: 'format of C++',
    minutes: 0.1,
    check: true,
    command: ['sh', '-c', "find native asm -name '*.cc' -o -name '*.h' ! -name layout.h | xargs clang-format --dry-run --Werror"],
  },
  { name: 'types', minutes: 0.5, check: true, command: [bin('tsc'), '-p', 'tsconfig.check.json'] },
  { name: 'generated files', minutes: 0.2, check: true, command: [node, 'scripts/check_generated.mjs'] },
  { name: 'prose', minutes: 0.1, check: true, command: [node, 'scripts/check_prose.mjs'] },
  { name: 'intrinsics', minutes: 0.1, check: true, command: [node, 'scripts/check_intrinsics.mjs'] },
];

const ENVIRONMENT = { CI: '1', HEDDLE_CACHE: 'off', NO_COLOR: '1', HEDDLE_JOBS: '1' };
/** Milliseconds between lines that say what is running. */
const PROGRESS = 60_000;
const COUNT = /^\d+ passed, \d+ failed$/gm;

const { values, positionals } = parseArgs({
  options: { lanes: { type: 'string', default: '2' }, list: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !PARTS.some((part) => part.name === name));
if (!/^[1-9]\d*$/.test(values.lanes) || unknown.length > 0) {
  console.error(`${unknown.map((name) => `no such part: ${name}\n`).join('')}usage: node scripts/ci.mjs [--lanes N] [--list] [name…]`);
  process.exit(2);
}
const queue = PARTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)).sort((a, b) => b.minutes - a.minutes);
if (values.list) {
  for (const { name, minutes, command } of queue) console.log(`${name} (${minutes} min): ${command.join(' ')}`);
  process.exit(0);
}

/** Several parts use them: they are installed before, since two at once would write the same files. A part that lacks one says so. */
if (queue.some(({ nodes }) => nodes === true)) {
  for (const version of VERSIONS) {
    try {
      installNode(version);
    } catch (error) {
      console.error(error.message);
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'heddle-ci-'));
const lanes = Number(values.lanes);
const started = performance.now();
/** The parts that run, and since when. */
const running = new Map();
const done = [];
/** What is to be called when a part is done. */
const waiting = [];

const secondsSince = (time) => Math.round((performance.now() - time) / 1000);
const clock = () => `${secondsSince(started)} s`;

/** Runs a command with its output in a file; its status, or signal, or why it was not started. */
function run(command, args, env, file) {
  const output = openSync(file, 'w');
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', output, output], env: { ...process.env, ...ENVIRONMENT, ...env } });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(status ?? signal));
  }).finally(() => closeSync(output));
}

/** What a part counted. A part that gives no count, or another status than its count says, has failed once more. */
function tally({ check }, status, text) {
  if (check) return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const last = text.match(COUNT)?.at(-1);
  if (last === undefined) return { passed: 0, failed: 1 };
  const [passed = 0, failed = 0] = last.match(/\d+/g).map(Number);
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed };
}

async function runPart(part) {
  const { name, command, env = {} } = part;
  const since = performance.now();
  running.set(part, since);
  console.log(`-- ${clock()}: ${name} begins`);
  const file = join(folder, `${PARTS.indexOf(part)}.txt`);
  const [program, ...args] = command;
  const status = await run(program, args, env, file);
  running.delete(part);
  const text = readFileSync(file, 'utf8');
  const { passed, failed } = tally(part, status, text);
  const seconds = secondsSince(since);
  done.push({ name, passed, failed, seconds });
  // Counts of parts are not to be taken for the sum: each gets its part's name.
  const named = text.replace(COUNT, (count) => `${name}: ${count}`);
  process.stdout.write(`\n== ${name}: ${command.join(' ')}\n${named}${text.endsWith('\n') || text === '' ? '' : '\n'}`);
  if (status !== 0) console.log(`${name} ended with ${status}`);
  console.log(`${name}: ${failed > 0 ? 'FAILED' : 'passed'} in ${seconds} s, at ${clock()}`);
}

/** The next part that may be run beside those that are running. */
function take() {
  const locks = [...running.keys()].map(({ lock }) => lock);
  const at = queue.findIndex(({ lock }) => lock === undefined || !locks.includes(lock));
  return at < 0 ? undefined : queue.splice(at, 1)[0];
}

async function lane() {
  while (queue.length > 0) {
    const part = take();
    if (part === undefined) await new Promise((resolve) => waiting.push(resolve));
    else await runPart(part);
    for (const resolve of waiting.splice(0)) resolve();
  }
}

const progress = setInterval(() => {
  const now = [...running].map(([{ name }, since]) => `${name} (${secondsSince(since)} s)`);
  console.log(`-- ${clock()}: ${now.join(', ')}; ${queue.length} wait`);
}, PROGRESS);
await Promise.all(Array.from({ length: lanes }, lane));
clearInterval(progress);
rmSync(folder, { recursive: true });

console.log(`\nparts, in ${clock()}:`);
let passed = 0;
let failed = 0;
for (const part of done.sort((a, b) => b.seconds - a.seconds)) {
  console.log(`${String(part.seconds).padStart(6)} s  ${part.name}: ${part.passed} passed; ${part.failed} failed`);
  passed += part.passed;
  failed += part.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
