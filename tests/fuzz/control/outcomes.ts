/**
 * How a call from JavaScript can end, as the reference interpreter and every engine say it.
 */
import type { Exception } from './values.js';

/** Kinds of traps: the specification's messages, shortened. */
export type TrapKind =
  | 'unreachable'
  | 'division by zero'
  | 'integer overflow'
  | 'null reference'
  | 'null function'
  | 'null continuation'
  | 'null exception'
  | 'null structure'
  | 'continuation consumed'
  | 'another version is active'
  | 'unhandled tag'
  | 'barrier'
  | 'table bounds'
  | 'undefined element'
  | 'indirect call type';

/** Ends the whole call from JavaScript; nothing in WebAssembly sees it. */
export class Trap extends Error {
  constructor(readonly kind: TrapKind) {
    super(kind);
  }
}

/** An exception that leaves WebAssembly. */
export class Uncaught extends Error {
  constructor(readonly exception: Exception) {
    super(`exception of tag ${exception.tag}`);
  }
}

/** A number as the log has it: every number its own text. */
export const numberText = (value: number | bigint): string => (Object.is(value, -0) ? '-0' : String(value));

export const trapText = (kind: TrapKind): string => `trap: ${kind}`;
export const thrownText = (tag: number, values: readonly string[]): string => `exception of tag ${tag}: ${values.join(' ')}`;
export const valueText = (name: string): string => `value of JavaScript: ${name}`;

/** The name of a TypeError that the JS API throws, whose message is the engine's own affair. */
export const TYPE_ERROR = 'TypeError';
