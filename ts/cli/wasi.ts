/**
 * WASI programs through node:wasi. It asks for an instance only to get at the memory and the entry, so a memory of V8's own and any function will do.
 */

import { accessSync, constants, statSync } from 'node:fs';
import type { WASI as NodeWasi } from 'node:wasi';
import type { ImportDescriptor } from '../api/web_assembly.js';
import type { WebAssembly } from '../base/v8_types.js';
import { fileFailed, incompatibleImport, internal, usage } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import { reason } from './load.js';
import { blocking, type WasiFunctions } from './wasi_flags.js';
import { exitStatus, TaskWasi } from './wasi_tasks.js';

/** What a program is given. */
export interface WasiOptions {
  readonly args: readonly string[];
  readonly dirs: readonly string[];
  readonly env: readonly string[];
  /** Given where the program's calls are tasks, of which others have their turn while one waits: a promise of that. */
  readonly turn?: () => Promise<void>;
}

/** The first version, whose poll_oneoff has other records. */
const UNSTABLE = 'wasi_unstable';
const VERSIONS: Readonly<Record<string, 'preview1' | 'unstable'>> = { wasi_snapshot_preview1: 'preview1', [UNSTABLE]: 'unstable' };

/** A program's WASI. */
export class Wasi {
  readonly imports: Record<string, Record<string, unknown>>;
  readonly #wasi: NodeWasi;
  readonly #name: string;
  readonly #tasks: TaskWasi | undefined;
  #memory: WebAssembly.Memory | undefined;

  private constructor(wasi: NodeWasi, name: string, turn: (() => Promise<void>) | undefined) {
    const functions = { ...(wasi.wasiImport as WasiFunctions) };
    this.#tasks = turn && new TaskWasi(functions, () => new DataView((this.#memory ?? none()).buffer), turn);
    const imports = this.#tasks?.imports ?? blocking(functions);
    // Its records are laid out otherwise; a program of those days stops the thread.
    if (name === UNSTABLE) imports['poll_oneoff'] = functions['poll_oneoff'];
    this.imports = { [name]: imports };
    this.#wasi = wasi;
    this.#name = name;
  }

  /** Whether a module imports any of it. */
  static isAskedFor(imports: readonly ImportDescriptor[]): boolean {
    return imports.some((i) => Object.hasOwn(VERSIONS, i.module));
  }

  /** WASI for a module, undefined where it imports none. */
  static async forModule(imports: readonly ImportDescriptor[], options: WasiOptions): Promise<Wasi | undefined> {
    const name = Object.keys(VERSIONS).find((known) => imports.some((i) => i.module === known));
    const version = name === undefined ? undefined : VERSIONS[name];
    if (name === undefined || version === undefined) return undefined;
    const { WASI } = await quietly(() => import('node:wasi'));
    const dirs = options.dirs.map(directory);
    const preopens = Object.fromEntries(dirs);
    const env = Object.fromEntries(options.env.map(variable));
    try {
      const wasi = await quietly(() => new WASI({ version, args: [...options.args], env, preopens, returnOnExit: true }));
      return new Wasi(wasi, name, options.turn);
    } catch (error) {
      for (const [, host] of dirs) requireFolder(host);
      throw fileFailed(`WASI cannot start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Runs something with WASI at work on the memory; returns the status that the program exits with. */
  run(memory: unknown, entry: () => void): number {
    return Number(this.#wasi.start({ exports: { memory: this.#checked(memory), _start: entry } } as WebAssembly.Instance) ?? 0);
  }

  /** The same for calls that may wait. `entry`'s promise is of no more interest once one of the tasks has called proc_exit. */
  async runTasks(memory: unknown, entry: () => Promise<void>): Promise<number> {
    this.#memory = this.#checked(memory);
    this.run(memory, () => undefined);
    try {
      await entry();
      return 0;
    } catch (error) {
      const status = exitStatus(error);
      if (status === undefined) throw error;
      return status;
    } finally {
      this.#tasks?.end();
    }
  }

  #checked(memory: unknown): WebAssembly.Memory {
    if (memory instanceof V8.Memory) return memory;
    throw incompatibleImport(this.#name, 'memory', 'a WASI program exports its memory as "memory"');
  }
}

/** A start function that reads or waits: the program's memory is not known yet. */
function none(): never {
  throw internal('WASI was called before the program began');
}

/** `HOST` or `HOST::GUEST`, as a pair of guest and host. */
function directory(text: string): [guest: string, host: string] {
  const at = text.indexOf('::');
  const [host, guest] = at < 0 ? [text, text] : [text.slice(0, at), text.slice(at + 2)];
  if (host === '' || guest === '') throw usage(`--dir ${text}: a folder is missing`);
  return [guest, host];
}

/** Throws an error with code HEDDLE_FILE for what cannot be opened as a folder. */
function requireFolder(path: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
    if (isFolder) accessSync(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    throw fileFailed(`cannot open --dir ${path}: ${reason(error)}`);
  }
  if (!isFolder) throw fileFailed(`cannot open --dir ${path}: it is no folder`);
}

/** `NAME=VALUE`, or `NAME` for this process's own value. */
function variable(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at === 0 || text === '') throw usage(`--env ${text}: a name is missing`);
  return at < 0 ? [text, process.env[text] ?? ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Without Node's warning that WASI is experimental. */
async function quietly<T>(run: () => T | Promise<T>): Promise<T> {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    return await run();
  } finally {
    process.emitWarning = emitWarning;
  }
}
