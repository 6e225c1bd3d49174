/**
 * Child processes that compare: what they answer, and that they crashed or hang.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Batch, Difference } from './compare.js';
import type { Program } from './program.js';

export type Request =
  | { readonly kind: 'seeds'; readonly from: number; readonly count: number }
  | { readonly kind: 'program'; readonly program: Program };

export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress' }
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

/**
 * Seconds of processor time from one step to the next after which a child hangs: it goes round in circles. Time of the clock says nothing on a machine that others use.
 */
const MOST_WORK = 60;
/** A child that uses less than this, in seconds of processor time, in so many ticks of so many milliseconds, hangs as well: it waits. */
const LEAST_WORK = 0.05;
const TICKS = 24;
const TICK = 5_000;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));

/** Seconds of processor time that a process has used; undefined where it is gone. */
export function processorTime(pid: number | undefined): number | undefined {
  try {
    // proc(5): behind the name in brackets, which may have anything in it, the 12th and 13th word, in hundredths.
    const words = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(words[11]) + Number(words[12])) / 100;
  } catch {
    return undefined;
  }
}

/** Says of a process, asked at each tick, whether it hangs. */
export class Patience {
  readonly #time: () => number | undefined;
  #sinceStep: number[] = [];

  /** `time` says how much processor time the process has used. */
  constructor(time: () => number | undefined) {
    this.#time = time;
  }

  /** The process has done a step. */
  step(): void {
    this.#sinceStep = [];
  }

  /** Why it hangs, undefined where it does not. */
  tick(): string | undefined {
    const now = this.#time();
    if (now === undefined) return undefined;
    this.#sinceStep.push(now);
    if (now - (this.#sinceStep[0] ?? now) > MOST_WORK) return `no step in ${MOST_WORK} s of processor time`;
    const before = this.#sinceStep.at(-1 - TICKS);
    return before !== undefined && now - before < LEAST_WORK ? `it has waited for ${(TICKS * TICK) / 1000} s` : undefined;
  }
}

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
      const patience = new Patience(() => processorTime(child.pid));
      const timer = setInterval(() => {
        const why = patience.tick();
        if (why !== undefined) gone(why);
      }, TICK);
      child.once('exit', (status, signal) => gone(`the process ended with ${signal ?? status}`));
      child.once('error', (error) => gone(String(error)));
      child.on('message', (answer: Answer) => {
        if (answer.kind === 'progress') return patience.step();
        settle();
        resolve(answer);
      });
      ask();
    });
  }
}
