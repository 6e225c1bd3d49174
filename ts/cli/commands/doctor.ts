/** `heddle doctor`: what Heddle finds on this machine. */
import { ownCodegenUse } from '../../api/own_codegen.js';
import { Cache } from '../../compile/cache.js';
import { packageVersion } from '../../compile/settings.js';
import { addon, addonPath } from '../../link/addon.js';
import type { Native } from '../../link/native.js';
import { buildCommand } from '../../source/package_root.js';
import { messageOf } from '../errors/describe.js';
import { camelCase, EXIT, print, printJson, writing } from '../report.js';

const CODEGEN = {
  there: "Heddle's own code",
  off: 'run by V8: HEDDLE_CODEGEN=v8',
  none: `run by V8, which is slower: it was not compiled for this machine (${buildCommand()})`,
  stale: `run by V8, which is slower: it was compiled for another machine or version (${buildCommand()})`,
} as const;

const MIB = 1024 * 1024;

/** Prints a line for each thing that decides how programs run. Status 1 where they cannot: the line of the addon says why, and what to do. */
export function doctor(options: { readonly json?: boolean } = {}): number {
  writing.json = options.json === true;
  const rows: [name: string, value: string | number][] = [];
  const status = findings((name, value) => rows.push([name, value]));
  if (writing.json) printJson(Object.fromEntries(rows.map(([name, value]) => [camelCase(name), value])));
  else for (const [name, value] of rows) print(`${name.padEnd(18)} ${value}`);
  return status;
}

function findings(row: (name: string, value: string | number) => void): number {
  row('heddle', packageVersion());
  row('node', `${process.version} (V8 ${process.versions.v8})`);
  row('platform', `${process.platform} ${process.arch}`);
  cacheRows(row);
  let native: Native;
  try {
    native = addon();
    row('addon', addonPath());
  } catch (error) {
    row('addon', `none: ${messageOf(error)}`);
    return EXIT.failed;
  }
  row('code generator', CODEGEN[ownCodegenUse()]);
  const report = native.report();
  row('cpu', report.cpu);
  row('features', report.features.join(' ') || 'none beyond the baseline');
  row('kernel', report.kernel);
  row('stack guard', `${report.guard} (${report.guardReason})`);
  row('page size', report.pageSize);
  row('signal stack', `${report.minimumSignalStack} bytes at least`);
  row('memory maps', `${report.maximumMaps} at most`);
  row('memory limit', Number.isFinite(report.memoryLimit) ? `${Math.floor(report.memoryLimit / MIB)} MiB` : 'none');
  row('contract', native.contract);
  return 0;
}

function cacheRows(row: (name: string, value: string) => void): void {
  const { folder, reason } = Cache.fromEnvironment().status();
  row('cache', reason === undefined ? String(folder) : `off: ${folder === undefined ? '' : `${folder}: `}${reason}`);
}
