/**
 * Exceptions between WebAssembly and JavaScript. A JavaScript value that an import throws is, to WebAssembly, an exception of the tag JSTag; it comes out as
 * the very same value. Any other exception is one object of the API's class Exception for as long as JavaScript holds it.
 */
import { NumberValue } from '../base/intrinsics.js';
import { isTrap } from '../errors/catalog.js';
import { LIMIT, VMException } from '../generated/abi.js';
import type { Native } from '../link/native.js';
import type { TypeRegistry } from '../validate/registry.js';
import type { HostValues } from './functions/host_values.js';
import type { TagObject } from './objects.js';
import type { Tags } from './tags.js';
import { isUncatchable } from './uncatchable.js';

/** externref, nullable. */
const EXTERNREF = 0xc000_006f;

/** What a cancellation that has run all handlers is thrown as. Nothing but the schedule sees it. */
export const CANCELLED = Object.freeze({ cancelled: true });

/** What an exception's object keeps. */
export interface ExceptionObject {
  /** Its VMException. */
  readonly address: number;
  readonly tag: TagObject;
}

let wrap: (object: ExceptionObject) => object = (object) => object;
let unwrap: (value: unknown) => ExceptionObject | undefined = () => undefined;

/** Tells this layer the class of exceptions. */
export function setExceptionClass(make: typeof wrap, take: typeof unwrap): void {
  wrap = make;
  unwrap = take;
}

/** The exception that an object of that class stands for; undefined for other values. */
export function exceptionOf(value: unknown): ExceptionObject | undefined {
  return unwrap(value);
}

/** Address of a slot. */
export function exceptionSlot(exception: number, index: number): number {
  return exception + VMException.$size + LIMIT.slotSize * index;
}

/** One thread's exceptions that JavaScript knows. */
export class ExceptionObjects {
  readonly #native: Native;
  readonly #tags: Tags;
  readonly #values: HostValues;
  /** The tag of values that JavaScript threw. */
  readonly jsTag: TagObject;
  /** The tag of cancellations: no module can name it, so that only catch_all sees them. */
  readonly cancellationTag: TagObject;
  #kept: unknown;

  /** The tags are made now: where they are needed there may be no type left, and no time to collect. */
  constructor(native: Native, types: TypeRegistry, tags: Tags, values: HostValues) {
    this.#native = native;
    this.#tags = tags;
    this.#values = values;
    this.jsTag = tags.create(types.functionType([EXTERNREF], []), 'a JavaScript value');
    this.cancellationTag = tags.create(types.functionType([], []), 'a cancellation');
  }

  /** A new exception for an object that keeps it. */
  create(tag: TagObject, slots: number): ExceptionObject {
    return { address: this.#native.createException(tag.address, slots, LIMIT.heldByObject), tag };
  }

  /** From now on the object is what the exception is to JavaScript. */
  keep({ address }: ExceptionObject, object: object): void {
    this.#native.hold(address, object);
  }

  /** Hook: what an exception that leaves WebAssembly is to JavaScript. */
  thrown(address: number): unknown {
    const native = this.#native;
    const tag = NumberValue(native.load(address + VMException.tag, 'u64'));
    if (tag === this.jsTag.address) return this.#values.value(NumberValue(native.load(exceptionSlot(address, 0), 'u64')));
    if (tag === this.cancellationTag.address) return CANCELLED;
    const known = native.holder(address);
    if (known !== undefined) return known;
    const held = NumberValue(native.load(address + VMException.held, 'u32'));
    native.store(address + VMException.held, 'u32', held | LIMIT.heldByObject);
    const made = { address, tag: this.#tags.at(tag) };
    const object = wrap(made);
    this.keep(made, object);
    return object;
  }

  /** Hook: keeps a value that JavaScript threw, or what an exception is, until {@link throwKept}; false where WebAssembly must not catch it. */
  keepThrown(thrown: unknown, isException: boolean): boolean {
    if (!isException && (isTrap(thrown) || isUncatchable(thrown))) return false;
    this.#kept = isException ? this.thrown(NumberValue(thrown)) : thrown;
    return true;
  }

  /** Hook: throws it. */
  throwKept(): void {
    const value = this.#kept;
    this.#kept = undefined;
    throw value;
  }

  /** Hook: the exception that a value thrown by JavaScript is, 0 where WebAssembly must not catch it. */
  caught(value: unknown): number {
    if (isTrap(value) || isUncatchable(value)) return 0;
    const known = unwrap(value);
    if (known !== undefined) return known.address;
    const native = this.#native;
    const address = native.createException(this.jsTag.address, 1, 0);
    native.store(exceptionSlot(address, 0), 'u64', this.#values.word(value));
    return address;
  }
}
