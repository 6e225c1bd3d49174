#!/usr/bin/env node
// Compiles ts/ into dist/ and writes the id that keys of cached code carry. Run by `npm install` in a clone; in the published package dist/ is
// there and TypeScript is not, so there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** TypeScript's compiler, or null where development dependencies are not installed. */
function compiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return null;
  }
}

/** Removes built files whose source is gone, so that nothing imports them by mistake. */
function removeStale(built, sources) {
  if (!existsSync(built)) return;
  for (const entry of readdirSync(built, { withFileTypes: true })) {
    const path = join(built, entry.name);
    if (entry.isDirectory()) {
      if (existsSync(join(sources, entry.name))) removeStale(path, join(sources, entry.name));
      else rmSync(path, { recursive: true });
    } else if (
      /\.d\.ts$/.test(entry.name) ||
      (/\.js(\.map)?$/.test(entry.name) && !existsSync(join(sources, entry.name.replace(/\.js(\.map)?$/, '.ts'))))
    ) {
      rmSync(path);
    }
  }
}

/** What users import, and the declarations that each gives them, in dist/types. */
const DECLARATIONS = { heddle: 'index', typed: 'typed/index', testing: 'testing/index', register: 'registered' };

/**
 * Keeps of dist/types what users can reach. It is CommonJS to TypeScript, which both kinds of modules may import: so that what they get of it are the same classes, whichever
 * way a program imports them.
 */
function keepDeclarations() {
  const types = join(root, 'dist', 'types');
  writeFileSync(join(types, 'package.json'), '{ "type": "commonjs" }\n');
  const reached = new Set(Object.values(DECLARATIONS).map((name) => join(types, 'ts', `${name}.d.ts`)));
  for (const path of reached) {
    for (const [, file] of readFileSync(path, 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+)\.js'/g))
      reached.add(join(dirname(path), `${file}.d.ts`));
  }
  for (const entry of readdirSync(types, { recursive: true })) {
    if (entry.endsWith('.d.ts') && !reached.has(join(types, entry))) rmSync(join(types, entry));
  }
  for (const [name, file] of Object.entries(DECLARATIONS)) {
    for (const kind of ['cts', 'mts']) writeFileSync(join(root, 'dist', `${name}.d.${kind}`), `export * from './types/ts/${file}.js';\n`);
  }
}

async function main() {
  const tsc = compiler();
  if (tsc === null) {
    if (existsSync(join(root, 'dist', 'ts', 'index.js'))) return 0;
    console.error('dist/ is missing and TypeScript is not installed: run npm install without --omit=dev');
    return 1;
  }
  removeStale(join(root, 'dist', 'ts'), join(root, 'ts'));
  rmSync(join(root, 'dist', 'types'), { recursive: true, force: true });
  const result = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit', cwd: root });
  if (result.status !== 0) return result.status ?? 1;
  keepDeclarations();
  const id = join(root, 'dist', 'ts', 'build_id.txt');
  const { hashBuild } = await import(pathToFileURL(join(root, 'dist', 'ts', 'compile', 'build_hash.js')).href);
  writeFileSync(`${id}.new`, `${hashBuild('dist/ts')}\n`);
  renameSync(`${id}.new`, id);
  const { bundle } = await import('./bundle.mjs');
  await bundle();
  return 0;
}

process.exitCode = await main();
