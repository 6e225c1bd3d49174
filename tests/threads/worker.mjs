// Makes an instance of the module it is sent and calls what it is told to: `workerData` is { module, memory, calls: [name, ...arguments][] }. Posts the results,
// or the code of the error; where `javascript` is given, evaluates that with the memory instead.
import { parentPort, workerData } from 'node:worker_threads';
import { WebAssembly as Heddle } from '../../dist/heddle.mjs';

const { module, memory, calls = [], javascript } = workerData;

function results() {
  if (javascript !== undefined) return [new Function('memory', `return ${javascript}`)(memory)];
  if (!(module instanceof Heddle.Module)) throw new Error('what was sent is no Module');
  const { exports } = new Heddle.Instance(module, { m: { memory }, heddle: {} });
  return calls.map(([name, ...args]) => {
    parentPort.postMessage({ calling: name });
    return exports[name](...args);
  });
}

try {
  parentPort.postMessage({ results: results() });
} catch (error) {
  parentPort.postMessage({ error: error.code ?? String(error) });
}
