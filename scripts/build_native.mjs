/**
 * Builds build/Release/heddle.node with node-gyp, in this package or, with `--in FOLDER`, in a folder that has its
 * sources. Says nothing but one line when it works; on failure what the compiler said.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = process.argv.indexOf('--in');
const folder = at < 0 ? root : resolve(process.argv[at + 1] ?? '');

/** Whether a program of this name is on the PATH. */
function have(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function stop(message) {
  console.error(`heddle: ${message}`);
  process.exit(1);
}

/**
 * What a build needs. Each is also the name of its package in Debian, Ubuntu and Alpine; Fedora has another for g++.
 */
const TOOLS = [(process.env.CXX ?? 'g++').split(' ')[0], 'make', 'python3'];

if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
  stop(`only Linux on x64 and arm64 is supported, not ${process.platform} on ${process.arch}`);
}
const missing = TOOLS.filter((program) => !have(program));
if (missing.length > 0) {
  const fedora = missing.includes('g++') ? ' (Fedora: gcc-c++ for g++)' : '';
  stop(`building the addon needs ${missing.join(', ')}: apt-get install ${missing.join(' ')}${fedora}`);
}

/** node-gyp of this package, or the one that comes with npm. */
function nodeGyp() {
  const require = createRequire(import.meta.url);
  const npm = join(dirname(process.execPath), '../lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js');
  const share = join(dirname(process.execPath), '../share/nodejs/npm/node_modules/node-gyp/bin/node-gyp.js');
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    const found = [process.env.npm_config_node_gyp, npm, share].find((path) => path !== undefined && existsSync(path));
    return found ?? stop('node-gyp was not found: install it with npm install node-gyp');
  }
}

/**
 * The compiler's option for optimising across files, which a call from JavaScript is a fifth faster by; undefined where
 * it, or its linker, has none.
 */
function linkTimeOptimization() {
  const [compiler, ...flags] = (process.env.CXX ?? 'g++').split(' ');
  const trial = mkdtempSync(join(tmpdir(), 'heddle-lto-'));
  const source = join(trial, 'trial.cc');
  writeFileSync(source, 'int answer() { return 42; }\n');
  const works = (option) =>
    spawnSync(compiler, [...flags, '-Werror', option, '-O2', '-fPIC', '-shared', source, '-o', join(trial, 'trial.so')]).status === 0;
  const found = ['-flto=auto', '-flto'].find(works);
  rmSync(trial, { recursive: true });
  return found;
}

const options = ['rebuild', '--loglevel=error', '-j', 'max'];
const prefix = dirname(dirname(process.execPath));
// The headers beside the running Node need no download. Otherwise node-gyp fetches them once.
if (existsSync(join(prefix, 'include/node/node.h'))) options.push(`--nodedir=${prefix}`);
const lto = process.env.HEDDLE_LTO ?? linkTimeOptimization();
const run = spawnSync(process.execPath, [nodeGyp(), ...options], {
  cwd: folder,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
  env: lto === undefined ? process.env : { ...process.env, HEDDLE_LTO: lto },
});
if (run.status !== 0) {
  process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}`);
  stop(`the addon was not built${run.error ? `: ${run.error.message}` : ''}`);
}
console.log(`heddle: built ${relative(process.cwd(), join(folder, 'build/Release/heddle.node'))}`);
