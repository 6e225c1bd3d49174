#!/usr/bin/env node
// Packages of others and programs of the official Go compiler, by `heddle/register` on this Node and on Node 26, against what V8 of Node 26 prints:
// `node scripts/test_packages.mjs [--all] [name…]`. Without --all only the small ones, and Go where it is installed. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages, packagesFolder } from './install_packages.mjs';
import { installNode } from './nodes.mjs';
import { root, Tally } from './tally.mjs';

/** Where V8 itself fails on Node 26, and why: what it prints on this Node counts there, and Heddle runs here alone; where this is Node 26, nothing can be compared. V8 is asked in each run. */
const NOT_ON_26 = {
  php: 'a native helper of the package has no binary for it',
  clingo: 'its glue finds no file there',
};

const argv = process.argv.slice(2);
const all = argv.includes('--all');
const names = argv.filter((one) => !one.startsWith('--'));

/** Runs a job; its output, or how it failed. */
function run(node, use, args, cache) {
  const { status, signal, stdout, stderr } = spawnSync(node, ['--no-warnings', '--import', './use.mjs', ...args], {
    cwd: packagesFolder,
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, PACKAGES_USE: use, HEDDLE_CACHE: cache },
  });
  const last = stderr.trim().split('\n').slice(-12).join('\n').slice(-1500);
  return status === 0 ? { output: stdout } : { failure: `ended with ${status ?? signal}\n${stdout.slice(-500)}${last}` };
}

/** Name and arguments of each job. */
function jobs() {
  const of = (folder) => readdirSync(join(packagesFolder, folder)).map((file) => [file.replace('.mjs', ''), [`${folder}/${file}`]]);
  return [...of('jobs'), ...(all ? of('large/jobs') : []), ...goJobs()];
}

function goJobs() {
  const { status, stdout } = spawnSync('go', ['env', 'GOROOT'], { encoding: 'utf8' });
  if (status !== 0) {
    console.log('Go is not installed: its programs are left out (package golang-go)');
    return [];
  }
  const folder = join(root, 'build-go');
  mkdirSync(folder, { recursive: true });
  const glue = ['lib/wasm', 'misc/wasm'].map((path) => join(stdout.trim(), path, 'wasm_exec.js')).find((path) => existsSync(path));
  return ['wasip1', 'js'].flatMap((target) => {
    const binary = join(folder, `${target}.wasm`);
    const built = spawnSync('go', ['build', '-o', binary, 'main.go'], {
      cwd: join(packagesFolder, 'go'),
      encoding: 'utf8',
      env: { ...process.env, GOOS: target, GOARCH: 'wasm', GOFLAGS: '-mod=mod', CGO_ENABLED: '0' },
    });
    if (built.status !== 0) throw new Error(`go build: ${built.stderr}`);
    return target === 'js' && glue === undefined ? [] : [[`go_${target}`, [`go/${target}.mjs`, binary, glue]]];
  });
}

installPackages();
if (all) installPackages('large');
const tally = new Tally();
const newest = installNode('26');
const isNewest = process.versions.node.startsWith('26.');
const cache = mkdtempSync(join(tmpdir(), 'heddle-packages-'));
for (const [name, args] of jobs()) {
  if (names.length > 0 && !names.includes(name)) continue;
  const start = performance.now();
  const reason = NOT_ON_26[name];
  const onNewest = run(newest, 'v8', args, cache);
  if (reason !== undefined) tally.check(`${name} fails under V8 of Node 26: ${reason}`, onNewest.failure !== undefined);
  if (reason !== undefined && isNewest) {
    console.log(`${name}: left out, for V8 fails on this Node too`);
    continue;
  }
  const expected = reason === undefined ? onNewest : run(process.execPath, 'v8', args, cache);
  if (expected.failure !== undefined) {
    console.error(`${name}, V8: ${expected.failure}`);
    tally.check(`${name}, V8`, false);
    continue;
  }
  for (const node of reason === undefined && !isNewest ? [process.execPath, newest] : [process.execPath]) {
    const { output, failure } = run(node, 'heddle', args, cache);
    const same = output === expected.output;
    if (!same)
      console.error(`${name}, ${node}: ${failure ?? `printed\n${output.slice(0, 2000)}instead of\n${expected.output.slice(0, 2000)}`}`);
    tally.check(`${name}, ${node === process.execPath ? process.version : 'Node 26'}`, same);
  }
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
rmSync(cache, { recursive: true });
process.exit(tally.finish());
