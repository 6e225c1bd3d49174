// The differential fuzzer: random modules on Heddle and on V8. `npm run fuzz -- [--seconds N] [--seed S] [--modules N] [--processes N] [--objects]`. The modules of a seed are
// the same everywhere; time decides only how many of them are run. Ends with `N passed, N failed`, in modules.
// `--objects`: modules with structures and arrays only, on Node 26 (HEDDLE_NODE_26, or installed) where this Node's V8 has none.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { jobs } from '../../scripts/jobs.mjs';
import { installNode } from '../../scripts/nodes.mjs';
import { hasObjects } from './modules.mjs';

/** Modules that a child gets at once, and how many it compares before another takes its place: what instances have lives as long as the process. */
const BATCH = 50;
const BATCHES = 30;
/** The version of Node whose V8 has structures and arrays. */
const PEER = '26';
/** A module that takes longer than this hangs, if it does so a second time: on a busy machine the whole process may have been stopped. */
const HANGS = 60_000;
/** V8 of Node 20 has these only behind flags. */
const FLAGS = ['--experimental-wasm-extended-const', '--experimental-wasm-memory64'];

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

const seed = option('seed', 1);
const most = option('modules', Number.POSITIVE_INFINITY);
const seconds = option('seconds', most === Number.POSITIVE_INFINITY ? 60 : Number.POSITIVE_INFINITY);
const processes = option('processes', jobs());
if (![seconds, seed, most, processes].every((number) => number >= 0)) {
  console.error('usage: npm run fuzz -- [--seconds N] [--seed S] [--modules N] [--processes N] [--objects]');
  process.exit(2);
}

const objects = process.argv.includes('--objects');
const node = !objects || hasObjects() ? process.execPath : (process.env[`HEDDLE_NODE_${PEER}`] ?? installNode(PEER));
const end = performance.now() + 1000 * seconds;
const known = FLAGS.filter(
  (flag) => node === process.execPath && (process.allowedNodeEnvironmentFlags.has(flag) || process.version.startsWith('v20')),
);
const sum = { modules: 0, executions: 0, skipped: new Map() };
const failures = [];
/** Modules that are to be compared a second time, and those that were. */
const again = [];
const retried = new Set();
let next = 0;

function fail(index, message) {
  failures.push(index);
  console.log(
    `FAILED module ${index}: ${message}\n  again: ${node} ${known.join(' ')} tests/fuzz/one.mjs ${seed} ${index} ${objects ? '--objects ' : ''}--shrink --out module.wasm`,
  );
}

/** One child's life: batches until the time is over or it is to be replaced. */
function life() {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), {
      execPath: node,
      execArgv: known,
      env: { ...process.env, HEDDLE_CACHE: 'off' },
    });
    let batches = 0;
    let at = -1;
    let timer;
    const more = () => {
      clearTimeout(timer);
      const index = again.shift();
      if (index !== undefined) return child.send({ seed, from: index, to: index + 1, objects });
      if (performance.now() >= end || next >= most || batches++ >= BATCHES) return child.disconnect();
      const from = next;
      next = Math.min(next + BATCH, most);
      child.send({ seed, from, to: next, objects });
    };
    child.on('message', (message) => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), HANGS);
      if (message.done === undefined) {
        at = message.at;
        return;
      }
      sum.modules += message.done.modules;
      sum.executions += message.done.executions;
      for (const [why, count] of Object.entries(message.done.skipped)) sum.skipped.set(why, (sum.skipped.get(why) ?? 0) + count);
      for (const { index, difference } of message.done.differences) fail(index, difference);
      more();
    });
    child.on('exit', (status, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL' && !retried.has(at)) {
        retried.add(at);
        again.push(at);
      } else if (status !== 0) fail(at, signal === 'SIGKILL' ? 'it hangs' : `the process ended with ${signal ?? status}`);
      resolve();
    });
    more();
  });
}

async function worker() {
  while (again.length > 0 || (performance.now() < end && next < most)) await life();
}

await Promise.all(Array.from({ length: processes }, worker));
for (const [why, count] of sum.skipped) console.log(`${count} modules that V8 does not take: ${why}`);
console.log(`seed ${seed}: ${next} seeds, ${sum.modules} modules, ${sum.executions} executions`);
console.log(`${Math.max(0, sum.modules - failures.length)} passed, ${failures.length} failed`);
process.exit(failures.length > 0 || sum.modules === 0 ? 1 : 0);
