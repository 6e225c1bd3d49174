/**
 * What Web IDL says of interfaces and JavaScript's classes do not do by themselves.
 */

/** Makes the members of a class enumerable, and its `length` the number of arguments that must be given. */
export function asInterface(type: abstract new (...args: never[]) => object, length: number): void {
  Object.defineProperty(type, 'length', { value: length, configurable: true });
  const prototype = type.prototype as object;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name !== 'constructor') Object.defineProperty(prototype, name, { enumerable: true });
  }
}
