// Builds what is committed here: fibers.wasm from fibers.c by clang, and of it and programs.wat what Binaryen's pass Asyncify makes, which V8 runs to say what is
// right. `npx tsx tests/modules/asyncify/build.mjs`, which needs clang and lld for wasm32, and Binaryen (scripts/install_packages.mjs).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseWat } from 'heddle';
import { installPackages, packagesFolder } from '../../../scripts/install_packages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
installPackages('binaryen');
const optimizer = join(packagesFolder, 'binaryen/node_modules/binaryen/bin/wasm-opt');
const temporary = mkdtempSync(join(tmpdir(), 'heddle-asyncify-'));

const FLAGS = ['--target=wasm32', '-O2', '-nostdlib', '-Wl,--no-entry,--stack-first,--strip-all'];
execFileSync('clang', [...FLAGS, '-o', join(here, 'fibers.wasm'), join(here, 'fibers.c')], { stdio: 'inherit' });
chmodSync(join(here, 'fibers.wasm'), 0o644);
writeFileSync(join(temporary, 'programs.wasm'), parseWat(readFileSync(join(here, 'programs.wat'), 'utf8')));

const sums = [];
for (const [name, file] of [
  ['programs', join(temporary, 'programs.wasm')],
  ['fibers', join(here, 'fibers.wasm')],
]) {
  const options = ['--enable-multivalue', '--enable-bulk-memory', '--enable-mutable-globals', '--asyncify', '-O1', file];
  execFileSync(process.execPath, [optimizer, ...options, '-o', join(here, `${name}.asyncify.wasm`)], { stdio: 'inherit' });
  sums.push(`${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${name}`);
}
writeFileSync(join(here, 'sources.sha256'), `${sums.join('\n')}\n`);
rmSync(temporary, { recursive: true });
