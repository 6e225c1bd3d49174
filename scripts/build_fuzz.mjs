#!/usr/bin/env node
// Builds the generator of random modules (fuzz/, Rust) into the committed WebAssembly artifact fuzz/dist/.
//
//   node scripts/build_fuzz.mjs             install what is missing, build, write fuzz/dist/
//   node scripts/build_fuzz.mjs --check     only compare hashes: is dist/ the build of these sources? (no Rust needed)
//   node scripts/build_fuzz.mjs --compare   rebuild into a temporary folder and compare the bytes with dist/
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { checkManifest, compareRebuilt, writeManifest } from './artifact_manifest.mjs';
import { installToolchain, root, run, rustEnvironment, rustFlags, strip, target } from './rust_toolchain.mjs';

const crate = path.join(root, 'fuzz');
const artifact = { crate: 'fuzz', artifacts: ['heddle_fuzz.wasm'] };

function build(out) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'heddle-fuzz-'));
  const env = { ...rustEnvironment, RUSTFLAGS: rustFlags(), CARGO_TARGET_DIR: folder };
  run('cargo', ['build', '--release', '--locked', '--target', target], { cwd: crate, env });
  const built = fs.readFileSync(path.join(folder, target, 'release', 'heddle_fuzz.wasm'));
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(path.join(out, 'heddle_fuzz.wasm'), strip(built));
  fs.rmSync(folder, { recursive: true, force: true });
}

function main() {
  const options = process.argv.slice(2);
  const unknown = options.find((option) => !['--check', '--compare'].includes(option));
  if (unknown) {
    console.error(`unknown option ${unknown}; options: --check --compare`);
    return 2;
  }
  if (options.includes('--check')) return checkManifest(artifact, 'scripts/build_fuzz.mjs');
  installToolchain();
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
