// Builds of a program: what the engines run. C goes through clang and wasm-ld, and everything that Binaryen can take through its optimizer, so that
// all builds of a program are made alike.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, packagesFolder } from '../../scripts/install_packages.mjs';
import { heddle, onPath, peersFolder, root } from '../harness.mjs';
import { NOT_WRITTEN, programsFolder, source } from './programs.mjs';

const FEATURES = [
  '--enable-bulk-memory',
  '--enable-bulk-memory-opt',
  '--enable-sign-ext',
  '--enable-mutable-globals',
  '--enable-nontrapping-float-to-int',
];
const SWITCHING_FEATURES = [
  '--enable-reference-types',
  '--enable-gc',
  '--enable-exception-handling',
  '--enable-tail-call',
  '--enable-multivalue',
  '--enable-stack-switching',
];
const COMPILE = [
  '-std=c11',
  '-O2',
  '-ffp-contract=off',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-function',
  '-I',
  join(root, 'include'),
];
const WASM = ['--target=wasm32', '-nostdlib', '-mbulk-memory', '-msign-ext', '-mnontrapping-fptoint'];
/** Programs keep nothing in the stack in linear memory: a page is more than they need. */
const LINK = ['-Wl,--no-entry', '-Wl,--export-table', '-Wl,--stack-first', '-Wl,-z,stack-size=65536'];

const output = (command, args) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  const lines = (stderr ?? '').trim().split('\n');
  throw new Error(`${command} ended with ${status ?? error?.code}: ${lines.find((line) => line.includes('error')) ?? lines[0]}`);
};

/** clang for WebAssembly, or why there is none: a path, or a line. */
function findClang() {
  const path = onPath('clang');
  if (path === undefined) return { missing: 'clang is missing: apt-get install clang lld' };
  if (onPath('wasm-ld') === undefined) return { missing: 'wasm-ld is missing: apt-get install lld' };
  if (!output(path, ['--print-targets']).includes('wasm32')) return { missing: `${path} has no target wasm32: apt-get install clang lld` };
  return { path, version: output(path, ['--version']).split('\n')[0] };
}

/** Binaryen's programs, or why they are missing. */
function findBinaryen() {
  try {
    installPackages('binaryen');
  } catch (error) {
    return { missing: `Binaryen is missing: ${error.message}` };
  }
  const folder = join(packagesFolder, 'binaryen/node_modules/binaryen');
  return { folder, version: `Binaryen ${JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version}` };
}

/** A C compiler that finds Boost.Context, or why there is none. */
function findBoost() {
  if (!existsSync('/usr/include/boost/context/fiber.hpp')) return { missing: 'apt-get install libboost-context-dev' };
  const path = onPath('clang') ?? onPath('gcc');
  if (path === undefined) return { missing: 'a C compiler is missing: apt-get install clang' };
  const version = /BOOST_LIB_VERSION "(\S+)"/.exec(readFileSync('/usr/include/boost/version.hpp', 'utf8'))?.[1]?.replace('_', '.');
  return { path, version: `Boost ${version ?? 'unknown'}` };
}

/** What builds programs here: `missing` of a tool says why it is not there. */
export function findTools() {
  return { clang: findClang(), binaryen: findBinaryen(), boost: findBoost() };
}

/** On a program as small as these, V8's optimizing compiler would take four times as long as Binaryen itself. */
const binaryen = (tools, program, args) =>
  execFileSync(process.execPath, ['--liftoff-only', join(tools.binaryen.folder, 'bin', program), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });

function optimize(tools, from, to, features, passes = []) {
  binaryen(tools, 'wasm-opt', [...features, ...passes, '-O3', from, '-o', to]);
}

/** What a build needs, in one line where it is missing. */
function missing(tools, needs) {
  return needs.map((need) => tools[need].missing).find((line) => line !== undefined);
}

const compileC = (tools, name, define, to) =>
  output(tools.clang.path, [...WASM, ...COMPILE, `-D${define}`, ...LINK, source(name, 'c'), '-o', to]);

/** `import`: fibers are imports that the engine gives. */
function buildImport(tools, name, folder) {
  const linked = join(folder, `${name}.linked.wasm`);
  const file = join(folder, `${name}.import.wasm`);
  compileC(tools, name, 'FIBERS_BY_IMPORT', linked);
  optimize(tools, linked, file, FEATURES);
  return file;
}

/** `asyncify`: Binaryen's pass over the whole program. */
function buildAsyncify(tools, name, folder) {
  const linked = join(folder, `${name}.unwinds.wasm`);
  const file = join(folder, `${name}.asyncify.wasm`);
  compileC(tools, name, 'FIBERS_BY_ASYNCIFY', linked);
  optimize(tools, linked, file, FEATURES, ['--asyncify']);
  return file;
}

