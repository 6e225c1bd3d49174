/**
 * What Web IDL says of interfaces and JavaScript's classes do not do by themselves.
 */
import { contains, defineConstant, setEnumerable } from '../base/intrinsics.js';

/** What a class cannot say of itself. */
interface Interface {
  /** Its name, which a bundler may have changed. */
  readonly name: string;
  /** How many arguments its constructor must be given. */
  readonly length: number;
  /** The same of methods that take more. */
  readonly lengths?: Readonly<Record<string, number>>;
  /** Static members that users see. */
  readonly statics?: readonly string[];
  /** Members of Heddle's own: not enumerable. */
  readonly hidden?: readonly string[];
}

/** Gives a class and its members the names, lengths and attributes that Web IDL wants. When Heddle is loaded. */
export function asInterface(
  type: abstract new (...args: never[]) => object,
  { name, length, lengths = {}, statics = [], hidden = [] }: Interface,
): void {
  defineConstant(type, 'length', length);
  defineConstant(type, 'name', name);
  // asks: nobody has run yet
  for (const member of statics) setEnumerable(type, member, true);
  // asks: a class of Heddle's, when it is made
  const prototype = type.prototype as Readonly<Record<string, unknown>>;
  // asks: nobody has run yet
  for (const member of Object.getOwnPropertyNames(prototype)) {
    if (member !== 'constructor' && !contains(hidden, member)) setEnumerable(prototype, member, true);
  }
  // asks: nobody has run yet
  for (const [member, count] of Object.entries(lengths)) defineConstant(prototype[member] as object, 'length', count);
  // asks: nobody has run yet
  defineConstant(prototype, Symbol.toStringTag, `WebAssembly.${name}`);
}
