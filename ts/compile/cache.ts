/**
 * The cache of compiled code on disk. What is read from it is run, so an entry counts only when it is the user's own regular file, carries the key that was
 * asked for and the hash of its own bytes; anything else is as if it were not there. Nothing here throws: without a usable folder there is no cache.
 * An entry is a file as in entry.ts, named by its key. It is replaced, or removed, and never changed: who has mapped it keeps what it was.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  futimesSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { hex, random } from '../base/digest.js';
import { type FileAccess, readEntry, WORTH_MAPPING, writeEntry } from './entry.js';
import { folderProblem, foreign, makeFolder, ownFolder, withFile } from './own_files.js';

/** A day: how old an entry's time may be before a hit renews it. */
const TOUCH_AFTER = 86_400_000;
/** Temporary files of writers that died are removed after this. */
const STALE_TEMPORARY = 3_600_000;
/** The folder is kept below this many bytes, oldest entries first. */
export const CACHE_LIMIT = 1 << 30;

/** Why there is no cache, or where it is. */
export interface CacheStatus {
  readonly folder?: string;
  readonly reason?: string;
}

/** The folder that the environment names, or why there is none. */
export function cacheFolder(environment: NodeJS.ProcessEnv): CacheStatus {
  const chosen = environment['HEDDLE_CACHE'];
  if (chosen === 'off') return { reason: 'HEDDLE_CACHE=off' };
  if (chosen) return { folder: resolve(chosen) };
  const folder = ownFolder(environment['XDG_CACHE_HOME'], '.cache');
  return folder === undefined ? { reason: 'the user has no home folder' } : { folder };
}

/** Entries by 32-byte key in one folder. */
export class Cache {
  readonly #folder: string | undefined;
  readonly #limit: number;
  readonly #access: FileAccess | undefined;
  #reason: string | undefined;

  /** `access` is the addon's, for entries that are worth it; without, those that were written with it are not there. */
  constructor(status: CacheStatus, limit = CACHE_LIMIT, access?: FileAccess) {
    this.#folder = status.folder;
    this.#reason = status.reason;
    this.#limit = limit;
    this.#access = access;
  }

  /** The cache that the environment variables HEDDLE_CACHE and XDG_CACHE_HOME choose. */
  static fromEnvironment(environment: NodeJS.ProcessEnv = process.env, access?: FileAccess): Cache {
    return new Cache(cacheFolder(environment), CACHE_LIMIT, access);
  }

  /** Its folder, where it has one. */
  get folder(): string | undefined {
    return this.#folder;
  }

  /** Where the cache is, and what last kept it from being used. Looks at the folder, and makes it where it is missing. */
  status(): CacheStatus {
    this.#usable(true);
    return { ...(this.#folder !== undefined && { folder: this.#folder }), ...(this.#reason !== undefined && { reason: this.#reason }) };
  }

  /** The payload stored under `key`, at a multiple of 16 bytes in its buffer; undefined where there is none that can be trusted. */
  read(key: Uint8Array): Uint8Array | undefined {
    if (this.#folder !== undefined && this.#access !== undefined) {
      const found = this.#access.readEntry(this.#folder, key, WORTH_MAPPING - 1);
      if (found !== false) return found;
    }
    if (!this.#usable(false)) return undefined;
    try {
      return withFile(this.#path(key), (file) => readOwn(file, key, this.#access));
    } catch {
      return undefined;
    }
  }

  /** Whether there is an entry under `key`, whatever it holds. */
  has(key: Uint8Array): boolean {
    return this.#folder !== undefined && existsSync(this.#path(key));
  }

  /** Stores a payload; another process may store the same at the same time. False where it could not. */
  write(key: Uint8Array, payload: readonly Uint8Array[]): boolean {
    if (!this.#usable(true) || this.#folder === undefined) return false;
    const temporary = join(this.#folder, `.new-${process.pid}-${hex(random(8))}`);
    try {
      writeNew(temporary, key, payload, this.#access);
      renameSync(temporary, this.#path(key));
    } catch (error) {
      this.#reason = `cannot write: ${message(error)}`;
      remove(temporary);
      return false;
    }
    this.#prune();
    return true;
  }

  #path(key: Uint8Array): string {
    return join(this.#folder ?? '', hex(key));
  }

  /** Whether the folder is the user's own; makes it when `make` is set. */
  #usable(make: boolean): boolean {
    if (this.#folder === undefined) return false;
    try {
      if (make) makeFolder(this.#folder);
      this.#reason = folderProblem(this.#folder);
      return this.#reason === undefined;
    } catch (error) {
      if (make) this.#reason = message(error);
      return false;
    }
  }

  /** Removes the oldest entries above the limit, and what dead writers left. */
  #prune(): void {
    try {
      const folder = this.#folder ?? '';
      const files = readdirSync(folder).flatMap((name) => {
        if (!/^(?:[0-9a-f]{64}|\.new-.*)$/.test(name)) return [];
        const path = join(folder, name);
        const stats = lstatSync(path, { throwIfNoEntry: false });
        return stats ? [{ path, size: stats.size, time: stats.mtimeMs, temporary: name.startsWith('.') }] : [];
      });
      let total = files.reduce((sum, file) => sum + file.size, 0);
      files.sort((a, b) => a.time - b.time);
      for (const file of files) {
        if (file.temporary ? Date.now() - file.time < STALE_TEMPORARY : total <= this.#limit) continue;
        remove(file.path);
        total -= file.size;
      }
    } catch {
      // The folder is gone: nothing to keep small.
    }
  }
}

/** An open entry's payload, where it is the user's own and all of it is as it was written. */
function readOwn(file: number, key: Uint8Array, access: FileAccess | undefined): Uint8Array | undefined {
  const stats = fstatSync(file);
  if (!stats.isFile() || foreign(stats) !== undefined) return undefined;
  const payload = readEntry(file, key, access);
  if (payload !== undefined && Date.now() - stats.mtimeMs > TOUCH_AFTER) touch(file);
  return payload;
}

function writeNew(path: string, key: Uint8Array, payload: readonly Uint8Array[], access: FileAccess | undefined): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeEntry(file, key, payload, access);
  } finally {
    closeSync(file);
  }
}

/** Marks an entry as used. Only pruning looks at it, so a failure does not matter. */
function touch(file: number): void {
  try {
    const now = new Date();
    futimesSync(file, now, now);
  } catch {
    // A read-only file system.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else removed it, or it never was.
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
