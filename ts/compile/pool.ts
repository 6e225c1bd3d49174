/**
 * Worker threads that compile. They start when a module is first compiled with them, keep their code generator warm for the next one, never keep the
 * process alive, and end when they have had nothing to do for a while.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { WebAssembly } from '../base/v8_types.js';
import { internal } from '../errors/catalog.js';
import { errorOf, type Failure } from '../errors/failure.js';
import { V8 } from '../errors/v8.js';
import { crateModule } from '../source/crate.js';
import type { ErrandStart } from '../source/errand_thread.js';
import { isBuilt, packagePath } from '../source/package_root.js';
import type { WholeModule } from './elsewhere.js';
import { ownCodegenState } from './own_codegen.js';
import type { Part } from './part.js';
import type { CompileSettings } from './settings.js';
import type { Job, Prepared } from './work.js';

/** What a worker thread starts with. */
export interface WorkerStart {
  /** The code generator compiled by V8; a thread that is expected to have its own gets none. */
  readonly crate?: WebAssembly.Module;
  /** Of a thread that does errands, and nothing else. */
  readonly errands?: ErrandStart;
}

/** What a worker thread is asked. */
export type WorkerRequest =
  | { readonly kind: 'prepare'; readonly bytes: Uint8Array; readonly settings: CompileSettings; readonly lazily: boolean }
  | { readonly kind: 'compile'; readonly job: Job; readonly chunks: readonly Chunk[]; readonly taken: Int32Array }
  | { readonly kind: 'whole'; readonly module: WholeModule };

/**
 * What it answers: to `prepare` one answer; to `compile` one for each chunk that it took (the number behind the last stands for the trampolines), and
 * `idle` when there are no more; to `whole` `idle` when the artifact is in the cache.
 */
export type WorkerAnswer =
  | { readonly kind: 'prepared'; readonly prepared: Prepared }
  | { readonly kind: 'part'; readonly chunk: number; readonly part: Part }
  | { readonly kind: 'idle' }
  | { readonly kind: 'failure'; readonly failure: Failure };

/** A range of defined functions. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** Milliseconds after which idle workers end. */
const IDLE = 10_000;
/** MB of what workers have just made: V8 by itself keeps up to 48. */
const YOUNG = 8;
/** Workers that had a module of more bytes end at once: their code generator has grown, and to start others costs little beside such a module. */
const WORTH_KEEPING = 4 << 20;

/** Environment variables that compiler threads see. */
const PASSED = ['HEDDLE_ADDON', 'HEDDLE_CODEGEN'];

/** Whether there can be workers: where the sources themselves run there is no file for them. */
export function canUseWorkers(): boolean {
  return isBuilt();
}

/** How many workers there are by default. */
export function defaultWorkers(): number {
  return availableParallelism();
}

/** The idle workers of this thread. */
const idle: Worker[] = [];
let timer: NodeJS.Timeout | undefined;

function startWorker(): Worker {
  const start: WorkerStart = ownCodegenState() === 'there' ? {} : { crate: crateModule() };
  // The process's own options (loaders, inspectors, `--import`) are not for the compiler.
  const worker = new Worker(packagePath('dist/compiler_thread.cjs'), {
    workerData: start,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG },
    env: Object.fromEntries(PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
    name: 'heddle compiler',
  });
  // One that dies while it waits is forgotten; one that dies at work is noticed by {@link ask}.
  const forget = (): void => {
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
  };
  worker.on('error', forget);
  worker.on('exit', forget);
  worker.unref();
  return worker;
}

/** Workers that do nothing else. */
function takeWorkers(count: number): Worker[] {
  clearTimeout(timer);
  const taken = idle.splice(0, count);
  while (taken.length < count) taken.push(startWorker());
  return taken;
}

function giveBack(workers: readonly Worker[]): void {
  for (const worker of workers) {
    worker.unref();
    idle.push(worker);
  }
  clearTimeout(timer);
  timer = setTimeout(endWorkers, IDLE).unref();
}

/** Ends the workers that have nothing to do. */
export function endWorkers(): void {
  void end(idle.splice(0));
}

