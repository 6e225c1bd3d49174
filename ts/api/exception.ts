/**
 * Exception of the JS API, and the tag of JavaScript's own.
 */
import { type InspectOptions, inspect } from 'node:util';
import { inspected } from '../base/inspection.js';
import { BooleanValue, captureStackTrace, define, each, INFINITE, listOf, mapped } from '../base/intrinsics.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { cellOf, cellValue, loadCell, storeCell } from '../instance/cells.js';
import { theEngine } from '../instance/engine.js';
import { type ExceptionObject, exceptionSlot, setExceptionClass } from '../instance/exceptions.js';
import type { TagObject } from '../instance/objects.js';
import type { ValueType } from '../validate/description.js';
import { asInterface } from './interface.js';
import { type Tag, tagOf, wrapTag } from './objects.js';
import { descriptorOf, limit } from './value_types.js';

/** Passed instead of a tag by this module itself, to wrap what already exists. */
class Existing {
  constructor(readonly object: ExceptionObject) {}
}

function tagObject(tag: unknown): TagObject {
  const object = tagOf(tag);
  if (object === undefined) throw wrongArgument('a Tag is needed');
  return object;
}

function paramsOf(tag: TagObject): readonly ValueType[] {
  return theEngine().types.type(tag.type).params;
}

function make(tag: unknown, payload: unknown): ExceptionObject {
  const object = tagObject(tag);
  const engine = theEngine();
  if (object.address === engine.exceptions.jsTag.address) throw wrongArgument('JSTag is for what JavaScript throws itself');
  const params = paramsOf(object);
  if (engine.types.type(object.type).results.length > 0) throw wrongArgument('a tag with results is for suspensions, not for exceptions');
  const values = listOf(payload);
  if (values.length !== params.length) throw wrongArgument(`the tag has ${params.length} parameters, not ${values.length}`);
  const raw = engine.convert.toWasmAll(params, values);
  const cells = mapped(params, (type, i) => cellOf(type, raw[i] ?? 0));
  const made = engine.exceptions.create(object, params.length);
  each(cells, (cell, i) => storeCell(engine.native, exceptionSlot(made.address, i), cell));
  return made;
}

/** What an exception may be made with. */
export interface ExceptionOptions {
  /** Whether it notes where it is made. */
  readonly traceStack?: boolean;
}

/** Whether a stack trace is asked for. Web IDL: null has no options, a function is an object. */
function wantsTrace(options: unknown): boolean {
  if (options === undefined || options === null) return false;
  return BooleanValue((descriptorOf(options) as ExceptionOptions).traceStack);
}

/** The native exception of an Exception, undefined for other values. */
let exceptionOf: (value: unknown) => ExceptionObject | undefined;

/** A WebAssembly exception; no Error, as the JS API has it. The same one is the same object, however often it crosses. */
export class Exception {
  readonly #object: ExceptionObject;
  readonly #trace: { readonly stack?: string } | undefined;

  /** Throws a TypeError where the payload does not fit the tag. */
  constructor(tag: Tag, payload: Iterable<unknown>, options?: ExceptionOptions) {
    const given: unknown = tag;
    if (given instanceof Existing) {
      this.#object = given.object;
      return;
    }
    this.#object = make(tag, payload);
    if (wantsTrace(options)) {
      this.#trace = {};
      captureStackTrace(this.#trace, new.target);
    }
    theEngine().exceptions.keep(this.#object, this);
  }

  /** Where it was made, with `traceStack`; else undefined. */
  get stack(): string | undefined {
    return this.#trace?.stack;
  }

  /** What it is, for who reports that nobody caught it. Glue may put its own message in its place. */
  get message(): string {
    return `uncaught exception: ${theEngine().tags.nameOf(this.#object.tag.address)}`;
  }

  /** Puts another in its place. */
  set message(value: string) {
    define(this, 'message', value, true);
  }

  /** What Node shows of it. @internal */
  [inspected](_depth: number, options: InspectOptions): unknown {
    if (!(#object in this)) return this;
    const { tag, address } = this.#object;
    const params = paramsOf(tag);
    const engine = theEngine();
    const payload = engine.convert.crosses({ params, results: [] })
      ? mapped(params, (type, i) => engine.convert.fromWasm(type, cellValue(type, loadCell(engine.native, exceptionSlot(address, i)))))
      : undefined;
    // In one line, as an error's first.
    // asks: Node, for what Node shows
    const fields = inspect({ code: this.code, ...(payload && { payload }) }, { ...options, breakLength: INFINITE });
    const made = this.stack === undefined ? '' : `\n${this.stack}`;
    return `WebAssembly.Exception: ${this.message} ${fields}${made}`;
  }

  static {
    exceptionOf = (value) => (typeof value === 'object' && value !== null && #object in value ? value.#object : undefined);
  }

  /** Stable, as every error's of Heddle. */
  get code(): string {
    return 'HEDDLE_EXCEPTION';
  }

  /** Its tag. */
  get tag(): Tag {
    return wrapTag(this.#object.tag);
  }

  /** Whether it is of this tag. */
  is(tag: Tag): boolean {
    return tagObject(tag).address === this.#object.tag.address;
  }

  /** A value of its payload. Throws a TypeError for another tag's, a RangeError beyond the last. */
  getArg(tag: Tag, index: number): unknown {
    if (!this.is(tag)) throw wrongArgument('the exception is of another tag');
    const params = paramsOf(this.#object.tag);
    const at = limit(index, 'index');
    const type = params[at];
    if (type === undefined) throw outOfRange(`value ${at} of ${params.length}`);
    const engine = theEngine();
    const cell = loadCell(engine.native, exceptionSlot(this.#object.address, at));
    return engine.convert.fromWasm(type, cellValue(type, cell));
  }
}

asInterface(Exception, { name: 'Exception', length: 2, hidden: ['code', 'message', 'tag'] });
setExceptionClass((object) => new Exception(new Existing(object) as unknown as Tag, []), exceptionOf);

/** The tag of what JavaScript throws: WebAssembly catches it with a tag import of this. */
export function jsTag(): Tag {
  return wrapTag(theEngine().exceptions.jsTag);
}
