/**
 * The one check of numbers that callers give, before native code or a timer sees them.
 */
import { outOfRange, wrongArgument } from './catalog.js';

/** The longest time that a timer of Node's can have, in milliseconds: about 24 days. Anything longer fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** A number that is not NaN, else a TypeError that names it. */
export function numberOf(value: unknown, name: string): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw wrongArgument(`${name} must be a number`);
  return value;
}

/** A number that is not below 0 either. */
export function amountOf(value: unknown, name: string): number {
  const number = numberOf(value, name);
  if (number < 0) throw wrongArgument(`${name} must be a number that is not negative`);
  return number;
}

/** A number above 0: a RangeError where it is another number. */
export function positiveOf(value: unknown, name: string): number {
  const number = numberOf(value, name);
  if (number <= 0) throw outOfRange(`${name} must be above 0`);
  return number;
}
