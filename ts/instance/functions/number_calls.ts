/**
 * Calls across the border whose values are few numbers: these lie in the mailbox, because each value that the addon takes or makes costs as much as the call.
 */
import { joinedLists, some } from '../../base/intrinsics.js';
import type { ValueType } from '../../validate/description.js';
import type { RegisteredType } from '../../validate/registry.js';
import { type ExportedFunction, withArguments } from './callable.js';
import type { Mailbox } from './mailbox.js';
import { coerce, needsConversion } from './numbers.js';

const MOST_PARAMS = 4;

/** Whether calls of functions of a type can be made by {@link numberExport} and {@link numberImport}. */
export function isOfNumbers({ params, results }: RegisteredType): boolean {
  return params.length <= MOST_PARAMS && results.length <= 1 && !some(joinedLists(params, results), needsConversion);
}

/**
 * A function that calls `enter`, which takes its arguments from the mailbox and leaves the result there. It has no [[Construct]], as the JS API asks of exports. All
 * arguments are converted before the first is put there: to convert one may run anything.
 */
export function numberExport(mailbox: Mailbox, enter: () => void, { params, results }: RegisteredType): ExportedFunction {
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
export function numberImport(mailbox: Mailbox, fn: ExportedFunction, { params, results }: RegisteredType): () => void {
  const type = results[0];
  const give = (value: unknown): void => {
    if (type !== undefined) mailbox.put(type, 0, coerce(type, value));
  };
  const call = withArguments(fn, (place) => mailbox.get(params[place] as ValueType, place), params.length);
  return () => give(call());
}
