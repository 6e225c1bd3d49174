/**
 * A growing array of bytes with the number formats of WebAssembly's binary format.
 */
export class Bytes {
  #data = new Uint8Array(1024);
  length = 0;

  #room(more: number): void {
    if (this.length + more <= this.#data.length) return;
    const data = new Uint8Array(Math.max(this.#data.length * 2, this.length + more));
    data.set(this.#data.subarray(0, this.length));
    this.#data = data;
  }

  byte(...values: readonly number[]): this {
    this.#room(values.length);
    for (const value of values) this.#data[this.length++] = value;
    return this;
  }

  /** Unsigned LEB128 of up to 32 bits. */
  u32(value: number): this {
    let left = value;
    while (left > 0x7f) {
      this.byte((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    return this.byte(left);
  }

  /** Signed LEB128. */
  signed(value: bigint | number): this {
    let left = BigInt(value);
    for (;;) {
      const low = Number(left & 0x7fn);
      left >>= 7n;
      const last = (left === 0n && (low & 0x40) === 0) || (left === -1n && (low & 0x40) !== 0);
      this.byte(last ? low : low | 0x80);
      if (last) return this;
    }
  }

  f32(value: number): this {
    return this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  f64(value: number): this {
    return this.raw(new Uint8Array(Float64Array.of(value).buffer));
  }

  v128(value: bigint): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt.asUintN(64, value), value >> 64n).buffer));
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#data.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** Bytes with their length in front. */
  sized(bytes: Bytes): this {
    return this.u32(bytes.length).raw(bytes.take());
  }

  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).raw(bytes);
  }

  take(): Uint8Array {
    return this.#data.subarray(0, this.length);
  }
}
