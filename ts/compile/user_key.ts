/**
 * The key with which this user's Heddle signs the compiled files that it writes, so that `heddle run` knows them again: 32 random bytes in a file that only the user may read
 * (docs/decisions/0020).
 */
import { fstatSync, linkSync, lstatSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex, random } from '../base/digest.js';
import { contents, folderProblem, foreign, makeFolder, ownFolder, withFile } from './own_files.js';

const SIZE = 32;
const NAME = 'compiled-files.key';

/** The key, or why there is none. */
export type UserKey = { readonly key: Uint8Array } | { readonly reason: string };

/** Where the key is, or would be; undefined where the user has no home folder. */
function folderOf(environment: NodeJS.ProcessEnv): string | undefined {
  return ownFolder(environment['XDG_STATE_HOME'], '.local/state');
}

/** This user's key, made now where there is none and `make` says so. */
export function userKey(make: boolean, environment: NodeJS.ProcessEnv = process.env): UserKey {
  const folder = folderOf(environment);
  if (folder === undefined) return { reason: 'the user has no home folder' };
  const path = join(folder, NAME);
  try {
    if (make) makeFolder(folder);
    const problem = folderProblem(folder);
    if (problem !== undefined) return { reason: `${folder}: ${problem}` };
    if (make && lstatSync(path, { throwIfNoEntry: false }) === undefined) makeKey(path);
    return withFile(path, (file) => readKey(file, path));
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code === 'ENOENT' && !make) return { reason: `there is no key ${path} yet` };
    if (code === 'ELOOP') return { reason: `${path}: it is a link` };
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Makes the file, whole or not at all; of two processes at once one does. */
function makeKey(path: string): void {
  const temporary = `${path}.${process.pid}.${hex(random(8))}`;
  writeFileSync(temporary, random(SIZE), { mode: 0o600, flag: 'wx' });
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    unlinkSync(temporary);
  }
}

function readKey(file: number, path: string): UserKey {
  const stats = fstatSync(file);
  const problem = stats.isFile() ? foreign(stats) : 'not a file';
  if (problem !== undefined) return { reason: `${path}: ${problem}` };
  if ((stats.mode & 0o077) !== 0) return { reason: `${path}: others may read it (mode ${(stats.mode & 0o777).toString(8)})` };
  const key = stats.size === SIZE ? contents(file) : undefined;
  return key === undefined ? { reason: `${path}: it is damaged` } : { key };
}
