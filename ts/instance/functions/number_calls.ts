/**
 * Calls across the border whose values are few numbers: these lie in the mailbox, because each value that the addon takes or makes costs as much as the call.
 */
import { every, joinedLists, some } from '../../base/intrinsics.js';
import type { ValueType } from '../../validate/description.js';
import type { RegisteredType } from '../../validate/registry.js';
import { type ExportedFunction, withArguments } from './callable.js';
import type { Mailbox } from './mailbox.js';
import { coerce, needsConversion, toInteger } from './numbers.js';

const I32 = 0x7f;
const MOST_PARAMS = 4;

/** Whether calls of functions of a type can be made by {@link numberExport} and {@link numberImport}. */
export function isOfNumbers({ params, results }: RegisteredType): boolean {
  return params.length <= MOST_PARAMS && results.length <= 1 && !some(joinedLists(params, results), needsConversion);
}

/** Whether all values of a type are i32: most calls are such, and to ask for each value's type takes a fifth of what is left of a call. */
function isOfIntegers({ params, results }: RegisteredType): boolean {
  return every(joinedLists(params, results), (type) => type === I32);
}

/** {@link numberExport} where all values are i32. */
function integerExport(mailbox: Mailbox, enter: () => void, params: number, hasResult: boolean): ExportedFunction {
  const finish = (): number | undefined => {
    enter();
    return hasResult ? mailbox.integer(0) : undefined;
  };
  switch (params) {
    case 0:
      return () => finish();
    case 1:
      return (a) => {
        mailbox.putInteger(0, toInteger(a));
        return finish();
      };
    case 2:
      return (a, b) => {
        const first = toInteger(a);
        mailbox.putInteger(1, toInteger(b));
        mailbox.putInteger(0, first);
        return finish();
      };
    case 3:
      return (a, b, c) => {
        const first = toInteger(a);
        const second = toInteger(b);
        mailbox.putInteger(2, toInteger(c));
        mailbox.putInteger(1, second);
        mailbox.putInteger(0, first);
        return finish();
      };
    default:
      return (a, b, c, d) => {
        const first = toInteger(a);
        const second = toInteger(b);
        const third = toInteger(c);
        mailbox.putInteger(3, toInteger(d));
        mailbox.putInteger(2, third);
        mailbox.putInteger(1, second);
        mailbox.putInteger(0, first);
        return finish();
      };
  }
}

/** {@link numberImport} where all values are i32. */
function integerImport(mailbox: Mailbox, fn: ExportedFunction, params: number, hasResult: boolean): () => void {
  const give = (value: unknown): void => {
    if (hasResult) mailbox.putInteger(0, toInteger(value));
  };
  switch (params) {
    case 0:
      return () => give(fn());
    case 1:
      return () => give(fn(mailbox.integer(0)));
    case 2:
      return () => give(fn(mailbox.integer(0), mailbox.integer(1)));
    case 3:
      return () => give(fn(mailbox.integer(0), mailbox.integer(1), mailbox.integer(2)));
    default:
      return () => give(fn(mailbox.integer(0), mailbox.integer(1), mailbox.integer(2), mailbox.integer(3)));
  }
}

/**
 * A function that calls `enter`, which takes its arguments from the mailbox and leaves the result there. It has no [[Construct]], as the JS API asks of exports. All
 * arguments are converted before the first is put there: to convert one may run anything.
 */
export function numberExport(mailbox: Mailbox, enter: () => void, registered: RegisteredType): ExportedFunction {
  const { params, results } = registered;
  if (isOfIntegers(registered)) return integerExport(mailbox, enter, params.length, results.length > 0);
  const { 0: t0 = 0, 1: t1 = 0, 2: t2 = 0, 3: t3 = 0 } = params;
  const type = results[0];
  const go = (): unknown => {
    enter();
    return type === undefined ? undefined : mailbox.get(type, 0);
  };
  switch (params.length) {
    case 0:
      return go;
    case 1:
      return (a) => {
        mailbox.put(t0, 0, coerce(t0, a));
        return go();
      };
    case 2:
      return (a, b) => {
        const first = coerce(t0, a);
        mailbox.put(t1, 1, coerce(t1, b));
        mailbox.put(t0, 0, first);
        return go();
      };
    case 3:
      return (a, b, c) => {
        const first = coerce(t0, a);
        const second = coerce(t1, b);
        mailbox.put(t2, 2, coerce(t2, c));
        mailbox.put(t1, 1, second);
        mailbox.put(t0, 0, first);
        return go();
      };
    default:
      return (a, b, c, d) => {
        const first = coerce(t0, a);
        const second = coerce(t1, b);
        const third = coerce(t2, c);
        mailbox.put(t3, 3, coerce(t3, d));
        mailbox.put(t2, 2, third);
        mailbox.put(t1, 1, second);
        mailbox.put(t0, 0, first);
        return go();
      };
  }
}

/** A function for the addon to call without arguments: it gives `fn` those in the mailbox, and puts the result there. */
export function numberImport(mailbox: Mailbox, fn: ExportedFunction, registered: RegisteredType): () => void {
  const { params, results } = registered;
  if (isOfIntegers(registered)) return integerImport(mailbox, fn, params.length, results.length > 0);
  const type = results[0];
  const give = (value: unknown): void => {
    if (type !== undefined) mailbox.put(type, 0, coerce(type, value));
  };
  const call = withArguments(fn, (place) => mailbox.get(params[place] as ValueType, place), params.length);
  return () => give(call());
}
