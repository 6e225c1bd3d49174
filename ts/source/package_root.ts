/**
 * Where the package's files are, from the sources as well as from `dist`.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinPaths } from '../base/intrinsics.js';

/** In a bundle (scripts/bundle.mjs) it is a path already. */
const here = import.meta.url.startsWith('file:') ? fileURLToPath(import.meta.url) : import.meta.url;

function find(): string {
  let folder = dirname(here);
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the package folder of heddle was not found');
    folder = parent;
  }
  return folder;
}

const root = find();
const built = !here.endsWith('.ts');

/** Path of a file of the package, given relative to its root. */
export function packagePath(relative: string): string {
  return joinPaths(root, relative);
}

/** Whether this is the built code; otherwise the sources themselves run, as in tests. */
export function isBuilt(): boolean {
  return built;
}

/** What makes the addon and the code generator's machine code here: a clone has a script of npm's, the published package a command. */
export function buildCommand(): string {
  return existsSync(packagePath('binding.gyp')) ? 'npm run build' : 'npx heddle build';
}
