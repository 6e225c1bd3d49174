/** `heddle run app.mjs`: a program in JavaScript, as `node --import heddle/register app.mjs` runs it. */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packagePath } from '../source/package_root.js';
import { readFile } from './load.js';
import { endWhenClosed } from './report.js';

/** The files of dist that are used: the API is another copy of this code, which the program gets if it imports Heddle. */
interface Files {
  readonly api: { register(): void; hooked(execArgv: readonly string[]): string[] };
  readonly importFile: (specifier: string) => Promise<unknown>;
}

/** Runs it. Its errors are Node's to report, and the status is the program's own. */
export async function runScript(file: string, args: readonly string[]): Promise<number> {
  readFile(file);
  for (const to of ['stdout', 'stderr'] as const) {
    endWhenClosed(to, (error) => {
      throw error;
    });
  }
  const require = createRequire(packagePath('package.json'));
  const { api, importFile }: Files = { api: require(packagePath('dist/heddle.cjs')), importFile: require(packagePath('dist/import.cjs')) };
  api.register();
  // What `fork` begins with.
  process.execArgv = api.hooked(process.execArgv);
  const path = resolve(file);
  process.argv = [process.execPath, path, ...args];
  // Nobody waits for it: so its errors are reported as any program's.
  void importFile(pathToFileURL(path).href);
  return 0;
}
