/**
 * Structure and array types of a module, as their operators and constant expressions need them.
 */
import { append, Dictionary, mapGet, mapSet } from '../../base/intrinsics.js';
import { VMObject } from '../../generated/abi.js';
import { structLayout } from '../../validate/object_layout.js';
import { isOfKind, KIND_STRUCT, NO_SUPER, typeOffset } from '../../validate/type_words.js';

/** Where a field lies, or the first element of an array. */
export interface FieldPlace {
  /** A value type, or a packed storage type (`object_layout.ts`). */
  readonly storage: number;
  /** Offset in the object. */
  readonly offset: number;
}

/** The types of one module. */
export class ObjectTypes {
  readonly #types: Uint32Array;
  readonly #known = new Dictionary<number, readonly FieldPlace[]>();

  constructor(types: Uint32Array) {
    this.#types = types;
  }

  /** The fields of a structure type, in order; of an array type its first element. */
  fields(typeIndex: number): readonly FieldPlace[] {
    const known = mapGet(this.#known, typeIndex);
    if (known !== undefined) return known;
    const types = this.#types;
    const at = typeOffset(types, typeIndex) + 2;
    const places: FieldPlace[] = [];
    const storage = (i: number): number => types[at + 1 + 2 * i] ?? 0;
    if (!isOfKind(types, typeIndex, KIND_STRUCT)) append(places, { storage: storage(0), offset: VMObject.$size });
    else
      structLayout(types, at, (offset) => {
        append(places, { storage: storage(places.length), offset });
      });
    mapSet(this.#known, typeIndex, places);
    return places;
  }

  /** Bytes of a structure, with its head. */
  bytes(typeIndex: number): number {
    return structLayout(this.#types, typeOffset(this.#types, typeIndex) + 2).bytes;
  }

  /** How many types are declared above one. */
  depth(typeIndex: number): number {
    let depth = 0;
    for (let index = typeIndex; ; depth++) {
      const above = this.#types[typeOffset(this.#types, index) + 1] ?? NO_SUPER;
      if (above === NO_SUPER) return depth;
      index = above;
    }
  }
}
