/** `heddle wast`: scripts in the format of the specification's tests. */
import type { ScriptResult } from '../../wast/result.js';
import { runScript } from '../../wast/run.js';
import { runScriptThread } from '../../wast/thread_main.js';
import { errorJson } from '../errors/describe.js';
import { label, placed, readFile } from '../load.js';
import { EXIT, print, printJson, reportError, writing } from '../report.js';

interface Sum {
  readonly passed: number;
  readonly failed: number;
}

/** Runs scripts, a line for each, and the sum. Status 1 where an assertion failed, a script could not be read, or has no assertion. */
export function runScripts(files: readonly string[], options: { readonly json?: boolean } = {}): number {
  writing.json = options.json === true;
  const sums = files.map((path) => runFile(path));
  const read = sums.filter((sum) => sum !== undefined);
  const total = (of: keyof Sum): number => read.reduce((all, sum) => all + sum[of], 0);
  const passed = total('passed');
  const failed = total('failed');
  if (writing.json) printJson({ passed, failed });
  else if (read.length > 0) print(`${passed} passed, ${failed} failed`);
  const good = read.length === files.length && read.every((sum) => sum.passed > 0 && sum.failed === 0);
  return good ? EXIT.ok : EXIT.failed;
}

/** Runs one, and says what came of it. Undefined where there was nothing to run. */
function runFile(path: string): Sum | undefined {
  const file = label(path);
  let result: ScriptResult;
  try {
    const text = new TextDecoder().decode(readFile(path));
    result = placed({ file, bytes: undefined, text }, () => runScript(text));
  } catch (error) {
    if (writing.json) printJson({ file, error: errorJson(error) });
    else reportError(error);
    return undefined;
  }
  const { passed, failures } = result;
  if (writing.json) {
    printJson({ file, passed, failed: failures.length, failures });
  } else {
    for (const { line, directive, message } of failures) print(`${file}:${line}: ${directive}: ${message}`);
    if (passed + failures.length === 0) print(`${file}: no assertion in it, so nothing was tested`);
    else print(`${file}: ${passed} passed, ${failures.length} failed`);
  }
  return { passed, failed: failures.length };
}

/** What a thread of a script is (dist/script_thread.cjs). */
export function scriptThread(): void {
  runScriptThread();
}
