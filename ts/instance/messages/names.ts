/**
 * Who is meant: names of functions, tags and imports of a thread, for messages and backtraces.
 */
import type { FrameNames } from './backtrace.js';

/** One thread's names. They are dropped when a collection has found that nothing has what they name. */
export class Names {
  readonly #codes = new Map<number, FrameNames>();
  readonly #tags = new Map<number, string>();
  /** By number of an import; a barrier's own is 0. */
  readonly #imports = new Map([[0, 'heddle.barrier']]);
  #lastImport = 0;
  readonly #importNumbers = new Map<string, number>();

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
    this.#codes.set(code, names);
  }

  nameTag(id: number, name: string): void {
    this.#tags.set(id, name);
  }

  /** A number for an import, which has it alone. */
  newImport(name: string): number {
    this.#imports.set(++this.#lastImport, name);
    return this.#lastImport;
  }

  /** A number for the name of an import; those of one name share it. */
  importNumber(name: string): number {
    let number = this.#importNumbers.get(name);
    if (number === undefined) {
      number = this.newImport(name);
      this.#importNumbers.set(name, number);
    }
    return number;
  }

  /** Drops the names of what a collection has freed. */
  forget(tags: readonly number[], codes: readonly number[], imports: readonly number[]): void {
    for (const tag of tags) this.#tags.delete(tag);
    for (const code of codes) this.#codes.delete(code);
    for (const number of imports) this.#imports.delete(number);
  }
}
