/**
 * JavaScript values that WebAssembly refers to. A handle is `1 << 52 | generation << 25 | index << 1`: exact as a number, even, and unlike any small number,
 * so that the collector can find handles by looking at every word of a frame. An index whose value was dropped gets the next generation.
 *
 * The collector sees only what lies in WebAssembly's own memory, so a handle must be stored there, or dropped, before the caller's code runs again.
 */
import {
  append,
  Bytes,
  Dictionary,
  isSame,
  mapDelete,
  mapGet,
  mapSet,
  mapSize,
  max,
  setItem,
  takeLast,
  typedLength,
  typedSet,
  Words,
} from '../../base/intrinsics.js';
import { noMemory } from '../../errors/catalog.js';
import { LIMIT } from '../../generated/abi.js';

const INDICES = 2 ** LIMIT.handleIndexBits;
const GENERATIONS = 2 ** LIMIT.externGenerationBits;
/** Every handle is at least this, and no other word under `any` or `extern` is. */
export const EXTERN_MARK = 2 * INDICES * GENERATIONS;
const FIRST_CAPACITY = 1024;
/** Values made since the last collection that ask for the next one, at least. */
const LEAST_BETWEEN = 16_384;

/** Stands for no value where an index is free. */
const EMPTY = Symbol('empty');
/** Stands for -0 among a map's keys, which does not tell it from 0. */
const MINUS_ZERO = Symbol('-0');
const keyOf = (value: unknown): unknown => (isSame(value, -0) ? MINUS_ZERO : value);

/** What the table needs of the addon. */
export interface ExternCollector {
  shareExterns(generations: Uint32Array, marks: Uint8Array): void;
  requestCollection(): void;
}

/** JavaScript values by index, from 1. A value has one handle while it has any. */
export class ExternTable {
  readonly #collector: ExternCollector;
  readonly #values: unknown[] = [null];
  readonly #handles = new Dictionary<unknown, number>();
  readonly #free: number[] = [];
  #generations = new Words(FIRST_CAPACITY);
  #marks = new Bytes(FIRST_CAPACITY);
  #untilCollection = LEAST_BETWEEN;

  constructor(collector: ExternCollector) {
    this.#collector = collector;
    collector.shareExterns(this.#generations, this.#marks);
  }

  /** The handle of a value; null has 0. Throws a RangeError when 2^24 values are referred to. */
  handle(value: unknown): number {
    if (value === null) return 0;
    const key = keyOf(value);
    let handle = mapGet(this.#handles, key);
    if (handle === undefined) {
      const index = takeLast(this.#free) ?? this.#newIndex();
      setItem(this.#values, index, value);
      handle = EXTERN_MARK + ((this.#generations[index] ?? 0) * INDICES + index) * 2;
      mapSet(this.#handles, key, handle);
      this.#marks[0] = 1;
      if (--this.#untilCollection === 0) this.#collector.requestCollection();
    }
    return handle;
  }

  /** The value of a handle that some WebAssembly has. */
  value(handle: number): unknown {
    return this.#values[(handle % (2 * INDICES)) / 2];
  }

  /** {@link value} by the lower half of the handle. */
  valueOfHalf(low: number): unknown {
    return this.#values[(low >>> 1) & (INDICES - 1)];
  }

  /** Values held. */
  get size(): number {
    return mapSize(this.#handles);
  }

  /** Drops the values that the collection which has just ended did not find. */
  sweep(): void {
    const marks = this.#marks;
    for (let index = 1; index < this.#values.length; index++) {
      if (marks[index] === 0 && this.#values[index] !== EMPTY) this.#drop(index);
      marks[index] = 0;
    }
    marks[0] = mapSize(this.#handles) > 0 ? 1 : 0;
    this.#untilCollection = max(LEAST_BETWEEN, mapSize(this.#handles));
  }

  #newIndex(): number {
    const index = this.#values.length;
    if (index >= INDICES) throw noMemory(`WebAssembly refers to ${INDICES - 1} JavaScript values, more there cannot be`);
    if (index >= typedLength(this.#marks)) this.#grow();
    append(this.#values, EMPTY);
    return index;
  }

  #grow(): void {
    const generations = new Words(typedLength(this.#generations) * 2);
    typedSet(generations, this.#generations);
    this.#generations = generations;
    this.#marks = new Bytes(typedLength(generations));
    this.#marks[0] = 1;
    this.#collector.shareExterns(this.#generations, this.#marks);
  }

  #drop(index: number): void {
    mapDelete(this.#handles, keyOf(this.#values[index]));
    setItem(this.#values, index, EMPTY);
    const generation = (this.#generations[index] ?? 0) + 1;
    if (generation === GENERATIONS) return; // Its handles are spent: the index is never used again.
    this.#generations[index] = generation;
    append(this.#free, index);
  }
}
