/**
 * Random choices that a seed decides.
 */

/** A generator of random numbers (xorshift32). The same seed gives the same choices. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
    // Seeds that lie close together begin alike.
    for (let i = 0; i < 8; i++) this.#next();
  }

  #next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }

  /** An integer of 0 to `limit - 1`. */
  below(limit: number): number {
    return this.#next() % limit;
  }

  /** An integer of `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** 32 random bits, as a signed number. */
  int32(): number {
    return this.#next() | 0;
  }

  /** 64 random bits, as a signed number. */
  int64(): bigint {
    return BigInt.asIntN(64, (BigInt(this.#next()) << 32n) | BigInt(this.#next()));
  }

  /** One of the items, of which there is at least one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** One of the items by weight; undefined where no weight is above 0. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T | undefined {
    const total = items.reduce((sum, [weight]) => sum + weight, 0);
    if (total <= 0) return undefined;
    let left = this.below(total);
    for (const [weight, item] of items) {
      if (left < weight) return item;
      left -= weight;
    }
    return undefined;
  }

  /** Some of the items, in their order. */
  some<T>(items: readonly T[], percent: number): T[] {
    return items.filter(() => this.chance(percent));
  }
}
