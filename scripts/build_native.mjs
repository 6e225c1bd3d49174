/**
 * Builds build/Release/heddle.node with node-gyp, in this package or, with `--in FOLDER`, in a folder that has its
 * sources; with `--arch arm64` on another machine, in build-arm64. Does nothing where that file is up to date, but with
 * `--force`. Says nothing but one line when it works; on failure what the compiler said.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** What stands behind an option, or null. */
function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : (process.argv[at + 1] ?? '');
}
const arch = option('--arch') ?? process.arch;
const crossed = arch !== process.arch;
/**
 * The published package has no binding.gyp at its root, where npm would build at each installation (docs/decisions/0035): it is beside the
 * sources, with the headers that it needs, and the build is made in a folder of its own and removed.
 */
const published = option('--in') === null && !existsSync(join(root, 'binding.gyp'));
const folder =
  option('--in') !== null ? resolve(option('--in')) : published ? join(root, 'build/source') : crossed ? join(root, `build-${arch}`) : root;
const target = join(published ? root : folder, 'build/Release/heddle.node');
const stamp = target.replace(/node$/, 'stamp');

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

const TRIPLE = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[arch];
const env = crossed ? { CXX: `${TRIPLE}-g++`, CC: `${TRIPLE}-gcc`, AR: `${TRIPLE}-gcc-ar`, ...process.env } : process.env;

/**
 * What a build needs. Each is also the name of its package in Debian, Ubuntu and Alpine; Fedora has another for g++.
 */
const TOOLS = [(env.CXX ?? 'g++').split(' ')[0], 'make', 'python3'];

if (process.platform !== 'linux' || TRIPLE === undefined) {
  stop(`only Linux on x64 and arm64 is supported, not ${process.platform} on ${arch}`);
}

/** Where the sources are that are built. */
const sources = option('--in') === null ? root : folder;
const project = published ? 'native/binding.gyp' : 'binding.gyp';
const PARTS = ['native', 'asm', project];

/** Hash of all that decides what is built, but for the compiler itself. */
function inputs() {
  const hash = createHash('sha256').update(arch);
  for (const name of ['CXX', 'CC', 'CFLAGS', 'CXXFLAGS', 'LDFLAGS', 'HEDDLE_LTO', 'HEDDLE_GENERATION_START'])
    hash.update(`${name}=${env[name] ?? ''}\n`);
  for (const part of PARTS) {
    const path = join(sources, part);
    if (!existsSync(path)) return undefined;
    const files = part === project ? [''] : readdirSync(path, { recursive: true, withFileTypes: true });
    const names = files
      .filter((file) => file === '' || file.isFile())
      .map((file) => (file === '' ? path : join(file.parentPath ?? file.path, file.name)));
    for (const name of names.sort())
      if (!/native\/tests\//.test(name)) hash.update(`${relative(sources, name)}\n`).update(readFileSync(name));
  }
  return hash.digest('hex');
}

const wanted = inputs();
const shown = relative(process.cwd(), target);
if (
  !process.argv.includes('--force') &&
  wanted !== undefined &&
  existsSync(target) &&
  existsSync(stamp) &&
  readFileSync(stamp, 'utf8') === wanted
) {
  console.log(`heddle: ${shown} is up to date`);
  process.exit(0);
}
const missing = TOOLS.filter((program) => !have(program));
if (missing.length > 0 && crossed)
  stop(`building for ${arch} needs ${missing.join(', ')}: apt-get install g++-${TRIPLE.replace('_', '-')} make python3`);
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
  const [compiler, ...flags] = (env.CXX ?? 'g++').split(' ');
  const trial = mkdtempSync(join(tmpdir(), 'heddle-lto-'));
  const source = join(trial, 'trial.cc');
  writeFileSync(source, 'int answer() { return 42; }\n');
  const works = (option) =>
    spawnSync(compiler, [...flags, '-Werror', option, '-O2', '-fPIC', '-shared', source, '-o', join(trial, 'trial.so')]).status === 0;
  const found = ['-flto=auto', '-flto'].find(works);
  rmSync(trial, { recursive: true });
  return found;
}

const options = ['rebuild', '--loglevel=error', '-j', 'max', ...(crossed ? [`--arch=${arch}`] : [])];
const prefix = dirname(dirname(process.execPath));
// The headers beside the running Node need no download. Otherwise node-gyp fetches them once.
if (existsSync(join(prefix, 'include/node/node.h'))) options.push(`--nodedir=${prefix}`);
if (folder !== sources) {
  rmSync(folder, { recursive: true, force: true });
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    stop(`the addon is built in the package's own folder, which cannot be written: ${error.message}`);
  }
  for (const part of ['native', 'asm']) cpSync(join(root, part), join(folder, part), { recursive: true });
  cpSync(join(root, project), join(folder, 'binding.gyp'));
  if (published) cpSync(join(root, 'native/node-addon-api'), join(folder, 'node_modules/node-addon-api'), { recursive: true });
}
const lto = env.HEDDLE_LTO ?? linkTimeOptimization();
const run = spawnSync(process.execPath, [nodeGyp(), ...options], {
  cwd: folder,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
  env: lto === undefined ? env : { ...env, HEDDLE_LTO: lto },
});
if (run.status !== 0) {
  process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}`);
  stop(`the addon was not built${run.error ? `: ${run.error.message}` : ''}`);
}
if (published) {
  mkdirSync(dirname(target), { recursive: true });
  renameSync(join(folder, 'build/Release/heddle.node'), target);
  rmSync(folder, { recursive: true });
}
if (wanted !== undefined) writeFileSync(stamp, wanted);
console.log(`heddle: built ${shown}`);
