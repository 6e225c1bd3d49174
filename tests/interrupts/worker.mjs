// Runs one endless program in a worker thread; tells the parent when it is inside.
import { parentPort, workerData } from 'node:worker_threads';
import { parseWat, WebAssembly } from '../../dist/heddle.mjs';

const { instance } = await WebAssembly.instantiate(parseWat(workerData.text), {
  host: {
    inside: () => parentPort.postMessage('inside'),
    spin: () => instance.exports.spin(),
  },
});
instance.exports.main();
