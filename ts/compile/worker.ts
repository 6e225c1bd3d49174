/** A worker thread of the compiler: validates modules, and compiles what it takes of them. */
import { constants, getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf } from '../errors/failure.js';
import { parseWat } from '../source/bytes.js';
import { crate, useCrateModule } from '../source/crate.js';
import { ANSWERED, type Errand, type ErrandAnswer, type ErrandRequest, type ErrandStart, STARTED } from '../source/errand_thread.js';
import { checkModule } from '../validate/validate.js';
import type { Artifact } from './artifact.js';
import { CACHE_LIMIT, Cache } from './cache.js';
import { compileModuleSync } from './compile.js';
import type { WholeModule } from './elsewhere.js';
import type { FileAccess } from './entry.js';
import { requireCompiling } from './lazy.js';
import { transferList } from './part.js';
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './pool.js';
import { FunctionCompiler, prepare } from './work.js';

type Post = (answer: WorkerAnswer, transfer?: readonly ArrayBuffer[]) => void;

/** What a compiler thread needs of the addon (ts/link/native.ts). */
export interface ThreadAccess extends FileAccess {
  releaseMemory(): void;
  discard(bytes: Uint8Array): void;
}

/** Milliseconds after which what the process has freed goes back to the system again. */
const RELEASE_AFTER = 500;
let released = 0;

/** V8's compilers free much memory, of which the C library keeps each thread's own. */
function releaseMemory(access: () => ThreadAccess): void {
  const now = performance.now();
  if (now - released < RELEASE_AFTER) return;
  access().releaseMemory();
  released = performance.now();
}

function compile({ job, chunks, taken }: Extract<WorkerRequest, { kind: 'compile' }>, post: Post, access: () => ThreadAccess): void {
  let compiler: FunctionCompiler | undefined;
  for (;;) {
    const chunk = Atomics.add(taken, 0, 1);
    if (chunk > chunks.length) break;
    compiler ??= new FunctionCompiler(job, (bytes) => access().discard(bytes));
    const range = chunks[chunk];
    const part = range === undefined ? compiler.trampolines() : compiler.functions(range.start, range.end);
    post({ kind: 'part', chunk, part }, transferList(part));
    releaseMemory(access);
  }
  // After a panic there is nothing to free: the instance that it lived in is gone.
  compiler?.free();
  post({ kind: 'idle' });
}

function serve(request: WorkerRequest, post: Post, access: () => ThreadAccess): void {
  if (request.kind === 'compile') {
    compile(request, post, access);
    return;
  }
  if (request.kind === 'whole') {
    giveWay();
    compileErrand(request.module, access);
    post({ kind: 'idle' });
    return;
  }
  const { job, names } = prepare(request.bytes, request.settings);
  if (request.lazily) requireCompiling(job);
  // Who asked has the bytes.
  post({ kind: 'prepared', prepared: { job: { ...job, bytes: new Uint8Array(0) }, names } });
}

/** From now on this thread runs where the others leave time. (What is asked for by 0 is the thread's own priority; other systems have none.) */
function giveWay(): void {
  try {
    setPriority(0, Math.min(constants.priority.PRIORITY_LOW, getPriority(0) + constants.priority.PRIORITY_BELOW_NORMAL));
  } catch {
    // The system does not let it.
  }
}

/** A module's artifact. Its settings are those of who asks, whatever the environment of this thread. */
function compileErrand({ bytes, settings, hash, folder }: WholeModule, access: () => ThreadAccess): Artifact {
  const cache = folder === undefined ? {} : { cache: new Cache({ folder }, CACHE_LIMIT, access()) };
  return compileModuleSync(bytes, {
    ...settings,
    ...(hash !== undefined && { hash }),
    ...cache,
    discard: (unused) => access().discard(unused),
  });
}

const ERRANDS: Readonly<Record<Errand, (input: unknown, access: () => ThreadAccess) => unknown>> = {
  compile: (input, access) => compileErrand(input as WholeModule, access),
  check: (input) => checkModule(input as Uint8Array),
  parse: (input) => parseWat(input as string),
};

/** Does what a thread must not do whose built-in objects were changed (ts/source/elsewhere.ts). */
function runErrands({ port, progress }: ErrandStart, access: () => ThreadAccess): void {
  port.on('message', ({ errand, input }: ErrandRequest) => {
    let answer: ErrandAnswer;
    try {
      answer = { result: ERRANDS[errand](input, access) };
    } catch (error) {
      answer = { failure: failureOf(error) };
    }
    port.postMessage(answer);
    Atomics.store(progress, 0, ANSWERED);
    Atomics.notify(progress, 0);
  });
  Atomics.store(progress, 0, STARTED);
  Atomics.notify(progress, 0);
}

/** Serves requests of the thread that started this one. `access` gives the addon. */
export function compilerThread(access: () => ThreadAccess): void {
  const port = parentPort;
  if (port === null) throw new Error('this runs in a worker thread only');
  const { crate: module, errands } = workerData as WorkerStart;
  if (errands !== undefined) return runErrands(errands, access);
  if (module !== undefined) useCrateModule(module);
  // The first request need not wait for it.
  crate();
  const post: Post = (answer, transfer = []) => port.postMessage(answer, transfer);
  port.on('message', (request: WorkerRequest) => {
    try {
      serve(request, post, access);
    } catch (error) {
      post({ kind: 'failure', failure: failureOf(error) });
    }
  });
}
