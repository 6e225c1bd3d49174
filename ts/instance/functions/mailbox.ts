/**
 * The words that TypeScript and the addon share: what goes with a resumption, both ways (LIMIT.mailbox…). Values lie in it as they do in memory, so that a call
 * of the addon carries none.
 */
import { internal } from '../../errors/catalog.js';
import { LIMIT } from '../../generated/abi.js';
import type { ValueType } from '../../validate/description.js';

/** A value as the addon takes it: a reference is a number. */
export type RawValue = number | bigint;

// The lower halves of the words that hold numbers. In constants of this module: V8 reads an import's properties anew at each use.
const ENDING = 2 * LIMIT.mailboxEnding;
const INDEX = 2 * LIMIT.mailboxIndex;
const GENERATION = 2 * LIMIT.mailboxGeneration;
const IMPORT = 2 * LIMIT.mailboxImport;
const TAKES = 2 * LIMIT.mailboxTakes;
const COUNT = 2 * LIMIT.mailboxCount;
const OUTSIDE = 2 * LIMIT.mailboxOutside;
const WAITING = 2 * LIMIT.mailboxWaiting;
const TABLES = LIMIT.mailboxTables;
const VALUES = LIMIT.mailboxValues;

// The words themselves. Constants of this module, too, which each thread has of its own: V8 then compiles their address into what reads them.
const doubles = new Float64Array(LIMIT.mailboxSize);
const integers = new Int32Array(doubles.buffer);
const naturals = new Uint32Array(doubles.buffer);
const singles = new Float32Array(doubles.buffer);
const longs = new BigInt64Array(doubles.buffer);

/**
 * Names a continuation of the addon's: the index of its record, 0 for none, and the halves of its generation of 40 bits (one record may be used more often than 2^32 times). All are integers of
 * 32 bits, which V8 stores as they are.
 */
export class Handle {
  index = 0;
  low = 0;
  high = 0;

  /** Becomes a copy of another. */
  copy(other: Handle): void {
    this.index = other.index;
    this.low = other.low;
    this.high = other.high;
  }
}

/** This thread's mailbox. */
export class Mailbox {
  /** All of it, for the addon. */
  get words(): Float64Array {
    return doubles;
  }

  /** LIMIT.ending… of the last resumption, making or binding. */
  get ending(): number {
    return naturals[ENDING] as number;
  }

  set ending(value: number) {
    naturals[ENDING] = value;
  }

  /** Makes `handle` name the continuation that there is now. */
  save(handle: Handle): void {
    handle.index = integers[INDEX] as number;
    handle.low = integers[GENERATION] as number;
    handle.high = integers[GENERATION + 1] as number;
  }

  /** Address of the tag of a suspension. */
  get tag(): number {
    return this.#wide(2 * LIMIT.mailboxTag);
  }

  /** Counts the times that a table has become longer or moved. */
  get tables(): number {
    return doubles[TABLES] as number;
  }

  /** Number of the import that is to be called. */
  get import(): number {
    return naturals[IMPORT] as number;
  }

  /**
   * Whether the call that was just made, or gone on with, waits for an import that is to be called from here: then the number of that is 1 less than this,
   * which is 0 otherwise.
   */
  get outside(): number {
    return naturals[OUTSIDE] as number;
  }

  /** How many calls wait so, one inside the other. */
  get waiting(): number {
    return naturals[WAITING] as number;
  }

  /** Calls the imports that the call just made waits for, until it ends. Throws what it does. */
  serve: () => void = () => {
    throw internal('no import can be called');
  };

  /** Says which continuation the next call of the addon is about. */
  aim(handle: Handle): void {
    integers[INDEX] = handle.index;
    integers[GENERATION] = handle.low;
    integers[GENERATION + 1] = handle.high;
  }

  /** Says what the next resumption takes: LIMIT.takes… bits. */
  takes(bits: number): void {
    naturals[TAKES] = bits;
  }

  /** Puts a value of a type at a place. Runs no JavaScript of users'. */
  put(type: ValueType, place: number, value: RawValue): void {
    const word = VALUES + place;
    switch (type) {
      case 0x7f:
        integers[2 * word] = value as number;
        break;
      case 0x7e:
        longs[word] = value as bigint;
        break;
      case 0x7d:
        singles[2 * word] = value as number;
        break;
      case 0x7c:
        doubles[word] = value as number;
        break;
      default:
        this.#putWide(2 * word, value as number);
    }
  }

  /** The value of a type at a place. */
  get(type: ValueType, place: number): RawValue {
    const word = VALUES + place;
    switch (type) {
      case 0x7f:
        return integers[2 * word] as number;
      case 0x7e:
        return longs[word] as bigint;
      case 0x7d:
        return singles[2 * word] as number;
      case 0x7c:
        return doubles[word] as number;
      default:
        return this.#wide(2 * word);
    }
  }

  /** {@link get} of an i32. */
  integer(place: number): number {
    return integers[2 * (VALUES + place)] as number;
  }

  /** {@link put} of an i32. */
  putInteger(place: number, value: number): void {
    integers[2 * (VALUES + place)] = value;
  }

  /** Puts values of these types, and their number. */
  putAll(types: readonly ValueType[], values: readonly RawValue[]): void {
    naturals[COUNT] = types.length;
    for (let i = 0; i < types.length; i++) this.put(types[i] as ValueType, i, values[i] as RawValue);
  }

  /** A number below 2^53 whose lower half is here, the upper half behind it. */
  #wide(half: number): number {
    const upper = naturals[half + 1] as number;
    return upper === 0 ? (naturals[half] as number) : (naturals[half] as number) + upper * 0x1_0000_0000;
  }

  #putWide(half: number, value: number): void {
    naturals[half] = value;
    naturals[half + 1] = value < 0x1_0000_0000 ? 0 : value / 0x1_0000_0000;
  }
}
