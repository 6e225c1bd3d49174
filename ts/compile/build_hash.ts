/** The hash of what makes code of modules: for the build, and for where the sources themselves run. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagePath } from '../source/package_root.js';

/** See `buildId` of settings.ts; `folder` is `ts` or `dist/ts` in the package. scripts/build_ts.mjs calls it too. */
export function hashBuild(folder: string): string {
  const hash = createHash('sha256');
  for (const layer of ['base', 'generated', 'validate', 'lower', 'compile']) {
    const path = packagePath(`${folder}/${layer}`);
    const names = readdirSync(path, { encoding: 'utf8', recursive: true });
    const files = names.filter((name) => /\.[jt]s$/.test(name) && !/\.(test|test-helper|d)\.ts$/.test(name));
    for (const name of files.sort()) hash.update(`${layer}/${name}\n`).update(readFileSync(join(path, name)));
  }
  hash.update(readFileSync(packagePath('codegen/dist/manifest.json')));
  return hash.digest('hex');
}
