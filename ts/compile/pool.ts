/**
 * Worker threads that compile. They start when a module is first compiled with them, keep their code generator warm for the next one, never keep the
 * process alive, and end when they have had nothing to do for a while.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { internal } from '../errors/catalog.js';
import { crateModule } from '../source/crate.js';
import { isBuilt, packagePath } from '../source/package_root.js';
import { errorOf, type Failure } from './failure.js';
import type { Part } from './part.js';
import type { Job } from './work.js';

/** What a worker thread starts with. */
export interface WorkerStart {
  readonly crate: WebAssembly.Module;
}

/** What a worker thread is asked. */
export type WorkerRequest =
  | { readonly kind: 'begin'; readonly job: Job }
  | { readonly kind: 'functions'; readonly chunk: number; readonly start: number; readonly end: number }
  | { readonly kind: 'trampolines'; readonly chunk: number }
  | { readonly kind: 'end' };

/** What it answers. */
export type WorkerAnswer = { readonly chunk: number; readonly part: Part } | { readonly chunk: number; readonly failure: Failure };

/** A range of defined functions. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** Milliseconds after which idle workers end. */
const IDLE = 10_000;
/** Requests that a worker has at a time: the next one waits there while the last is answered. */
const QUEUED = 2;

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
  const start: WorkerStart = { crate: crateModule() };
  // The process's own options (loaders, inspectors, `--import`) are not for the compiler.
  const worker = new Worker(packagePath('dist/ts/compile/worker.js'), {
    workerData: start,
    execArgv: [],
    env: {},
    name: 'heddle compiler',
  });
  // One that dies while it waits is forgotten; one that dies at work is noticed by {@link run}.
  const forget = (): void => {
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
  };
  worker.on('error', forget);
  worker.on('exit', forget);
  worker.unref();
  return worker;
}

function takeWorkers(count: number): Worker[] {
  clearTimeout(timer);
  const taken = idle.splice(0, count);
  while (taken.length < count) taken.push(startWorker());
  for (const worker of taken) worker.ref();
  return taken;
}

function giveBack(workers: readonly Worker[]): void {
  for (const worker of workers) {
    worker.postMessage({ kind: 'end' } satisfies WorkerRequest);
    worker.unref();
    idle.push(worker);
  }
  clearTimeout(timer);
  timer = setTimeout(endWorkers, IDLE).unref();
}

/** Ends the workers that have nothing to do. */
export function endWorkers(): void {
  for (const worker of idle.splice(0)) void worker.terminate();
}

/** Starts workers that a compile will need, while this thread is busy with something else. */
export function warmWorkers(count: number): void {
  if (idle.length >= count) return;
  giveBack(takeWorkers(count));
}

/** Compiles the chunks of a job and its trampolines. Parts come in the order of the chunks, the trampolines last. */
export async function compileInWorkers(job: Job, chunks: readonly Chunk[], count: number): Promise<Part[]> {
  const requests: WorkerRequest[] = chunks.map((chunk, i) => ({ kind: 'functions', chunk: i, ...chunk }));
  requests.push({ kind: 'trampolines', chunk: chunks.length });
  const workers = takeWorkers(Math.min(count, requests.length));
  try {
    const parts = await run(job, requests, workers);
    giveBack(workers);
    return parts;
  } catch (error) {
    for (const worker of workers) void worker.terminate();
    throw error;
  }
}

function run(job: Job, requests: readonly WorkerRequest[], workers: readonly Worker[]): Promise<Part[]> {
  const parts = new Array<Part>(requests.length);
  let next = 0;
  let missing = requests.length;
  const { promise, resolve, reject } = withResolvers<Part[]>();
  const give = (worker: Worker): void => {
    const request = requests[next++];
    if (request !== undefined) worker.postMessage(request);
  };
  const settled: (() => void)[] = [];
  for (const worker of workers) {
    const onMessage = (answer: WorkerAnswer): void => {
      if ('failure' in answer) {
        reject(errorOf(answer.failure));
        return;
      }
      parts[answer.chunk] = answer.part;
      if (--missing === 0) resolve(parts);
      else give(worker);
    };
    const onError = (error: unknown): void => reject(internal('a compiler thread failed', error));
    const onExit = (code: number): void => reject(internal(`a compiler thread ended with exit code ${code}`));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    settled.push(() => worker.off('message', onMessage).off('error', onError).off('exit', onExit));
    worker.postMessage({ kind: 'begin', job } satisfies WorkerRequest);
    for (let i = 0; i < QUEUED; i++) give(worker);
  }
  return promise.finally(() => {
    for (const remove of settled) remove();
  });
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
