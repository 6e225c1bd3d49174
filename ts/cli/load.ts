/** Files that the command line names: modules as bytes or text, and compiled modules. */
import { readFileSync } from 'node:fs';
import { isArtifactFile } from '../compile/artifact.js';
import { Cache } from '../compile/cache.js';
import { sha256 } from '../compile/container.js';
import { buildId } from '../compile/settings.js';
import { fileFailed } from '../errors/catalog.js';
import { isBinary, parseWat } from '../source/bytes.js';

/** What a file holds. */
export type Source = { readonly kind: 'module'; readonly bytes: Uint8Array } | { readonly kind: 'artifact'; readonly bytes: Uint8Array };

/** Reads a file, or throws an error with code HEDDLE_FILE that says why not. */
export function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileFailed(`cannot read ${path}: ${reason(error)}`);
  }
}

/** Why a file operation failed, for people. */
export function reason(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    ENOSPC: 'the disk is full',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of its path is not a folder',
  };
  return known[String(code)] ?? (error instanceof Error ? error.message : String(error));
}

/** What a file holds; text is assembled, and the result kept in the cache. */
export function load(path: string): Source {
  const bytes = readFile(path);
  if (isArtifactFile(bytes)) return { kind: 'artifact', bytes };
  if (isBinary(bytes)) return { kind: 'module', bytes };
  const text = textOf(path, bytes);
  return { kind: 'module', bytes: text === undefined ? bytes : assemble(text) };
}

/** Like {@link load}, for commands that need a module. */
export function loadModule(path: string): Uint8Array {
  const source = load(path);
  if (source.kind === 'artifact') throw fileFailed(`${path} is compiled already: this command takes the module`);
  return source.bytes;
}

/** A file's text, where it can be a module's: the name says so, or it begins as one. */
function textOf(path: string, bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /\.(wat|wast)$/i.test(path) || /^\s*(\(|;;)/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function assemble(text: string): Uint8Array {
  const cache = Cache.fromEnvironment();
  const key = sha256('text\n', buildId(), text);
  const known = cache.read(key);
  if (known !== undefined) return known;
  const bytes = parseWat(text);
  cache.write(key, [bytes]);
  return bytes;
}
