/**
 * Finds and loads the addon.
 */
import { createRequire } from 'node:module';
import { useNativeDigest } from '../base/digest.js';
import { absolutePath, Bytes, contains, createObject, env, isThere, joined, messageOf } from '../base/intrinsics.js';
import { platform } from '../errors/catalog.js';
import { bufferGetter, growMethod } from '../errors/v8.js';
import { CONTRACT } from '../generated/abi.js';
import { buildCommand, packagePath } from '../source/package_root.js';
import { hasGlibc, machine, platformPackage, platformPath, SUPPORTED } from '../source/platform_package.js';
import type { Native } from './native.js';

const hasTransfer = 'transfer' in ArrayBuffer.prototype;
const require = createRequire(import.meta.url);
// What `require` calls for an addon. Each call makes a new environment of Node-API, also where the file was loaded before.
const openAddon: (module: { readonly exports: Native }, path: string) => void = process.dlopen;

let loaded: Native | undefined;

/** Where the addon is: where HEDDLE_ADDON says, and nowhere else then; built in this package; or in the package for this kind of machine. */
export function addonPath(): string {
  if (!contains(SUPPORTED, machine)) throw platform(`Heddle runs on ${joined(SUPPORTED, ' and ')}, not on ${machine}`);
  const chosen = env['HEDDLE_ADDON'];
  if (chosen) {
    if (isThere(chosen)) return absolutePath(chosen);
    throw platform(`HEDDLE_ADDON names ${chosen}, which does not exist`);
  }
  const built = packagePath('build/Release/heddle.node');
  if (isThere(built)) return built;
  const prebuilt = platformPath('heddle.node');
  if (prebuilt !== undefined && isThere(prebuilt)) return prebuilt;
  throw platform(`the addon is not there: ${remedy()}`);
}

/** What to do where there is no addon for this machine. */
function remedy(): string {
  const build = buildCommand();
  // In a clone there are no packages for machines; on musl there is none that would run.
  if (build === 'npm run build' || !hasGlibc()) return `run \`${build}\``;
  return `install ${platformPackage}, an optional dependency of heddle, or run \`${build}\``;
}

/** The error of a file that the system does not load: a library that is older than the file, or no addon at all. */
function unloadable(path: string, error: unknown): Error {
  return platform(`the addon ${path} cannot be loaded (${messageOf(error)}): run \`${buildCommand()}\``);
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
  const path = addonPath();
  let native: Native;
  try {
    native = open(path);
  } catch (error) {
    throw unloadable(path, error);
  }
  if (native.contract !== CONTRACT) throw platform(`the addon ${path} is of another version: run \`${buildCommand()}\``);
  useNativeDigest(native);
  native.capture(bufferGetter, growMethod, Bytes, (...values) => values, hasTransfer);
  // The addon's exports are a dictionary, which V8 searches at each call. A prototype's properties it knows.
  return createObject(native) as Native;
}
