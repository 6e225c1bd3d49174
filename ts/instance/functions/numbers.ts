/**
 * Values between JavaScript and WebAssembly where they are numbers.
 */
import { asIntN, fround } from '../../base/intrinsics.js';
import { wrongArgument } from '../../errors/catalog.js';
import type { ValueType } from '../../validate/description.js';
import { isReference } from '../../validate/registry.js';

/** Whether values of a type are more than numbers to the addon. */
export function needsConversion(type: ValueType): boolean {
  return isReference(type) || type === 0x7b;
}

/** ToWebAssemblyValue for numbers, as the JS API has it. */
export function coerce(kind: number, value: unknown): number | bigint {
  switch (kind) {
    case 0x7f:
      return numeric(value) | 0;
    case 0x7e:
      return asIntN(64, value as bigint);
    case 0x7d:
      return fround(numeric(value));
    case 0x7c:
      return numeric(value);
    default:
      throw wrongArgument(`a value of type byte ${kind} cannot come from JavaScript`);
  }
}

/** {@link coerce} to an i32. */
export function toInteger(value: unknown): number {
  return numeric(value) | 0;
}

/** ToNumber: throws a TypeError for bigints and symbols. */
function numeric(value: unknown): number {
  return +(value as number);
}
