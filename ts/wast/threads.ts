/**
 * Threads of scripts: `thread` runs directives in a worker of their own, `wait` takes what came out. The parent sleeps in `wait`, as a script has no event loop.
 */

import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { WebAssembly } from '../base/v8_types.js';
import { internal } from '../errors/catalog.js';
import { packagePath } from '../source/package_root.js';
import type { ScriptResult } from './result.js';
import type { Directive } from './script.js';

/** What a thread runs. */
export interface ThreadJob {
  readonly directives: readonly Directive[];
  readonly binaries: Uint8Array;
  /** The script's language: bits of contract/clif.ts, FEATURES. */
  readonly features: number;
  /** The instance that it shares with its parent, by name: those of its exports that threads can share, which are shared memories. */
  readonly shared: { readonly name: string; readonly memories: Readonly<Record<string, WebAssembly.Memory>> } | undefined;
}

/** What the worker gets. */
export interface ThreadData {
  readonly job: ThreadJob;
  readonly port: MessagePort;
  /** One word, 1 when the result is in the port. */
  readonly done: Int32Array;
}

/** Milliseconds after which a thread counts as hanging. */
const HANGS = 120_000;

/** A thread that runs. */
export class ScriptThread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #done = new Int32Array(new SharedArrayBuffer(4));

  constructor(job: ThreadJob) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: ThreadData = { job, port: port2, done: this.#done };
    this.#worker = new Worker(packagePath('dist/script_thread.cjs'), { workerData, transferList: [port2] });
  }

  /** Sleeps until the thread is at its end; what came out. Throws an internal error where it hangs. */
  wait(): ScriptResult {
    const outcome = Atomics.wait(this.#done, 0, 0, HANGS);
    const received = receiveMessageOnPort(this.#port) as { readonly message: ScriptResult } | undefined;
    this.#port.close();
    void this.#worker.terminate();
    if (outcome === 'timed-out' || received === undefined) throw internal('a thread of the script did not come to its end');
    return received.message;
  }
}
