/**
 * The doubles that TypeScript and the addon share: what goes with a resumption, both ways (LIMIT.mailbox…). Values lie in it as they do in memory, so that a call
 * of the addon carries none.
 */
import { LIMIT } from '../generated/abi.js';
import type { ValueType } from '../validate/description.js';

/** A value as the addon takes it: a reference is a number. */
export type RawValue = number | bigint;

/** One thread's mailbox. */
export class Mailbox {
  readonly words = new Float64Array(LIMIT.mailboxSize);
  readonly #integers = new Int32Array(this.words.buffer);
  readonly #naturals = new Uint32Array(this.words.buffer);
  readonly #singles = new Float32Array(this.words.buffer);
  readonly #longs = new BigInt64Array(this.words.buffer);

  /** LIMIT.ending… of the last resumption, making or binding. */
  get ending(): number {
    return this.words[LIMIT.mailboxEnding] as number;
  }

  get index(): number {
    return this.words[LIMIT.mailboxIndex] as number;
  }

  get generation(): number {
    return this.words[LIMIT.mailboxGeneration] as number;
  }

  /** Address of the tag of a suspension. */
  get tag(): number {
    return this.words[LIMIT.mailboxTag] as number;
  }

  /** Number of the import that is to be called. */
  get import(): number {
    return this.words[LIMIT.mailboxImport] as number;
  }

  /** Says which continuation the next call of the addon is about. */
  aim(index: number, generation: number): void {
    this.words[LIMIT.mailboxIndex] = index;
    this.words[LIMIT.mailboxGeneration] = generation;
  }

  /** Says what the next resumption takes: LIMIT.takes… bits. */
  takes(bits: number): void {
    this.words[LIMIT.mailboxTakes] = bits;
  }

  /** Puts a value of a type at a place. Runs no JavaScript of users'. */
  put(type: ValueType, place: number, value: RawValue): void {
    const word = LIMIT.mailboxValues + place;
    switch (type) {
      case 0x7f:
        this.#integers[2 * word] = value as number;
        break;
      case 0x7e:
        this.#longs[word] = value as bigint;
        break;
      case 0x7d:
        this.#singles[2 * word] = value as number;
        break;
      case 0x7c:
        this.words[word] = value as number;
        break;
      default:
        this.#naturals[2 * word] = value as number;
        this.#naturals[2 * word + 1] = Math.floor((value as number) / 0x1_0000_0000);
    }
  }

  /** The value of a type at a place. */
  get(type: ValueType, place: number): RawValue {
    const word = LIMIT.mailboxValues + place;
    switch (type) {
      case 0x7f:
        return this.#integers[2 * word] as number;
      case 0x7e:
        return this.#longs[word] as bigint;
      case 0x7d:
        return this.#singles[2 * word] as number;
      case 0x7c:
        return this.words[word] as number;
      default:
        return (this.#naturals[2 * word] as number) + (this.#naturals[2 * word + 1] as number) * 0x1_0000_0000;
    }
  }

  /** Puts values of these types, and their number. */
  putAll(types: readonly ValueType[], values: readonly RawValue[]): void {
    this.words[LIMIT.mailboxCount] = types.length;
    for (let i = 0; i < types.length; i++) this.put(types[i] as ValueType, i, values[i] as RawValue);
  }
}
