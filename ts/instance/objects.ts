/**
 * The objects that instances share and JavaScript can hold, below the API's classes: what they are natively and of which type.
 */
import type { Native } from '../link/native.js';
import type { ValueType } from '../validate/description.js';

/** A table; its VMTable's address and canonical type. */
export interface TableObject {
  readonly address: number;
  /** Canonical value type of its elements. */
  readonly type: ValueType;
  /** As declared, for imports: a number, or null without bound. */
  readonly maximum: number | null;
  readonly table64: boolean;
}

/** A global: the address of its 16-byte cell. */
export interface GlobalObject {
  readonly address: number;
  readonly type: ValueType;
  readonly mutable: boolean;
}

/** A tag: the address of its VMTag. */
export interface TagObject {
  readonly address: number;
  /** Canonical type id. */
  readonly type: number;
}

/** Lets a JavaScript object keep what its address refers to, for as long as V8 keeps the object. */
export function hold<T extends { readonly address: number }>(native: Native, object: T): T {
  native.hold(object.address, object);
  return object;
}
