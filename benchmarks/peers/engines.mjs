// The engines that are compared: what is there, its version, and how it runs a build of a program.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onPath, peerNode, peersFolder, root } from '../harness.mjs';

const RUNNER = fileURLToPath(new URL('runner.mjs', import.meta.url));
const MEASURE = fileURLToPath(new URL('measure.py', import.meta.url));

/** V8 crashes while it compiles stack switching without the second. */
const STACK_SWITCHING = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination'];
/** V8 optimizes everything before it runs, as the others do: it does not replace functions while they run, and these run once, long. */
const OPTIMIZED = ['--no-liftoff', '--no-wasm-lazy-compilation'];
const WASMTIME_STACK_SWITCHING = '-W=exceptions,function-references,gc,stack-switching';

const firstLine = (command, args) => execFileSync(command, args, { encoding: 'utf8' }).trim().split('\n')[0];

/** Heddle in a Node; `folder` is the package. */
function heddle(key, name, build, node, folder) {
  return {
    key,
    name,
    build,
    version: `Node ${node.version}`,
    options: [],
    command: (file, n) => [node.path, RUNNER, 'heddle', file, String(n), folder],
  };
}

/** V8 of a Node. */
function v8(key, name, build, node, engine, options) {
  return {
    key,
    name,
    build,
    version: `Node ${node.version}, V8 ${firstLine(node.path, ['-p', 'process.versions.v8'])}`,
    options,
    command: (file, n) => [node.path, ...options, RUNNER, engine, file, String(n)],
  };
}

/** Wasmtime's command line, which says no times: start-up is taken off. */
function wasmtime(key, name, build, path, options) {
  return {
    key,
    name,
    build,
    version: firstLine(path, ['--version']),
    options,
    wholeProcess: true,
    command: (file, n) => [path, 'run', ...options, '--invoke', 'run', file, String(n)],
  };
}

const absent = (key, name, build, missing) => ({ key, name, build, missing });

const ASKED = 'node benchmarks/peers/main.mjs --install';

function v8Engines(node) {
  const rows = [
    ['v8', 'V8', 'switching', 'v8', [...STACK_SWITCHING, ...OPTIMIZED]],
    ['v8-jspi', 'V8, JSPI', 'import', 'jspi', OPTIMIZED],
    ['v8-asyncify', 'V8, Asyncify', 'asyncify', 'v8', OPTIMIZED],
  ];
  return rows.map(([key, name, build, engine, options]) =>
    node === undefined
      ? absent(key, name, build, `no Node 26: HEDDLE_PEER_NODE names one, or ${ASKED}`)
      : v8(key, name, build, node, engine, options),
  );
}

function wasmtimeEngines() {
  const installed = join(peersFolder, 'bin/wasmtime');
  const path = onPath('wasmtime') ?? (existsSync(installed) ? installed : undefined);
  const rows = [
    ['wasmtime', 'Wasmtime', 'switching', [WASMTIME_STACK_SWITCHING]],
    ['wasmtime-asyncify', 'Wasmtime, Asyncify', 'asyncify', []],
  ];
  return rows.map(([key, name, build, options]) =>
    path === undefined ? absent(key, name, build, `no wasmtime on the PATH: ${ASKED}`) : wasmtime(key, name, build, path, options),
  );
}

function boost(tools) {
  const { missing, version } = tools.boost;
  if (missing !== undefined) return absent('boost', 'Boost.Context', 'native', missing);
  return { key: 'boost', name: 'Boost.Context', build: 'native', version, options: [], command: (file, n) => [file, String(n)] };
}

/** Heddle's rows for a package, in this Node and in a Node 26. */
export function heddleEngines(folder, node26) {
  const node = { path: process.execPath, version: process.version };
  return [
    heddle('heddle', 'Heddle', 'switching', node, folder),
    heddle('heddle-import', 'Heddle, imports', 'import', node, folder),
    heddle('heddle-asyncify', 'Heddle, Asyncify', 'asyncify', node, folder),
    ...(node26 === undefined ? [] : [heddle('heddle-26', 'Heddle, Node 26', 'switching', node26, folder)]),
  ];
}

/** All engines, those that are missing too: they have `missing`, a line that says why. */
export function findEngines(tools) {
  const node26 = peerNode();
  return [...heddleEngines(root, node26), ...v8Engines(node26), ...wasmtimeEngines(), boost(tools)];
}

/** The line of what a process wrote that says best why it ended. */
function reason(stdout, stderr) {
  const lines = `${stderr}\n${stdout}`.split('\n').map((line) => line.replace(/^[#\s]+/, '').trim());
  const telling = lines.find(
    (line) => /check failed|unimplemented|unreachable|panicked|error|trap|out of/i.test(line) && !/fatal error in/i.test(line),
  );
  return (telling ?? lines.find((line) => line !== '') ?? '').slice(0, 160);
}

/**
 * Runs `run(n)` of a file once, in a process of its own, for `limit` seconds at most. `{ milliseconds, wall, processor, peak, result }`, times in
 * milliseconds, memory in bytes; `{ failure }`, a line, where it does not end as it should. `milliseconds` is without start-up, and missing where the
 * engine cannot tell it.
 */
export function runOnce(engine, file, n, limit) {
  const measured = spawnSync('python3', [MEASURE, String(limit), ...engine.command(file, n)], {
    encoding: 'utf8',
    env: { ...process.env, HEDDLE_CACHE: 'off', NO_COLOR: '1' },
    maxBuffer: 1 << 24,
  });
  if (measured.status !== 0) return { failure: `not started: ${measured.error?.message ?? measured.stderr.trim().split('\n').at(-1)}` };
  const { status, signal, timeout, wall, processor, peak, stdout, stderr } = JSON.parse(measured.stdout);
  if (timeout) return { failure: `not done after ${limit} s` };
  if (status !== 0) return { failure: `${signal ?? `status ${status}`}: ${reason(stdout, stderr)}` };
  if (engine.wholeProcess) return { wall, processor, peak, result: stdout.trim() };
  const line = /^RESULT (.*)$/m.exec(stdout);
  if (line === null) return { failure: `no result: ${reason(stdout, stderr)}` };
  return { wall, processor, peak, ...JSON.parse(line[1]) };
}
