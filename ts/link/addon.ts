/**
 * Finds and loads the addon.
 */
import { createRequire } from 'node:module';
import { useNativeDigest } from '../base/digest.js';
import { absolutePath, Bytes, contains, createObject, env, isThere, joined, placeOf } from '../base/intrinsics.js';
import { platform } from '../errors/catalog.js';
import { bufferGetter, growMethod } from '../errors/v8.js';
import { CONTRACT } from '../generated/abi.js';
import { packagePath } from '../source/package_root.js';
import type { Native } from './native.js';

const SUPPORTED = ['linux-x64', 'linux-arm64'];
const hasTransfer = 'transfer' in ArrayBuffer.prototype;
const machine = `${process.platform}-${process.arch}`;
const require = createRequire(import.meta.url);
// What `require` calls for an addon. Each call makes a new environment of Node-API, also where the file was loaded before.
const openAddon: (module: { readonly exports: Native }, path: string) => void = process.dlopen;

let loaded: Native | undefined;

/** Where the addon is: where HEDDLE_ADDON says, and nowhere else then, or in the package. */
function addonPath(): string {
  const chosen = env['HEDDLE_ADDON'];
  if (chosen) {
    if (isThere(chosen)) return absolutePath(chosen);
    throw platform(`HEDDLE_ADDON names ${chosen}, which does not exist`);
  }
  const places = [packagePath('build/Release/heddle.node'), packagePath(`prebuilds/${machine}/heddle.node`)];
  const path = places[placeOf(places, isThere)];
  if (path === undefined) throw platform('the addon is not built: run `npm run build` in the folder of heddle');
  return path;
}

/** This thread's addon. Throws an error with code HEDDLE_PLATFORM where there is none for this machine. */
export function addon(): Native {
  loaded ??= load((path) => require(path) as Native);
  return loaded;
}

/**
 * The addon once more, with an engine of its own that knows nothing of a program's: for the code generator (docs/decisions/0022). Each call makes one, which lives as long as the thread. Throws as {@link addon}.
 */
export function codegenAddon(): Native {
  return load((path) => {
    // The property tells the addon what the engine is for (native/addon/addon.cc).
    const module = { exports: { codeGenerator: true } as unknown as Native };
    openAddon(module, path);
    return module.exports;
  });
}

function load(open: (path: string) => Native): Native {
  if (!contains(SUPPORTED, machine)) throw platform(`Heddle runs on ${joined(SUPPORTED, ' and ')}, not on ${machine}`);
  const path = addonPath();
  const native = open(path);
  if (native.contract !== CONTRACT) throw platform(`the addon ${path} is of another version: run \`npm run build\``);
  useNativeDigest(native);
  native.capture(bufferGetter, growMethod, Bytes, (...values) => values, hasTransfer);
  // The addon's exports are a dictionary, which V8 searches at each call. A prototype's properties it knows.
  return createObject(native) as Native;
}
