#!/usr/bin/env node
// Installs the packages of others that tests and benchmarks run (tests/packages/package.json), into tests/packages/node_modules. They are not among the
// development dependencies: most work on Heddle needs none of them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packagesFolder = fileURLToPath(new URL('../tests/packages', import.meta.url));

/** The builds for WebAssembly are for no machine of npm's. */
const OPTIONS = { '.': [], binaryen: [], bundlers: [], large: ['--force', '--cpu=wasm32'] };

/** Whether what is installed is what the lock file says. */
function upToDate(folder) {
  const installed = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const versions = (path) => {
    const { packages } = JSON.parse(readFileSync(path, 'utf8'));
    return JSON.stringify(
      Object.entries(packages)
        .filter(([name]) => name !== '')
        .map(([name, { version }]) => [name, version]),
    );
  };
  return versions(installed) === versions(join(folder, 'package-lock.json'));
}

/** Installs them, unless they are there: those of tests/packages, or of a folder in it. */
export function installPackages(below = '.') {
  const folder = join(packagesFolder, below);
  if (upToDate(folder)) return;
  // Without their scripts: they are data to us.
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...OPTIONS[below]], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`npm ci in ${folder} ended with ${status}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPackages();
