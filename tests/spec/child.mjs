// Runs scripts that the parent names, one after another, and sends what came out.
import { readFileSync } from 'node:fs';
import { FEATURE } from '../../dist/ts/generated/clif.js';
import { FEATURE_BITS } from '../../dist/ts/validate/validate.js';
import { runScript } from '../../dist/ts/wast/run.js';

/** The language without what a script does not know yet. */
function features(without) {
  let bits = FEATURE_BITS;
  for (const name of without) {
    if (FEATURE[name] === undefined) throw new Error(`earlier_language.txt names ${name}, which is no feature`);
    bits |= FEATURE[name];
  }
  return bits;
}

process.on('message', ({ path, without }) => {
  let result;
  try {
    const text = readFileSync(path, 'utf8');
    const { passed, failures, printed } = runScript(text, features(without));
    if (without.length > 0 && runScript(text).failures.length === 0) throw new Error('passes whole: take it out of earlier_language.txt');
    result = { passed, failures, printed: printed.map((values) => values.map(String)) };
  } catch (error) {
    result = { passed: 0, failures: [{ line: 0, directive: 'script', message: String(error?.stack ?? error) }], printed: [] };
  }
  process.send(result);
});
