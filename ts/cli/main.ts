/** Runs a command line without the program's name; sets the exit status. */
import { isScript, runFile } from './commands/run.js';
import { isThere } from './load.js';
import { EXIT, hasWritten, reportError } from './report.js';

/** What `heddle run FILE` runs with. */
const DEFAULTS = { interruptible: true, shadowStack: true };

/** FILE and what follows it, where there is no option in front: then there is nothing to read. Commander takes 2 ms. */
function plainRun(args: readonly string[]): readonly string[] | undefined {
  const [first = '', second = ''] = args;
  if (first === 'run' && second !== '' && (!second.startsWith('-') || second === '-')) return args.slice(1);
  // No command has such a name.
  return first === '-' || (/^[^-].*[./]|^[./]/.test(first) && isThere(first)) ? args : undefined;
}

export async function run(args: readonly string[]): Promise<void> {
  try {
    const [file, ...rest] = plainRun(args) ?? [];
    if (file === undefined) {
      await import('./command_line.js').then((line) => line.runCommandLine(args));
      return;
    }
    process.exitCode = await runFile(file, rest, DEFAULTS);
    // A module's run is over. Node would take all apart that the system frees at once. An error of a stream comes later.
    if (!isScript(file) && !hasWritten()) process.exit();
  } catch (error) {
    process.exitCode = reportError(error);
    // What took too long goes on, and would keep the process.
    if (process.exitCode === EXIT.timeout) process.exit();
  }
}

/** Where a thread of a script begins, which `heddle wast` starts. */
export async function scriptThread(): Promise<void> {
  (await import('./commands/wast.js')).scriptThread();
}
