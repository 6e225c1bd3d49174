// Runs scripts that the parent names, one after another, and sends what came out.
import { readFileSync } from 'node:fs';
import { runScript } from '../../dist/ts/wast/run.js';

process.on('message', ({ path }) => {
  let result;
  try {
    const { passed, failures, printed } = runScript(readFileSync(path, 'utf8'));
    result = { passed, failures, printed: printed.map((values) => values.map(String)) };
  } catch (error) {
    result = { passed: 0, failures: [{ line: 0, directive: 'script', message: String(error?.stack ?? error) }], printed: [] };
  }
  process.send(result);
});
