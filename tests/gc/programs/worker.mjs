// Makes objects of the module that it is given, keeps some, and waits to be ended.
import { parentPort, workerData } from 'node:worker_threads';
import { WebAssembly } from '../../../dist/heddle.mjs';

const { begin, end, make, trees } = new WebAssembly.Instance(workerData.module).exports;
begin();
const sum = trees(workerData.trees);
const held = end();
begin();
globalThis.kept = Array.from({ length: 1000 }, (_, i) => make(i % 5));
parentPort.postMessage({ trees: sum, held });
setInterval(() => trees(1), 1);
