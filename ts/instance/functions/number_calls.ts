/**
 * Calls across the border whose values are few: these lie in the mailbox, because each value that the addon takes or makes costs as much as the call.
 */
import { every, item, joinedLists, some } from '../../base/intrinsics.js';
import type { ValueType } from '../../validate/description.js';
import type { RegisteredType } from '../../validate/registry.js';
import type { ExportedFunction } from './callable.js';
import type { Conversions } from './conversions.js';
import type { Mailbox } from './mailbox.js';
import { coerce, needsConversion, toInteger } from './numbers.js';

const I32 = 0x7f;
const MOST_PARAMS = 4;

/** Whether a type has few enough values. */
function isSmall({ params, results }: RegisteredType): boolean {
  return params.length <= MOST_PARAMS && results.length <= 1;
}

/** Whether calls of functions of a type can be made by {@link numberExport} and {@link numberImport}. */
export function isOfNumbers(type: RegisteredType): boolean {
  return isSmall(type) && !some(joinedLists(type.params, type.results), needsConversion);
}

/** Whether calls of functions of a type can be made by {@link referenceExports} and {@link referenceImport}. */
export function isOfReferences(type: RegisteredType, convert: Conversions): boolean {
  return isSmall(type) && convert.crosses(type);
}

/** Whether all values of a type are i32: most calls are such, and to ask for each value's type takes a fifth of what is left of a call. */
function isOfIntegers({ params, results }: RegisteredType): boolean {
  return every(joinedLists(params, results), (type) => type === I32);
}

/** Makes the function of JavaScript for a VMFunction, with a name. It keeps the keeper, if there is one. */
export type ExportMaker = (name: string, address: number, keeper: object | undefined) => ExportedFunction;

/** What {@link numberExports} asks for an export's way in. */
type EnterMaker = (address: number, keeper: object | undefined) => () => void;

/** {@link numberExports} where all values are i32. */
function integerExports(mailbox: Mailbox, create: EnterMaker, params: number, hasResult: boolean): ExportMaker {
  const result = (): number | undefined => (hasResult ? mailbox.integer(0) : undefined);
  switch (params) {
    case 0:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: () => {
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 1:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown) => {
            mailbox.putInteger(0, toInteger(a));
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 2:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown) => {
            const first = toInteger(a);
            mailbox.putInteger(1, toInteger(b));
            mailbox.putInteger(0, first);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 3:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown, c: unknown) => {
            const first = toInteger(a);
            const second = toInteger(b);
            mailbox.putInteger(2, toInteger(c));
            mailbox.putInteger(1, second);
            mailbox.putInteger(0, first);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    default:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown, c: unknown, d: unknown) => {
            const first = toInteger(a);
            const second = toInteger(b);
            const third = toInteger(c);
            mailbox.putInteger(3, toInteger(d));
            mailbox.putInteger(2, third);
            mailbox.putInteger(1, second);
            mailbox.putInteger(0, first);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
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
 * How functions of a type are made. Each calls what `create` gives, when it is first called itself: that takes its arguments from the mailbox and leaves the result
 * there, or is left for an import, which is served then. It has no [[Construct]], as the JS API asks of exports, and the type's `length`. All arguments are converted before the first is put there: to convert one may
 * run anything. A module has thousands of exports, most of which nobody calls: each is one closure, made with its name, which costs less than to define it.
 */
export function numberExports(mailbox: Mailbox, create: EnterMaker, registered: RegisteredType): ExportMaker {
  const { params, results } = registered;
  if (isOfIntegers(registered)) return integerExports(mailbox, create, params.length, results.length > 0);
  const { 0: t0 = 0, 1: t1 = 0, 2: t2 = 0, 3: t3 = 0 } = params;
  const type = results[0];
  const result = (): unknown => (type === undefined ? undefined : mailbox.get(type, 0));
  switch (params.length) {
    case 0:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: () => {
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 1:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown) => {
            mailbox.put(t0, 0, coerce(t0, a));
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 2:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown) => {
            const first = coerce(t0, a);
            mailbox.put(t1, 1, coerce(t1, b));
            mailbox.put(t0, 0, first);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 3:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown, c: unknown) => {
            const first = coerce(t0, a);
            const second = coerce(t1, b);
            mailbox.put(t2, 2, coerce(t2, c));
            mailbox.put(t1, 1, second);
            mailbox.put(t0, 0, first);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    default:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown, c: unknown, d: unknown) => {
            const first = coerce(t0, a);
            const second = coerce(t1, b);
            const third = coerce(t2, c);
            mailbox.put(t3, 3, coerce(t3, d));
            mailbox.put(t2, 2, third);
            mailbox.put(t1, 1, second);
            mailbox.put(t0, 0, first);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
  }
}

/**
 * {@link numberExports} where references are among the values. A handle lies in the mailbox before any JavaScript runs that is not Heddle's: the addon takes it from
 * there, or gives it there, at once.
 */
export function referenceExports(
  mailbox: Mailbox,
  convert: Conversions,
  create: EnterMaker,
  { params, results }: RegisteredType,
): ExportMaker {
  const { 0: t0 = 0 } = params;
  const type = results[0];
  const putOne = (value: unknown): void => mailbox.put(t0, 0, convert.toWasm(t0, value));
  const put = (values: readonly unknown[]): void => {
    const raw = convert.toWasmAll(params, values);
    for (let i = 0; i < params.length; i++) mailbox.put(item(params, i), i, item(raw, i));
  };
  const result = (): unknown => (type === undefined ? undefined : convert.fromMailbox(type, 0));
  switch (params.length) {
    case 0:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: () => {
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 1:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown) => {
            putOne(a);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 2:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown) => {
            put([a, b]);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    case 3:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown, c: unknown) => {
            put([a, b, c]);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
    default:
      return (name, address, keeper) => {
        let enter: (() => void) | undefined;
        const made = {
          [name]: (a: unknown, b: unknown, c: unknown, d: unknown) => {
            put([a, b, c, d]);
            enter ??= create(address, keeper);
            enter();
            if (mailbox.outside !== 0) mailbox.serve();
            return result();
          },
        };
        return made[name] as ExportedFunction;
      };
  }
}

/**
 * A function that calls `fn` with so many arguments, which `argument` gives by their place, and gives `give` what it returns. `fn` is called as no method. It is one
 * frame, because JavaScript and WebAssembly that call each other nest on the host stack.
 */
function withFew(fn: ExportedFunction, argument: (place: number) => unknown, count: number, give: (value: unknown) => void): () => void {
  switch (count) {
    case 0:
      return () => give(fn());
    case 1:
      return () => give(fn(argument(0)));
    case 2:
      return () => give(fn(argument(0), argument(1)));
    case 3:
      return () => give(fn(argument(0), argument(1), argument(2)));
    default:
      return () => give(fn(argument(0), argument(1), argument(2), argument(3)));
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
  return withFew(fn, (place) => mailbox.get(params[place] as ValueType, place), params.length, give);
}

/** The same where references are among the values. A handle that is made of the result is in the mailbox, and taken from there, before any JavaScript runs again. */
export function referenceImport(mailbox: Mailbox, convert: Conversions, fn: ExportedFunction, type: RegisteredType): () => void {
  const { params, results } = type;
  const result = results[0];
  const argument = (place: number): unknown => {
    const param = params[place] as ValueType;
    return needsConversion(param) ? convert.fromMailbox(param, place) : mailbox.get(param, place);
  };
  const give = (value: unknown): void => {
    if (result !== undefined) mailbox.put(result, 0, convert.toWasm(result, value));
  };
  return withFew(fn, argument, params.length, give);
}
