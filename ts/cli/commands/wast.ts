/** `heddle wast`: scripts in the format of the specification's tests. */
import { runScript } from '../../wast/run.js';
import { runScriptThread } from '../../wast/thread_main.js';
import { readFile } from '../load.js';
import { EXIT, print, reportError } from '../report.js';

/** Runs scripts, a line for each, and the sum. Status 1 where an assertion failed or a script could not be read. */
export function runScripts(files: readonly string[]): number {
  let passed = 0;
  let failed = 0;
  for (const file of files) {
    try {
      const result = runScript(new TextDecoder().decode(readFile(file)));
      for (const { line, directive, message } of result.failures) print(`${file}:${line}: ${directive}: ${message}`);
      print(`${file}: ${result.passed} passed, ${result.failures.length} failed`);
      passed += result.passed;
      failed += result.failures.length;
    } catch (error) {
      reportError(error);
      print(`${file}: 0 passed, 1 failed`);
      failed++;
    }
  }
  print(`${passed} passed, ${failed} failed`);
  return failed > 0 ? EXIT.failed : EXIT.ok;
}

/** What a thread of a script is (dist/script_thread.cjs). */
export function scriptThread(): void {
  runScriptThread();
}
