/** A worker thread of the compiler: gets a job and then ranges of functions, answers each with its part or an error. */
import { parentPort, workerData } from 'node:worker_threads';
import { useCrateModule } from '../source/crate.js';
import { failureOf } from './failure.js';
import { transferList } from './part.js';
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './pool.js';
import { FunctionCompiler, type Job } from './work.js';

const port = parentPort;
if (port === null) throw new Error('this file runs in a worker thread only');
useCrateModule((workerData as WorkerStart).crate);

let job: Job | undefined;
let compiler: FunctionCompiler | undefined;

/** Frees what the last job made. After a panic there is nothing to free: the instance it lived in is gone. */
function release(): void {
  compiler?.free();
  compiler = undefined;
}

function answer(request: Extract<WorkerRequest, { chunk: number }>): WorkerAnswer {
  try {
    if (job === undefined) throw new Error('a range came before its job');
    compiler ??= new FunctionCompiler(job);
    return {
      chunk: request.chunk,
      part: request.kind === 'trampolines' ? compiler.trampolines() : compiler.functions(request.start, request.end),
    };
  } catch (error) {
    compiler = undefined;
    return { chunk: request.chunk, failure: failureOf(error) };
  }
}

port.on('message', (request: WorkerRequest) => {
  if (request.kind === 'begin') {
    release();
    job = request.job;
    return;
  }
  if (request.kind === 'end') {
    release();
    job = undefined;
    return;
  }
  const result = answer(request);
  port.postMessage(result, 'part' in result ? transferList(result.part) : []);
});
