/**
 * A file of Heddle's own JavaScript, as both of its loaders have it: ts/quick_start.ts, where V8's code of it is in the cache, and ts/code_cache.ts. Its text is a function of what CommonJS modules are given.
 */
import type { Script } from 'node:vm';

type Body = (exports: object, require: NodeJS.Require, module: { exports: object }, filename: string, folder: string) => void;

/** The folder that a file or folder is in. Node takes longer to load its `path` than all of a quick start does. */
export const above = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** What V8's code of a text is kept under, before it is hashed. `hash` is the SHA-256 of the text. */
export const codeKey = (hash: string, source: string, path: string): string =>
  `${process.version} ${process.arch} ${hash} ${source.length} ${path}\n`;

/** What it exports. */
export function exportsOf(script: Script, path: string, require: NodeJS.Require): object {
  const module = { exports: {} };
  (script.runInThisContext() as Body).call(module.exports, module.exports, require, module, path, above(path));
  return module.exports;
}
