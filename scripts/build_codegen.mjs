#!/usr/bin/env node
// Builds the code generator (codegen/, Rust) into the committed WebAssembly artifact codegen/dist/.
//
//   node scripts/build_codegen.mjs             install what is missing, build, write codegen/dist/
//   node scripts/build_codegen.mjs --check     only compare hashes: is dist/ the build of these sources? (no Rust needed)
//   node scripts/build_codegen.mjs --compare   rebuild into a temporary folder and compare the bytes with dist/
//   node scripts/build_codegen.mjs --tools     only install the toolchain
//
// Whoever does not change the crate needs neither this script nor Rust: dist/ is part of the repository.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const crate = path.join(root, 'codegen');
const dist = path.join(crate, 'dist');
const target = 'wasm32-unknown-unknown';
/** Debian's packages: its rustup-free toolchain is the newest one that ships std's sources with their dependencies vendored. */
const debianPackages = ['rustc-web', 'rust-web-src', 'cargo-web', 'lld-19'];
const wasmPackVersion = '0.15.1';
/** Everything that Rust installs for us lands here, beside no other toolchain's files. */
const tools = process.env.HEDDLE_CODEGEN_TOOLS ?? path.join(os.homedir(), '.cache', 'heddle-codegen');
const jobs = process.env.HEDDLE_CODEGEN_JOBS ?? '2';

/** The environment of every Rust command: Debian's rustc first on PATH, unstable options (-Zbuild-std) allowed. */
const rustEnvironment = {
  ...process.env,
  PATH: ['/usr/bin', path.join(tools, 'bin'), process.env.PATH].join(path.delimiter),
  RUSTC_BOOTSTRAP: '1',
  CARGO_INCREMENTAL: '0',
  CARGO_BUILD_JOBS: jobs,
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: 'wasm-ld-19',
};

