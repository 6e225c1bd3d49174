/** Runs a command line without the program's name; sets the exit status. */
import { reportError } from './report.js';

/** What `heddle run FILE` runs with. */
const DEFAULTS = { interruptible: true, shadowStack: true };

export async function run(args: readonly string[]): Promise<void> {
  const [command, file, ...rest] = args;
  try {
    // Without options there is nothing to read: what follows FILE is the program's. Commander takes 2 ms.
    if (command === 'run' && file !== undefined && !file.startsWith('-')) {
      const { runFile } = await import('./commands/run.js');
      process.exitCode = await runFile(file, rest, DEFAULTS);
    } else await import('./command_line.js').then((line) => line.runCommandLine(args));
  } catch (error) {
    process.exitCode = reportError(error);
  }
}

/** Where a thread of a script begins, which `heddle wast` starts. */
export async function scriptThread(): Promise<void> {
  (await import('./commands/wast.js')).scriptThread();
}
