/**
 * Files and folders of the user's own, for what is run or vouches for what is run: who may have written them is looked at before they count.
 */
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readSync, type Stats } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** The folder of Heddle's in a base folder that a variable names, or in the home folder; undefined where the user has none. */
export function ownFolder(base: string | undefined, below: string): string | undefined {
  if (base && isAbsolute(base)) return join(base, 'heddle');
  try {
    const home = homedir();
    // With an empty HOME it would be a folder in whichever one the program was started in.
    return isAbsolute(home) ? join(home, below, 'heddle') : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a folder and those above it. (`recursive` of mkdirSync never returns for a folder under /proc.) */
export function makeFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** What is wrong with who owns or may write something, if anything is. */
export function foreign(stats: Stats): string | undefined {
  if (stats.uid !== process.geteuid?.()) return `owned by user ${stats.uid}`;
  if ((stats.mode & 0o022) !== 0) return `others may write it (mode ${(stats.mode & 0o777).toString(8)})`;
  return undefined;
}

/** What is wrong with a folder, if anything is. Throws where there is none. */
export function folderProblem(path: string): string | undefined {
  const stats = lstatSync(path);
  return stats.isDirectory() ? foreign(stats) : 'not a folder';
}

/** Runs something with an open file, and closes it. */
export function withFile<T>(path: string, use: (file: number) => T): T {
  // SAFETY: no link is followed, and a FIFO of that name does not block.
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

/** An open file's bytes, in a buffer of their own; undefined where it is shorter than it says. */
export function contents(file: number): Uint8Array | undefined {
  const bytes = Buffer.from(new ArrayBuffer(fstatSync(file).size));
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(file, bytes, at, bytes.length - at, at);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}
