#!/usr/bin/env node
// Compiles ts/ into dist/ and writes the id that keys of cached code carry. Run by `npm install` in a clone; in the published package dist/ is
// there and TypeScript is not, so there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
    } else if (/\.(js|js\.map|d\.ts)$/.test(entry.name) && !existsSync(join(sources, entry.name.replace(/\.(js|js\.map|d\.ts)$/, '.ts')))) {
      rmSync(path);
    }
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
  const result = spawnSync(process.execPath, [tsc, '-p', root], { stdio: 'inherit', cwd: root });
  if (result.status !== 0) return result.status ?? 1;
  const id = join(root, 'dist', 'ts', 'build_id.txt');
  const { hashBuild } = await import(pathToFileURL(join(root, 'dist', 'ts', 'compile', 'build_hash.js')).href);
  writeFileSync(`${id}.new`, `${hashBuild('dist/ts')}\n`);
  renameSync(`${id}.new`, id);
  const { bundle } = await import('./bundle.mjs');
  await bundle();
  return 0;
}

process.exitCode = await main();
