/**
 * Child processes that compare: what they answer, and that they crashed or hang.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Batch, Difference } from './compare.js';
import type { Program } from './program.js';

export type Request =
  | { readonly kind: 'seeds'; readonly from: number; readonly count: number }
  | { readonly kind: 'program'; readonly program: Program };

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'difference'; readonly difference: Difference | undefined };

/** How an engine is started. */
export interface EngineCommand {
  readonly name: 'heddle' | 'v8';
  /** Of Node. */
  readonly path: string;
  readonly options: readonly string[];
}

/** The child is gone: it crashed, or was killed because it did not answer. */
export class Gone extends Error {}

/** Ticks in which a child must answer, and their milliseconds. Ticks are counted, not time: whoever stops all processes for a while has not hung one. */
const PATIENCE = 20;
const TICK = 5_000;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

/** One child at a time; another takes its place where it is gone. */
export class Worker {
  #child: ChildProcess | undefined;

  constructor(readonly command: EngineCommand) {}

  /** The answer of the child. Rejects with Gone. */
  async ask(request: Request): Promise<Answer> {
    this.#child ??= await this.#start();
    return this.#answer(this.#child, () => this.#child?.send(request));
  }

  /** Ends the child; the next question starts a fresh one. */
  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  async #start(): Promise<ChildProcess> {
    const { name, path, options } = this.command;
    const child = fork(CHILD, [name], {
      cwd: ROOT,
      execPath: path,
      execArgv: [...options, '--import', 'tsx'],
      env: { ...process.env, HEDDLE_CACHE: 'off' },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await this.#answer(child, () => {});
    return child;
  }

  #answer(child: ChildProcess, ask: () => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearInterval(timer);
        child.removeAllListeners();
      };
      const gone = (why: string): void => {
        settle();
        this.stop();
        reject(new Gone(why));
      };
      let ticks = 0;
      const timer = setInterval(() => {
        if (++ticks >= PATIENCE) gone(`no answer for ${(PATIENCE * TICK) / 1000} s`);
      }, TICK);
      child.once('exit', (status, signal) => gone(`the process ended with ${signal ?? status}`));
      child.once('error', (error) => gone(String(error)));
      child.once('message', (answer: Answer) => {
        settle();
        resolve(answer);
      });
      ask();
    });
  }
}
