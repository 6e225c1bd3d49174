/** A worker thread of the compiler: validates modules, and compiles what it takes of them. */
import { parentPort, workerData } from 'node:worker_threads';
import { crate, useCrateModule } from '../source/crate.js';
import { failureOf } from './failure.js';
import { transferList } from './part.js';
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './pool.js';
import { FunctionCompiler, prepare } from './work.js';

type Post = (answer: WorkerAnswer, transfer?: readonly ArrayBuffer[]) => void;

function compile({ job, chunks, taken }: Extract<WorkerRequest, { kind: 'compile' }>, post: Post): void {
  let compiler: FunctionCompiler | undefined;
  for (;;) {
    const chunk = Atomics.add(taken, 0, 1);
    if (chunk > chunks.length) break;
    compiler ??= new FunctionCompiler(job);
    const range = chunks[chunk];
    const part = range === undefined ? compiler.trampolines() : compiler.functions(range.start, range.end);
    post({ kind: 'part', chunk, part }, transferList(part));
  }
  // After a panic there is nothing to free: the instance that it lived in is gone.
  compiler?.free();
  post({ kind: 'idle' });
}

function serve(request: WorkerRequest, post: Post): void {
  if (request.kind === 'compile') {
    compile(request, post);
    return;
  }
  const { job, names } = prepare(request.bytes, request.settings);
  // Who asked has the bytes.
  post({ kind: 'prepared', prepared: { job: { ...job, bytes: new Uint8Array(0) }, names } });
}

/** Serves requests of the thread that started this one. */
export function compilerThread(): void {
  const port = parentPort;
  if (port === null) throw new Error('this runs in a worker thread only');
  const { crate: module } = workerData as WorkerStart;
  if (module !== undefined) useCrateModule(module);
  // The first request need not wait for it.
  crate();
  const post: Post = (answer, transfer = []) => port.postMessage(answer, transfer);
  port.on('message', (request: WorkerRequest) => {
    try {
      serve(request, post);
    } catch (error) {
      post({ kind: 'failure', failure: failureOf(error) });
    }
  });
}
