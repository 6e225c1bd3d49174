/**
 * Tags: what exceptions and suspensions are told apart by.
 */
import { mapGet, NumberValue } from '../base/intrinsics.js';
import { VMTag } from '../generated/abi.js';
import type { Native } from '../link/native.js';
import type { Names } from './messages/names.js';
import { hold, type TagObject } from './objects.js';

/** One thread's tags. */
export class Tags {
  readonly #native: Native;
  readonly #names: Names;
  #last = 0;

  constructor(native: Native, names: Names) {
    this.#native = native;
    this.#names = names;
  }

  /** A new tag of a type id; `name` is for messages. */
  create(type: number, name: string): TagObject {
    const id = ++this.#last;
    this.#names.nameTag(id, name);
    return hold(this.#native, { address: this.#native.createTag(type, id), type });
  }

  /** The tag at an address. */
  at(address: number): TagObject {
    const known = this.#native.holder(address) as TagObject | undefined;
    return known ?? hold(this.#native, { address, type: NumberValue(this.#native.load(address + VMTag.type, 'u32')) });
  }

  /** A tag's name, for messages. */
  nameOf(address: number): string {
    return mapGet(this.#names.tags, NumberValue(this.#native.load(address + VMTag.id, 'u32'))) ?? 'a tag';
  }
}