/** `switching`: the program's own instructions, or C with those of fibers/switching.wat merged into it. */
async function buildSwitching(tools, name, folder) {
  const { parseWat } = await heddle();
  const file = join(folder, `${name}.switching.wasm`);
  const text = source(name, 'wat');
  if (text !== undefined) {
    writeFileSync(file, parseWat(readFileSync(text, 'utf8')));
    return file;
  }
  const linked = join(folder, `${name}.calls.wasm`);
  const instructions = join(folder, 'instructions.wasm');
  const merged = join(folder, `${name}.merged.wasm`);
  writeFileSync(instructions, parseWat(readFileSync(join(programsFolder, 'fibers/switching.wat'), 'utf8')));
  compileC(tools, name, 'FIBERS_BY_SWITCHING', linked);
  const features = [...FEATURES, ...SWITCHING_FEATURES];
  binaryen(tools, 'wasm-merge', [...features, linked, 'program', instructions, 'switching', '-o', merged]);
  optimize(tools, merged, file, features);
  return file;
}

/** `native`: the same program for this machine, with Boost.Context's switch. */
function buildNative(tools, name, folder) {
  const file = join(folder, `${name}.native`);
  output(tools.boost.path, [...COMPILE, '-D_GNU_SOURCE', '-DFIBERS_BY_BOOST', source(name, 'c'), '-o', file, '-lboost_context']);
  return file;
}

const BUILDS = {
  import: { needs: ['clang', 'binaryen'], build: buildImport },
  asyncify: { needs: ['clang', 'binaryen'], build: buildAsyncify },
  switching: { needs: ['clang', 'binaryen'], build: buildSwitching },
  native: { needs: ['boost'], build: buildNative },
};

/** A hash of all that builds depend on. */
function buildKey(tools) {
  const hash = createHash('sha256');
  const files = readdirSync(programsFolder, { recursive: true })
    .map((name) => join(programsFolder, name))
    .filter((file) => statSync(file).isFile())
    .sort();
  for (const file of [...files, join(root, 'include/heddle/fiber.h'), fileURLToPath(import.meta.url)]) {
    hash.update(`\0${file.slice(root.length)}\0`).update(readFileSync(file));
  }
  for (const { version } of Object.values(tools)) hash.update(`\0${version}`);
  return hash.digest('hex').slice(0, 16);
}

/** Runs `make`, unless the user's cache has what it made before: Binaryen takes seconds for each program. */
async function cached(tools, name, kind, folder, make) {
  const kept = join(peersFolder, 'builds', buildKey(tools));
  const file = join(folder, `${name}.${kind}`);
  const place = join(kept, `${name}.${kind}`);
  if (existsSync(place)) {
    copyFileSync(place, file);
    return file;
  }
  const made = await make();
  mkdirSync(kept, { recursive: true });
  // Another run may be making the same: each puts a whole file in place.
  const own = `${place}.${process.pid}`;
  copyFileSync(made, own);
  renameSync(own, place);
  return made;
}

/** Makes a build of a program: `{ file, bytes }`, or `{ missing }` with why there is none. */
export async function build(tools, name, kind, folder) {
  const { needs, build: make } = BUILDS[kind];
  const own = kind === 'switching' && source(name, 'wat') !== undefined;
  if (!own && source(name, 'c') === undefined) return { missing: NOT_WRITTEN };
  const reason = own ? undefined : missing(tools, needs);
  if (reason !== undefined) return { missing: reason };
  try {
    const file = await cached(tools, name, kind, folder, () => make(tools, name, folder));
    return { file, bytes: statSync(file).size };
  } catch (error) {
    return { missing: `not built: ${error.stderr?.toString().trim().split('\n')[0] || error.message.split('\n')[0]}` };
  }
}

/** What builds a program of C that calls imports as it is: with no option, for the engines that share a stack pointer, and rewritten besides. */
const SERVICES = {
  plain: { needs: ['clang'], flags: [] },
  stacks: { needs: ['clang'], flags: ['-DOWN_STACKS', '-Wl,--export=__stack_pointer'] },
  asyncify: { needs: ['clang', 'binaryen'], flags: ['-DOWN_STACKS', '-Wl,--export=__stack_pointer'], passes: ['--asyncify'] },
};

/** Makes such a build of a file: `{ file }`, or `{ missing }` with why there is none. */
export function buildWith(tools, kind, from, folder) {
  const { needs, flags, passes } = SERVICES[kind];
  const reason = missing(tools, needs);
  if (reason !== undefined) return { missing: reason };
  const linked = join(folder, `${kind}.linked.wasm`);
  output(tools.clang.path, [...WASM, '-mmutable-globals', ...COMPILE, ...LINK, ...flags, from, '-o', linked]);
  if (passes === undefined) return { file: linked };
  const file = join(folder, `${kind}.wasm`);
  optimize(tools, linked, file, FEATURES, passes);
  return { file };
}
