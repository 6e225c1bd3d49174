/**
 * WASI programs through node:wasi. It asks for an instance only to get at the memory and the entry, so a memory of V8's own and any function will do.
 */
import type { WASI as NodeWasi } from 'node:wasi';
import type { ImportDescriptor } from '../api/web_assembly.js';
import { fileFailed, incompatibleImport, usage } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';

/** What a program is given. */
export interface WasiOptions {
  readonly args: readonly string[];
  readonly dirs: readonly string[];
  readonly env: readonly string[];
}

const VERSIONS: Readonly<Record<string, 'preview1' | 'unstable'>> = { wasi_snapshot_preview1: 'preview1', wasi_unstable: 'unstable' };

/** A program's WASI. */
export class Wasi {
  readonly imports: Record<string, Record<string, unknown>>;
  readonly #wasi: NodeWasi;
  readonly #name: string;

  private constructor(wasi: NodeWasi, name: string) {
    this.imports = { [name]: { ...(wasi.wasiImport as Record<string, unknown>) } };
    this.#wasi = wasi;
    this.#name = name;
  }

  /** WASI for a module, undefined where it imports none. */
  static async forModule(imports: readonly ImportDescriptor[], options: WasiOptions): Promise<Wasi | undefined> {
    const name = Object.keys(VERSIONS).find((known) => imports.some((i) => i.module === known));
    const version = name === undefined ? undefined : VERSIONS[name];
    if (name === undefined || version === undefined) return undefined;
    const { WASI } = await quietly(() => import('node:wasi'));
    const preopens = Object.fromEntries(options.dirs.map(directory));
    const env = Object.fromEntries(options.env.map(variable));
    try {
      const wasi = await quietly(() => new WASI({ version, args: [...options.args], env, preopens, returnOnExit: true }));
      return new Wasi(wasi, name);
    } catch (error) {
      throw fileFailed(`WASI cannot start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Runs something with WASI at work on the memory; returns the status that the program exits with. */
  run(memory: unknown, entry: () => void): number {
    if (!(memory instanceof V8.Memory)) throw incompatibleImport(this.#name, 'memory', 'a WASI program exports its memory as "memory"');
    return Number(this.#wasi.start({ exports: { memory, _start: entry } } as WebAssembly.Instance) ?? 0);
  }
}

/** `HOST` or `HOST::GUEST`, as a pair of guest and host. */
function directory(text: string): [string, string] {
  const at = text.indexOf('::');
  return at < 0 ? [text, text] : [text.slice(at + 2), text.slice(0, at)];
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
