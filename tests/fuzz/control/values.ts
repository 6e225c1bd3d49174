/**
 * What the reference interpreter computes with. Integers are signed; a v128 is its 128 bits as an unsigned integer; a reference is an object, null is null.
 */
import type { Fiber } from './fibers.js';
import { isRef, type ValueType } from './program.js';

export class FunctionReference {
  constructor(readonly func: number) {}
}

/** An exception: every exnref to it is this object. */
export class Exception {
  constructor(
    readonly tag: number,
    readonly values: readonly Value[],
  ) {}
}

/** A value of JavaScript; `name` tells it from others. */
export class HostValue {
  constructor(readonly name: string) {}
}

/**
 * A continuation as the specification has it: whoever binds, resumes or switches to it consumes it. The fibers from `outermost` to `leaf` wait for each
 * other and continue as one.
 */
export class Continuation {
  consumed = false;

  constructor(
    readonly outermost: Fiber,
    readonly leaf: Fiber,
    /** Values given by cont.bind. */
    readonly bound: readonly Value[],
  ) {}
}

/** A structure: every reference to it is this object. */
export class Structure {
  constructor(readonly fields: Value[]) {}
}

export type Reference = FunctionReference | Exception | HostValue | Continuation | Structure;
export type Value = number | bigint | Reference | null;

/** What a local or global of a type begins with. */
export function initialValue(type: ValueType): Value {
  if (isRef(type) || type === 'externref' || type === 'exnref') return null;
  return type === 'i64' || type === 'v128' ? 0n : 0;
}
