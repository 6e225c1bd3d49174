/**
 * Finds and loads the addon.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { platform } from '../errors/catalog.js';
import { CONTRACT } from '../generated/abi.js';
import { packagePath } from '../source/package_root.js';
import type { Native } from './native.js';

const SUPPORTED = new Set(['linux-x64', 'linux-arm64']);

let loaded: Native | undefined;

/** Where the addon may be, best first. */
function candidates(): string[] {
  const name = `${process.platform}-${process.arch}`;
  return [process.env['HEDDLE_ADDON'] ?? '', packagePath('build/Release/heddle.node'), packagePath(`prebuilds/${name}/heddle.node`)];
}

/** This thread's addon. Throws an error with code HEDDLE_PLATFORM where there is none for this machine. */
export function addon(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const name = `${process.platform}-${process.arch}`;
  if (!SUPPORTED.has(name)) throw platform(`Heddle runs on ${[...SUPPORTED].join(' and ')}, not on ${name}`);
  const path = candidates().find((candidate) => candidate !== '' && existsSync(candidate));
  if (path === undefined) throw platform('the addon is not built: run `npm run build` in the folder of heddle');
  const native = createRequire(import.meta.url)(path) as Native;
  if (native.contract !== CONTRACT) throw platform(`the addon ${path} is of another version: run \`npm run build\``);
  // The addon's exports are a dictionary, which V8 searches at each call. A prototype's properties it knows.
  return Object.create(native) as Native;
}
