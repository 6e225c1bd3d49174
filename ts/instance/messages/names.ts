/**
 * Who is meant: names of functions, tags and imports of a thread, for messages and backtraces.
 */
import { Dictionary, item, mapDelete, mapGet, mapSet } from '../../base/intrinsics.js';
import type { FrameNames } from './backtrace.js';

/** One thread's names. They are dropped when a collection has found that nothing has what they name. */
export class Names {
  readonly #codes = new Dictionary<number, FrameNames>();
  readonly #tags = new Dictionary<number, string>();
  /** By number of an import; a barrier's own is 0. */
  readonly #imports = new Dictionary<number, string>();
  #lastImport = 0;
  readonly #importNumbers = new Dictionary<string, number>();

  constructor() {
    mapSet(this.#imports, 0, 'heddle.barrier');
  }

  /** What is known of the functions of each piece of code. */
  get codes(): ReadonlyMap<number, FrameNames> {
    return this.#codes;
  }

  /** The names of imports, by number. */
  get imports(): ReadonlyMap<number, string> {
    return this.#imports;
  }

  /** The names of tags, by id. */
  get tags(): ReadonlyMap<number, string> {
    return this.#tags;
  }

  nameCode(code: number, names: FrameNames): void {
    mapSet(this.#codes, code, names);
  }

  nameTag(id: number, name: string): void {
    mapSet(this.#tags, id, name);
  }

  /** A number for an import, which has it alone. */
  newImport(name: string): number {
    mapSet(this.#imports, ++this.#lastImport, name);
    return this.#lastImport;
  }

  /** A number for the name of an import; those of one name share it. */
  importNumber(name: string): number {
    let number = mapGet(this.#importNumbers, name);
    if (number === undefined) {
      number = this.newImport(name);
      mapSet(this.#importNumbers, name, number);
    }
    return number;
  }

  /** Drops the names of what a collection has freed. */
  forget(tags: readonly number[], codes: readonly number[], imports: readonly number[]): void {
    for (let i = 0; i < tags.length; i++) {
      const tag = item(tags, i);
      mapDelete(this.#tags, tag);
    }
    for (let i = 0; i < codes.length; i++) {
      const code = item(codes, i);
      mapDelete(this.#codes, code);
    }
    for (let i = 0; i < imports.length; i++) {
      const number = item(imports, i);
      mapDelete(this.#imports, number);
    }
  }
}
