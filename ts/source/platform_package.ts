/**
 * The package with what is built for one kind of machine, `@heddle/linux-x64-gnu` and the like: an optional dependency of the published package, which scripts/pack.mjs makes
 * (docs/decisions/0035).
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { joinPaths } from '../base/intrinsics.js';

const require = createRequire(import.meta.url);

/** The kinds of machine that Heddle runs on, as Node says them. */
export const SUPPORTED = ['linux-x64', 'linux-arm64'];

/** This machine's kind. */
export const machine = `${process.platform}-${process.arch}`;

/** The package's name. */
export const platformPackage = `@heddle/${machine}-gnu`;

let folder: string | null | undefined;

function find(): string | null {
  try {
    return dirname(require.resolve(`${platformPackage}/package.json`));
  } catch {
    return null;
  }
}

/** Path of a file of that package; undefined where the package is not installed. */
export function platformPath(relative: string): string | undefined {
  folder ??= find();
  return folder === null ? undefined : joinPaths(folder, relative);
}

/** Whether this Node is linked with glibc, which these packages are made for. */
export function hasGlibc(): boolean {
  const { header } = process.report.getReport() as unknown as { readonly header: { readonly glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}
