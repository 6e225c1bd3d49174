/** Files that the command line names: modules as bytes or text, and compiled modules. */
import { closeSync, existsSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { isArtifactFile } from '../compile/artifact.js';
import { Cache } from '../compile/cache.js';
import { sha256 } from '../compile/container.js';
import { buildId } from '../compile/settings.js';
import { fileFailed, notModule } from '../errors/catalog.js';
import { addon } from '../link/addon.js';
import { isBinary, parseWat } from '../source/bytes.js';
import { located, type ModuleSource } from './errors/place.js';
import { component, kindOf } from './file_kind.js';
import { rawName, readToEnd, standardInput } from './input.js';

/** A module that is there. */
export type LoadedModule = ModuleSource & { readonly kind: 'module'; readonly bytes: Uint8Array };

/** What a file holds. */
export type Source = LoadedModule | { readonly kind: 'artifact'; readonly file: string; readonly bytes: Uint8Array };

/** How a component's text begins, behind comments. */
const COMPONENT = /^(?:\s|;;.*\n|\(;[^;]*;\))*\(\s*component\b/;

/** The name that stands for standard input. */
const STANDARD_INPUT = '-';

/** What a file is called in messages. */
export const label = (path: string): string => (path === STANDARD_INPUT ? 'standard input' : path);

/** Whether there is something of that name. */
export const isThere = (path: string): boolean => path === STANDARD_INPUT || existsSync(path) || rawName(path) !== undefined;

/** The number of /dev/null, which is empty. */
const NULL_DEVICE = 0x103;

/** Whether it is a device that may give bytes for ever, such as /dev/zero. */
function isEndless(stat: Stats): boolean {
  return stat.isBlockDevice() || (stat.isCharacterDevice() && stat.rdev !== NULL_DEVICE);
}

/** Reads a file, or throws an error with code HEDDLE_FILE that says why not. */
export function readFile(path: string): Uint8Array {
  try {
    if (path === STANDARD_INPUT) return standardInput();
    const name = path.includes('\ufffd') ? (rawName(path) ?? path) : path;
    // SAFETY: Node reads a file without a size to its end, and some have none: that takes all of the machine's memory.
    const stat = statSync(name);
    if (isEndless(stat)) throw new Error('it is a device, which may have no end');
    return stat.isFile() && stat.size > 0 ? readFileSync(name) : readSizeless(name);
  } catch (error) {
    throw fileFailed(`cannot read ${label(path)}: ${reason(error)}`);
  }
}

/** A pipe, or a file of the kernel's: those say that they have no bytes. */
function readSizeless(name: string | Buffer): Uint8Array {
  const descriptor = openSync(name, 'r');
  try {
    return readToEnd(descriptor);
  } finally {
    closeSync(descriptor);
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
    ELOOP: 'it is a link that leads to itself',
    ENAMETOOLONG: 'the name is too long',
    ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
  };
  return known[String(code)] ?? (error instanceof Error ? error.message : String(error));
}

/** What a file holds; text is assembled, and the result kept in the cache. Errors have their place in the file. */
export function load(path: string): Source {
  const bytes = readFile(path);
  const file = label(path);
  if (isArtifactFile(bytes)) return { kind: 'artifact', file, bytes };
  const text = isBinary(bytes) ? undefined : textOf(path, bytes);
  if (text === undefined) {
    // The version of a module is 1, its layer 0.
    if (!isBinary(bytes) || bytes[4] !== 1 || bytes[6] !== 0) {
      const kind = kindOf(file, bytes);
      if (kind !== undefined) throw notModule(kind);
    }
    return { kind: 'module', file, bytes };
  }
  if (COMPONENT.test(text)) throw notModule(component(file));
  return placed({ file, bytes: undefined, text }, () => ({ kind: 'module', file, text, bytes: assemble(text) }));
}

/** Like {@link load}, for commands that need a module. */
export function loadModule(path: string): LoadedModule {
  const source = load(path);
  if (source.kind === 'artifact') throw fileFailed(`${source.file} is compiled already: this command takes the module`);
  return source;
}

/** Runs something whose errors are about a module: they are given their place in its file. */
export function placed<T>(source: ModuleSource, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw located(error, source);
  }
}

/** A file's text, where it can be a module's: the name says so, or it begins as one. */
function textOf(path: string, bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return /\.(wat|wast)$/i.test(path) || /^\s*(\(|;;)/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The cache, read by the addon where there is one: without it modules are looked at all the same. */
function cacheHere(): Cache {
  try {
    return Cache.fromEnvironment(process.env, addon());
  } catch {
    return Cache.fromEnvironment();
  }
}

function assemble(text: string): Uint8Array {
  const cache = cacheHere();
  const key = sha256('text\n', buildId(), text);
  const known = cache.read(key);
  if (known !== undefined) return known;
  const bytes = parseWat(text);
  cache.write(key, [bytes]);
  return bytes;
}