async function end(workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.terminate()));
}

/** Starts workers that a compile will need, while this thread is busy with something else. */
export function warmWorkers(count: number): void {
  if (idle.length >= count) return;
  giveBack(takeWorkers(count));
}

/**
 * Validates a module in a worker thread: there the code generator may be Heddle's own code, and this thread never loads it. With `lazily` it refuses what a compile would.
 */
export async function prepareInWorker(bytes: Uint8Array, settings: CompileSettings, lazily = false): Promise<Prepared> {
  const prepared: Prepared[] = [];
  await ask({ kind: 'prepare', bytes, settings, lazily }, takeWorkers(1), (answer) => {
    if (answer.kind === 'prepared') prepared.push(answer.prepared);
    return true;
  });
  const [only] = prepared;
  if (only === undefined) throw internal('a compiler thread answered something else');
  // The bytes came back empty: they are here already.
  return { job: { ...only.job, bytes }, names: only.names };
}

/** Compiles the chunks of a job and its trampolines. Parts come in the order of the chunks, the trampolines last. */
export async function compileInWorkers(job: Job, chunks: readonly Chunk[], count: number): Promise<Part[]> {
  const parts = new Array<Part>(chunks.length + 1);
  // Each takes the next chunk when it has time: nobody waits for this thread.
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  await ask({ kind: 'compile', job, chunks, taken }, takeWorkers(Math.min(count, parts.length)), (answer) => {
    if (answer.kind === 'part') parts[answer.chunk] = answer.part;
    return answer.kind === 'idle';
  });
  return parts;
}

/** Has a worker compile a module and write the artifact to the cache, at a low priority. The process does not wait for it. */
export async function compileWhole(module: WholeModule): Promise<void> {
  await ask({ kind: 'whole', module }, takeWorkers(1), (answer) => answer.kind === 'idle', false);
}

/** The bytes of the module that a request is about. */
function bytesOf(request: WorkerRequest): Uint8Array {
  if (request.kind === 'compile') return request.job.bytes;
  return request.kind === 'whole' ? request.module.bytes : request.bytes;
}

/**
 * Asks each of some workers, and listens until `receive` has said of each that it is done; then the workers are idle again. The process waits for that where this `holds` it.
 */
async function ask(
  request: WorkerRequest,
  workers: readonly Worker[],
  receive: (answer: WorkerAnswer) => boolean,
  holds = true,
): Promise<void> {
  const { promise, resolve, reject } = withResolvers<void>();
  let busy = workers.length;
  const removals: (() => void)[] = [];
  for (const worker of workers) {
    const onMessage = (answer: WorkerAnswer): void => {
      if (answer.kind === 'failure') reject(errorOf(answer.failure));
      else if (receive(answer) && --busy === 0) resolve();
    };
    const onError = (error: unknown): void => reject(internal('a compiler thread failed', error));
    const onExit = (code: number): void => reject(internal(`a compiler thread ended with exit code ${code}`));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    // Who listens to messages holds the process, whatever was said before.
    if (holds) worker.ref();
    else worker.unref();
    removals.push(() => worker.off('message', onMessage).off('error', onError).off('exit', onExit));
    worker.postMessage(request);
  }
  try {
    await promise;
    // A thread with a low priority keeps it.
    if (request.kind === 'whole' || bytesOf(request).length > WORTH_KEEPING) await end(workers);
    else giveBack(workers);
  } catch (error) {
    // An invalid module does a thread no harm, and the next compile needs it. Others may still be at work on what nobody wants.
    if (request.kind === 'prepare' && error instanceof V8.CompileError) giveBack(workers);
    else for (const worker of workers) void worker.terminate();
    throw error;
  } finally {
    for (const remove of removals) remove();
  }
}

interface Resolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** `Promise.withResolvers`, which Node 20 has not. */
function withResolvers<T>(): Resolvers<T> {
  let resolve: Resolvers<T>['resolve'] | undefined;
  let reject: Resolvers<T>['reject'] | undefined;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  if (resolve === undefined || reject === undefined) throw internal('a promise did not run its executor');
  return { promise, resolve, reject };
}