/** Runs a command with its output shown; throws an Error that names the command when it fails. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', env: rustEnvironment, ...options });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${result.status ?? result.signal}`);
}

/** A command's standard output, trimmed, or null if it cannot run. */
function output(command, args, env = rustEnvironment) {
  try {
    return execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

/**
 * Flags of every crate, std included. Paths of this machine (panic messages carry source paths) become fixed names,
 * so that the artifact depends on the sources and the compiler only.
 */
function rustFlags() {
  const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo');
  const registry = path.join(cargoHome, 'registry', 'src');
  const remap = [
    [root, '/heddle'],
    [cargoHome, '/cargo'],
  ];
  for (const index of fs.existsSync(registry) ? fs.readdirSync(registry) : []) remap.push([path.join(registry, index), '/crates']);
  const sysroot = output('rustc', ['--print', 'sysroot']);
  const sources = path.join(sysroot, 'lib', 'rustlib', 'src', 'rust');
  if (fs.existsSync(sources)) remap.push([sources, '/rust'], [fs.realpathSync(sources), '/rust']);
  // The last matching prefix wins, so the longest comes last.
  remap.sort((a, b) => a[0].length - b[0].length);
  return ['-Cembed-bitcode=yes', ...remap.map(([from, to]) => `--remap-path-prefix=${from}=${to}`)].join(' ');
}

function installDebianPackages() {
  const missing = debianPackages.filter((name) => !output('dpkg-query', ['-W', '-f=${Version}', name]));
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(' ')}`);
  const apt = process.getuid?.() === 0 ? [] : ['sudo'];
  const [command, ...rest] = [...apt, 'apt-get'];
  run(command, [...rest, 'update', '-q']);
  run(command, [...rest, 'install', '-y', '-q', '--no-install-recommends', ...missing]);
}

/** Debian has no std for wasm32: build it from the packaged sources and put it where rustc looks for it. */
function installStandardLibrary() {
  const sysroot = output('rustc', ['--print', 'sysroot']);
  const library = path.join(sysroot, 'lib', 'rustlib', target, 'lib');
  const stamp = path.join(library, 'heddle-std');
  const version = output('rustc', ['--version']);
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === version) return;
  console.log(`building std for ${target}`);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'heddle-std-'));
  fs.mkdirSync(path.join(scratch, 'src'));
  fs.mkdirSync(path.join(scratch, '.cargo'));
  fs.writeFileSync(
    path.join(scratch, 'Cargo.toml'),
    '[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["rlib"]\n',
  );
  fs.writeFileSync(path.join(scratch, 'src', 'lib.rs'), '');
  const vendor = path.join(sysroot, 'lib', 'rustlib', 'src', 'rust', 'library', 'vendor');
  fs.writeFileSync(
    path.join(scratch, '.cargo', 'config.toml'),
    `[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "${vendor}"\n`,
  );
  const env = { ...rustEnvironment, RUSTFLAGS: rustFlags(), CARGO_TARGET_DIR: path.join(scratch, 'target') };
  run('cargo', ['build', '--release', '--target', target, '-Zbuild-std=std,panic_abort', '--offline'], { cwd: scratch, env });
  const built = path.join(scratch, 'target', target, 'release', 'deps');
  const sudo = process.getuid?.() === 0 ? [] : ['sudo'];
  const place = ([command, ...args]) => run(command, args);
  // Two builds of one library side by side are an error of every later compile.
  place([...sudo, 'rm', '-rf', library]);
  place([...sudo, 'mkdir', '-p', library]);
  const rlibs = fs.readdirSync(built).filter((name) => /^lib.*\.rlib$/.test(name) && !name.startsWith('libscratch'));
  place([...sudo, 'cp', ...rlibs.map((name) => path.join(built, name)), library]);
  fs.writeFileSync(path.join(scratch, 'heddle-std'), version);
  place([...sudo, 'cp', path.join(scratch, 'heddle-std'), stamp]);
  fs.rmSync(scratch, { recursive: true, force: true });
}

/** The version of a package in codegen/Cargo.lock; the wasm-bindgen tool must be exactly that of the library. */
function lockedVersion(name) {
  const lock = fs.readFileSync(path.join(crate, 'Cargo.lock'), 'utf8');
  const match = new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(lock);
  if (!match) throw new Error(`codegen/Cargo.lock has no ${name}`);
  return match[1];
}

/** The wanted version of a tool, from `tools` or from anywhere on PATH; builds it where there is none. */
function installTool(name, binary, version) {
  if (output(binary, ['--version'])?.split(' ')[1] === version) return;
  console.log(`installing ${name} ${version}`);
  run('cargo', ['install', '--root', tools, '--force', '--version', version, name]);
}

function installTools() {
  installDebianPackages();
  installStandardLibrary();
  installTool('wasm-bindgen-cli', 'wasm-bindgen', lockedVersion('wasm-bindgen'));
  installTool('wasm-pack', 'wasm-pack', wasmPackVersion);
}

/** The module without its custom sections: names and producers are 40% of the bytes and nothing reads them. */
function strip(bytes) {
  const parts = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const start = at;
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
    if (id !== 0) parts.push(bytes.subarray(start, at));
  }
  return Buffer.concat(parts);
}

/**
 * wasm-bindgen's glue keeps its instance in module variables, so that a thread has one for good. We need a fresh one after a panic: the
 * glue becomes the body of a function that takes the compiled module and returns the classes and functions.
 */
function glue(generated) {
  const names = [];
  const start = generated.indexOf('function initSync(');
  if (start < 0) throw new Error('wasm-bindgen wrote no initSync: adapt glue() in scripts/build_codegen.mjs');
  const footer = generated.lastIndexOf('export {');
  const body = generated
    .slice(0, footer < 0 ? undefined : footer)
    .replace(/^export (class|function) (\w+)/gm, (_, kind, name) => {
      names.push(name);
      return `${kind} ${name}`;
    })
    .replace(/^async function __wbg_init\([\s\S]*?^}\n/m, '')
    .replace(/^async function __wbg_load\([\s\S]*?^}\n/m, '')
    .replace(/^\/\* @ts-self-types.*\n/m, '');
  if (/^(export|import) /m.test(body))
    throw new Error('an export or import of the glue was not understood: adapt glue() in scripts/build_codegen.mjs');
  const returned = names.filter((name) => name !== 'start' && name !== 'initSync').sort();
  return [
    '// Made by scripts/build_codegen.mjs from the glue that wasm-bindgen wrote: do not edit.',
    "/** A fresh instance of the code generator, made with V8's own WebAssembly. */",
    'export function instantiate(module, WebAssembly = globalThis.WebAssembly) {',
    body.trim(),
    'initSync({ module });',
    `return { ${returned.join(', ')} };`,
    '}',
    '',
  ].join('\n');
}

/** The declarations that go with {@link glue}. */
function declarations(generated) {
  const names = [];
  const body = generated
    .replace(/^(?:export type (SyncInitInput|InitInput)|export interface InitOutput)[\s\S]*$/m, '')
    .replace(/^export (class|function) (\w+)/gm, (all, kind, name) => {
      names.push([kind, name]);
      return all;
    })
    .replace(/^export function /gm, 'declare function ')
    .replace(/^export class /gm, 'export declare class ')
    .replace(/^\/\* tslint:disable \*\/\n\/\* eslint-disable \*\/\n/, '');
  const members = names.filter(([, name]) => name !== 'start').map(([, name]) => `  ${name}: typeof ${name};`);
  return [
    '// Made by scripts/build_codegen.mjs from the declarations that wasm-bindgen wrote: do not edit.',
    body.replace(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/\ndeclare function start\(\): void;\n\n?/, '').trim(),
    '',
    '/** What one instance of the code generator offers. After a panic make a fresh one. */',
    'export interface Codegen {',
    ...members.sort(),
    '}',
    '',
    "/** A fresh instance of the code generator, from `heddle_codegen.wasm` compiled, made with V8's own WebAssembly. */",
    'export declare function instantiate(module: WebAssembly.Module, namespace?: typeof WebAssembly): Codegen;',
    '',
  ].join('\n');
}

/** Builds into `out` the three files of the artifact. */
function build(out) {
  const packed = fs.mkdtempSync(path.join(os.tmpdir(), 'heddle-pack-'));
  const env = { ...rustEnvironment, RUSTFLAGS: rustFlags() };
  run(
    'wasm-pack',
    [
      'build',
      crate,
      '--mode',
      'no-install',
      '--no-pack',
      '--target',
      'web',
      '--release',
      '--out-dir',
      packed,
      '--out-name',
      'heddle_codegen',
      '--locked',
    ],
    { env },
  );
  const read = (name) => fs.readFileSync(path.join(packed, name));
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(path.join(out, 'heddle_codegen.wasm'), strip(read('heddle_codegen_bg.wasm')));
  fs.writeFileSync(path.join(out, 'heddle_codegen.js'), glue(read('heddle_codegen.js').toString()));
  fs.writeFileSync(path.join(out, 'heddle_codegen.d.ts'), declarations(read('heddle_codegen.d.ts').toString()));
  fs.rmSync(packed, { recursive: true, force: true });
}

const artifacts = ['heddle_codegen.d.ts', 'heddle_codegen.js', 'heddle_codegen.wasm'];

const sha256 = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** Hashes of what the artifact is made from and of the artifact itself, by path relative to the repository. */
function hashes() {
  const sources = fs
    .readdirSync(path.join(crate, 'src'))
    .map((name) => `codegen/src/${name}`)
    .concat('codegen/Cargo.toml', 'codegen/Cargo.lock')
    .sort();
  const entries = (files) => Object.fromEntries(files.map((file) => [file, sha256(path.join(root, file))]));
  return { sources: entries(sources), artifacts: entries(artifacts.map((name) => `codegen/dist/${name}`)) };
}

/** The first way in which the manifest and the files differ, or null. */
function difference() {
  const file = path.join(dist, 'manifest.json');
  if (!fs.existsSync(file)) return 'codegen/dist/manifest.json is missing';
  const missing = artifacts.find((name) => !fs.existsSync(path.join(dist, name)));
  if (missing) return `codegen/dist/${missing} is missing`;
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  const now = hashes();
  for (const part of ['sources', 'artifacts']) {
    for (const name of new Set([...Object.keys(manifest[part]), ...Object.keys(now[part])])) {
      if (manifest[part][name] !== now[part][name])
        return `${name} is not what codegen/dist was built ${part === 'sources' ? 'from' : 'as'}`;
    }
  }
  return null;
}

function check() {
  const problem = difference();
  if (problem === null) return 0;
  console.error(`${problem}: run node scripts/build_codegen.mjs`);
  return 1;
}

function compare() {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'heddle-compare-'));
  build(out);
  const other = artifacts.filter((name) => sha256(path.join(out, name)) !== sha256(path.join(dist, name)));
  if (other.length === 0) {
    fs.rmSync(out, { recursive: true, force: true });
    console.log('codegen/dist is what the sources build, byte for byte');
    return 0;
  }
  console.error(`the rebuilt ${other.join(' and ')} differ from codegen/dist; they are in ${out}`);
  return 1;
}

function main() {
  const options = process.argv.slice(2);
  const known = ['--check', '--compare', '--tools'];
  const unknown = options.find((option) => !known.includes(option));
  if (unknown) {
    console.error(`unknown option ${unknown}; options: ${known.join(' ')}`);
    return 2;
  }
  if (options.includes('--check')) return check();
  installTools();
  if (options.includes('--tools')) return 0;
  if (options.includes('--compare')) return compare();
  build(dist);
  const { sources, artifacts: built } = hashes();
  const manifest = { rustc: output('rustc', ['--version']), sources, artifacts: built };
  fs.writeFileSync(path.join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const name of artifacts) console.log(`codegen/dist/${name} ${fs.statSync(path.join(dist, name)).size} bytes`);
  return 0;
}

try {
  process.exit(main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
