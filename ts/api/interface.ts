/**
 * What Web IDL says of interfaces and JavaScript's classes do not do by themselves.
 */
import { defineConstant, setEnumerable } from '../base/intrinsics.js';

/** Makes the members of a class enumerable, and its `length` the number of arguments that must be given. When Heddle is loaded. */
export function asInterface(type: abstract new (...args: never[]) => object, length: number): void {
  defineConstant(type, 'length', length);
  // asks: a class of Heddle's, when it is made
  const prototype = type.prototype as object;
  // asks: nobody has run yet
  for (const name of Object.getOwnPropertyNames(prototype)) if (name !== 'constructor') setEnumerable(prototype, name, true);
}
