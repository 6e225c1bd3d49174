/**
 * Finds and loads the addon.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { platform } from '../errors/catalog.js';
import { CONTRACT } from '../generated/abi.js';
import { packagePath } from '../source/package_root.js';
import type { Native } from './native.js';

const SUPPORTED = new Set(['linux-x64', 'linux-arm64']);

let loaded: Native | undefined;

/** Where the addon is: where HEDDLE_ADDON says, and nowhere else then, or in the package. */
function addonPath(): string {
  const chosen = process.env['HEDDLE_ADDON'];
  if (chosen) {
    if (existsSync(chosen)) return resolve(chosen);
    throw platform(`HEDDLE_ADDON names ${chosen}, which does not exist`);
  }
  const name = `${process.platform}-${process.arch}`;
  const path = [packagePath('build/Release/heddle.node'), packagePath(`prebuilds/${name}/heddle.node`)].find((place) => existsSync(place));
  if (path === undefined) throw platform('the addon is not built: run `npm run build` in the folder of heddle');
  return path;
}

/** This thread's addon. Throws an error with code HEDDLE_PLATFORM where there is none for this machine. */
export function addon(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const name = `${process.platform}-${process.arch}`;
  if (!SUPPORTED.has(name)) throw platform(`Heddle runs on ${[...SUPPORTED].join(' and ')}, not on ${name}`);
  const path = addonPath();
  const native = createRequire(import.meta.url)(path) as Native;
  if (native.contract !== CONTRACT) throw platform(`the addon ${path} is of another version: run \`npm run build\``);
  // The addon's exports are a dictionary, which V8 searches at each call. A prototype's properties it knows.
  return Object.create(native) as Native;
}
