#!/usr/bin/env node
// Makes what is published, a tarball each in build-packages or in FOLDER: the package heddle, which has no machine code and compiles nothing, and for each kind of machine a package with
// the addon and the code generator's machine code (docs/decisions/0035). `node scripts/pack.mjs [--here] [FOLDER]`; with `--here` only for this kind of machine, which needs no other compiler. What is up to date is not built again.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { root } from './tally.mjs';

/** By Node's names of CPUs: what its tools are named by. */
const MACHINES = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
const MB = 1e6;
/** Bytes that a package may take. */
const LIMITS = { main: { packed: 2 * MB, installed: 12 * MB }, machine: { packed: 20 * MB, installed: 20 * MB } };
/** What the package heddle has, as it is in the repository. */
const PLAIN = [
  'LICENSE',
  'THIRD_PARTY.md',
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'benchmarks/README.md',
  'bin',
  'docs',
  'examples',
  'include',
  'asm',
];
/** Headers for who builds the addon: so the package needs no other. */
const NODE_ADDON_API = /\.h$|^package\.json$|^index\.js$|^LICENSE\.md$/;

const { scripts: _, devDependencies, dependencies, files, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const home = join(root, 'build-packages');
const here = process.argv.includes('--here');
const destination = resolve(process.argv.slice(2).find((arg) => arg !== '--here') ?? home);
const packageOf = (arch) => `@heddle/linux-${arch}-gnu`;

function run(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
}

const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

/** Bytes of a folder's files. */
function sizeOf(folder) {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    sum += entry.isDirectory() ? sizeOf(path) : statSync(path).size;
  }
  return sum;
}

/** Packs a folder; throws where it is larger than it may be. */
function pack(folder, name, limit) {
  const file = join(destination, run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', destination], folder).trim());
  const sizes = { packed: statSync(file).size, installed: sizeOf(folder) };
  console.log(`${name}: ${(sizes.packed / MB).toFixed(2)} MB packed, ${(sizes.installed / MB).toFixed(2)} MB installed`);
  for (const [kind, size] of Object.entries(sizes))
    if (size > limit[kind]) throw new Error(`${name} has ${size} bytes ${kind}: it may have ${limit[kind]}`);
}

/** A folder that is empty, but for what is named. */
function emptied(folder, keep = []) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (!keep.includes(name)) rmSync(join(folder, name), { recursive: true });
  return folder;
}

/** The code generator, compressed: a quarter of the time that V8 takes to compile it goes into reading it so, and it is read only where no machine code of it is there. */
function compressedCodegen() {
  const module = readFileSync(join(root, 'codegen/dist/heddle_codegen.wasm'));
  const file = join(home, 'heddle_codegen.wasm.br');
  if (existsSync(file) && brotliDecompressSync(readFileSync(file)).equals(module)) return file;
  const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: module.length };
  writeFileSync(file, brotliCompressSync(module, { params }));
  return file;
}

function packMain() {
  const stage = emptied(join(home, 'heddle'));
  const put = (from, to, filter = () => true) => {
    mkdirSync(dirname(join(stage, to)), { recursive: true });
    cpSync(from, join(stage, to), { recursive: true, filter });
  };
  for (const name of PLAIN) put(join(root, name), name);
  const isFolder = (path) => statSync(path).isDirectory();
  // Of dist/ts the types only: what runs is in the bundles. Source maps lead to sources that are not there.
  const ts = join(root, 'dist/ts');
  put(join(root, 'dist'), 'dist', (path) => {
    if (path.startsWith(ts) && path !== ts) return isFolder(path) || /\.d\.ts$|build_id\.txt$/.test(path);
    return !path.endsWith('.map') && path !== join(root, 'dist/codegen') && path !== join(root, 'dist/docs');
  });
  put(join(root, 'codegen/dist'), 'codegen/dist', (path) => !path.endsWith('.wasm'));
  put(compressedCodegen(), 'codegen/dist/heddle_codegen.wasm.br');
  put(join(root, 'native'), 'native', (path) => path !== join(root, 'native/tests'));
  put(join(root, 'binding.gyp'), 'native/binding.gyp');
  const headers = join(root, 'node_modules/node-addon-api');
  for (const name of readdirSync(headers).filter((each) => NODE_ADDON_API.test(each)))
    put(join(headers, name), `native/node-addon-api/${name}`);
  put(join(root, 'scripts/build_native.mjs'), 'scripts/build_native.mjs');
  const optionalDependencies = Object.fromEntries(Object.keys(MACHINES).map((arch) => [packageOf(arch), manifest.version]));
  writeJson(join(stage, 'package.json'), { ...manifest, optionalDependencies });
  pack(stage, manifest.name, LIMITS.main);
}

async function packMachine(arch) {
  const triple = MACHINES[arch];
  const native = arch === process.arch;
  const name = packageOf(arch);
  run(process.execPath, ['scripts/build_native.mjs', '--arch', arch]);
  const stage = emptied(join(home, arch), ['codegen']);
  const { buildPortableCodegen } = await import('../dist/ts/api/own_codegen.js');
  await buildPortableCodegen(arch, join(stage, 'codegen'));
  const addon = join(root, native ? '' : `build-${arch}`, 'build/Release/heddle.node');
  run(native ? 'strip' : `${triple}-strip`, [addon, '-o', join(stage, 'heddle.node')]);
  for (const file of ['LICENSE', 'THIRD_PARTY.md']) cpSync(join(root, file), join(stage, file));
  const { version, license, engines } = manifest;
  const description = `What heddle has compiled for Linux on ${arch} with glibc`;
  writeFileSync(join(stage, 'README.md'), `# ${name}\n\n${description}. Install \`heddle\`, which asks for it.\n`);
  writeJson(join(stage, 'package.json'), { name, version, description, license, engines, os: ['linux'], cpu: [arch], libc: ['glibc'] });
  pack(stage, name, LIMITS.machine);
}

mkdirSync(home, { recursive: true });
mkdirSync(destination, { recursive: true });
try {
  packMain();
  for (const arch of here ? [process.arch] : Object.keys(MACHINES)) await packMachine(arch);
  process.exit(0);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
