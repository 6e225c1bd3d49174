#!/usr/bin/env node
// Builds the code generator (codegen/, Rust) into the committed WebAssembly artifact codegen/dist/.
//
//   node scripts/build_codegen.mjs             install what is missing, build, write codegen/dist/
//   node scripts/build_codegen.mjs --check     only compare hashes: is dist/ the build of these sources? (no Rust needed)
//   node scripts/build_codegen.mjs --compare   rebuild into a temporary folder and compare the bytes with dist/
//   node scripts/build_codegen.mjs --tools     only install the toolchain
//
// Whoever does not change the crate needs neither this script nor Rust: dist/ is part of the repository.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { checkManifest, compareRebuilt, writeManifest } from './artifact_manifest.mjs';
import { patchedCrates, replaceRegistry } from './patched_crates.mjs';
import { installToolchain, root, run, rustEnvironment, rustFlags, strip } from './rust_toolchain.mjs';

const crate = path.join(root, 'codegen');
const wasmPackVersion = '0.15.1';
const artifact = {
  crate: 'codegen',
  sources: ['patches.json'],
  artifacts: ['heddle_codegen.d.ts', 'heddle_codegen.js', 'heddle_codegen.wasm'],
};

/** The version of a package in codegen/Cargo.lock; the wasm-bindgen tool must be exactly that of the library. */
function lockedVersion(name) {
  const lock = fs.readFileSync(path.join(crate, 'Cargo.lock'), 'utf8');
  const match = new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(lock);
  if (!match) throw new Error(`codegen/Cargo.lock has no ${name}`);
  return match[1];
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
  const crates = patchedCrates(crate);
  const env = { ...rustEnvironment, RUSTFLAGS: rustFlags([[crates, '/crates']]) };
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
      ...replaceRegistry(crates),
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

function main() {
  const options = process.argv.slice(2);
  const known = ['--check', '--compare', '--tools'];
  const unknown = options.find((option) => !known.includes(option));
  if (unknown) {
    console.error(`unknown option ${unknown}; options: ${known.join(' ')}`);
    return 2;
  }
  if (options.includes('--check')) return checkManifest(artifact, 'scripts/build_codegen.mjs');
  installToolchain([
    ['wasm-bindgen-cli', 'wasm-bindgen', lockedVersion('wasm-bindgen')],
    ['wasm-pack', 'wasm-pack', wasmPackVersion],
  ]);
  if (options.includes('--tools')) return 0;
  if (options.includes('--compare')) return compareRebuilt(artifact, fs.mkdtempSync(path.join(os.tmpdir(), 'heddle-compare-')), build);
  build(path.join(crate, 'dist'));
  writeManifest(artifact);
  return 0;
}

try {
  process.exit(main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
