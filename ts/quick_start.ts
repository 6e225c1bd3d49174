/**
 * Loads the command line's file of JavaScript with what V8 made of it, where the cache has that and nothing is unusual. It is the only code of a cached start that V8 compiles anew: so it imports nothing of
 * Heddle's but constants, and leaves all else to ts/code_cache.ts, which does the same for everybody.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { above, codeKey, exportsOf } from './code_text.js';
import { CONTRACT } from './generated/abi.js';
import type { Native } from './link/native.js';

const isAbsolute = (path: string | undefined): path is string => path?.startsWith('/') === true;

/** The cache's folder, as `cacheFolder` says it (ts/compile/cache.ts); undefined where that is to be asked. */
function cacheFolder(): string | undefined {
  const { HEDDLE_CACHE: chosen, XDG_CACHE_HOME: base, HOME: home } = process.env;
  // What `resolve` would change goes the other way.
  if (chosen)
    return isAbsolute(chosen) && !`${chosen}/`.includes('/./') && !`${chosen}/`.includes('/../') && !chosen.endsWith('/')
      ? chosen
      : undefined;
  if (isAbsolute(base)) return `${base}/heddle`;
  return isAbsolute(home) ? `${home}/.cache/heddle` : undefined;
}

/** The addon, by the names that ts/link/addon.ts has for it; undefined where that is to be asked. */
function addon(root: string, require: NodeJS.Require): Native | undefined {
  if (process.env['HEDDLE_ADDON']) return undefined;
  const built = `${root}/build/Release/heddle.node`;
  try {
    const native = require(existsSync(built) ? built : `@heddle/${process.platform}-${process.arch}-gnu/heddle.node`) as Native;
    return native.contract === CONTRACT ? native : undefined;
  } catch {
    return undefined;
  }
}

/** What a file in the folder `bundle` exports, where V8's code of it is in the cache. `hash` is the SHA-256 of its text. */
export function loadKept(path: string, require: NodeJS.Require, hash: string): object | undefined {
  const folder = cacheFolder();
  const native = folder && addon(above(above(above(path))), require);
  if (!native) return undefined;
  const source = native.readText(path) ?? readFileSync(path, 'latin1');
  const key = native.sha256(Buffer.from(codeKey(hash, source, path)));
  const kept = key && native.readEntry(folder, new Uint8Array(key), Number.POSITIVE_INFINITY);
  if (!kept) return undefined;
  const script = new Script(source, { filename: path, cachedData: kept });
  if (script.cachedDataRejected === true) return undefined;
  return exportsOf(script, path, require);
}
