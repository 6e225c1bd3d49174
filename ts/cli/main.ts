/** Runs a command line without the program's name; sets the exit status. */
import { runFile } from './commands/run.js';
import { isThere } from './load.js';
import { EXIT, reportError } from './report.js';

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
    if (file !== undefined) process.exitCode = await runFile(file, rest, DEFAULTS);
    else await import('./command_line.js').then((line) => line.runCommandLine(args));
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
