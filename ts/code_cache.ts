/**
 * Loads a file of Heddle's own JavaScript (scripts/bundle.mjs) with what V8 made of it in an earlier process, which is in the cache beside compiled modules: a
 * third of the time until the first call is V8 reading these files. What is there counts as machine code there does: in the user's own folder, whole, and under the hash of
 * the very file, Node and CPU. V8 itself refuses what another V8 made, or one with other flags.
 */
import { readFileSync } from 'node:fs';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { sha256 } from './base/digest.js';
import { codeKey, exportsOf } from './code_text.js';
import { Cache, cacheFolder } from './compile/cache.js';
import { addon } from './link/addon.js';

/** Keeps what V8 has made when the process ends, with the functions that ran. V8 would refuse what was made under other flags than a process begins with. */
function keepAtExit(script: Script, cache: Cache, key: Uint8Array): void {
  const flags = cachedDataVersionTag();
  process.once('exit', () => {
    if (cachedDataVersionTag() === flags) cache.write(key, [script.createCachedData()]);
  });
}

/** The cache; undefined where there is none, or no addon: what uses the file says why. In compiler threads Node does what the addon does elsewhere, which would make an engine there. */
function cacheHere(inCompilerThread: boolean): Cache | undefined {
  const status = cacheFolder(process.env);
  if (status.folder === undefined) return undefined;
  try {
    return new Cache(status, undefined, inCompilerThread ? undefined : addon());
  } catch {
    return undefined;
  }
}

/** What a file exports. `hash` is the SHA-256 of its text. */
export function load(path: string, require: NodeJS.Require, hash: string, inCompilerThread = false): object {
  // Its bytes are ASCII.
  const source = readFileSync(path, 'latin1');
  const cache = cacheHere(inCompilerThread);
  const key = cache && sha256(codeKey(hash, source, path));
  const kept = key && cache?.read(key);
  const script = new Script(source, { filename: path, ...(kept !== undefined && { cachedData: kept }) });
  if (cache !== undefined && key !== undefined && (kept === undefined || script.cachedDataRejected === true))
    keepAtExit(script, cache, key);
  return exportsOf(script, path, require);
}
