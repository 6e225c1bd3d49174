/**
 * What the imports do, for an engine's `WebAssembly`, and how its calls end in the words of the reference interpreter.
 */
import type { Expectation } from './compare.js';
import type { Features } from './generator.js';
import { numberText, type TrapKind, TYPE_ERROR, thrownText, trapText, valueText } from './outcomes.js';
import { isRef, type Program, tagSignature, type ValueType } from './program.js';

/** What of an engine's `WebAssembly` is used. */
export interface Namespace {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Exception: new (...args: never[]) => { is(tag: unknown): boolean; getArg(tag: unknown, index: number): unknown };
  readonly JSTag: unknown;
}

/** An engine with stack switching. */
export interface Engine {
  readonly name: string;
  readonly namespace: Namespace;
  /** The kind of a trap, undefined for other errors. */
  trapKind(error: unknown): TrapKind | undefined;
  /** A line of the reference interpreter's log as this engine says it: some tell fewer kinds of traps apart. */
  says(line: string): string;
  /** Whether the engine is known to run programs of these features that do what is expected. */
  runs(features: Features, expectation: Expectation): boolean;
}

/** A value of JavaScript that only its name tells from others. */
class Named {
  constructor(readonly name: string) {}
}

function nameOf(value: unknown): string {
  if (value instanceof Named) return value.name;
  return value instanceof TypeError ? TYPE_ERROR : `unexpected: ${String(value)}`;
}

/** Where in the module the programs' functions and tags begin. */
interface Part {
  readonly program: Program;
  readonly functions: number;
  readonly tags: number;
}

/** Runs programs in one instance of an engine. */
export class Session {
  readonly #engine: Engine;
  readonly #parts: Part[] = [];
  readonly #exports: Readonly<Record<string, unknown>>;
  readonly #values = new Map<number, Named>();
  #log: string[] = [];
  #part: Part | undefined;

  /** Compiles and instantiates the module of `encode(programs)`. */
  constructor(engine: Engine, programs: readonly Program[], bytes: Uint8Array) {
    this.#engine = engine;
    let functions = 0;
    let tags = 0;
    for (const program of programs) {
      this.#parts.push({ program, functions, tags });
      functions += program.functions.length;
      tags += program.tags.length;
    }
    const { Module, Instance } = engine.namespace;
    this.#exports = new Instance(new Module(bytes), { env: this.#imports(), heddle: {} }).exports;
  }

  /** The log of one of the programs. */
  run(index: number): string[] {
    const part = this.#parts[index];
    if (part === undefined) throw new RangeError(`there is no program ${index}`);
    this.#part = part;
    this.#log = [];
    for (const entry of part.program.entries) {
      try {
        this.#call(part.functions + entry);
      } catch (error) {
        this.#log.push(this.#end(error));
      }
    }
    return this.#log;
  }

  #call(func: number, ...args: unknown[]): unknown {
    return (this.#exports[`f${func}`] as (...args: unknown[]) => unknown)(...args);
  }

  #value(number: number): Named {
    const known = this.#values.get(number) ?? new Named(`value ${number}`);
    this.#values.set(number, known);
    return known;
  }

  #imports(): Record<string, unknown> {
    return {
      log: (...values: readonly unknown[]) => {
        this.#log.push(values.map(payloadText).join(' '));
      },
      make_ref: (number: number) => this.#value(number),
      throw_value: (number: number) => {
        throw this.#value(number);
      },
      call_export: (func: number, value: number) => this.#call(func, value),
      catch_export: (func: number, value: number) => {
        try {
          return this.#call(func, value);
        } catch (error) {
          this.#log.push(this.#end(error));
          return -1;
        }
      },
      take: () => {
        this.#log.push('a continuation reached JavaScript');
      },
      js_tag: this.#engine.namespace.JSTag,
    };
  }

  #end(error: unknown): string {
    const kind = this.#engine.trapKind(error);
    if (kind !== undefined) return trapText(kind);
    return error instanceof this.#engine.namespace.Exception ? this.#exception(error) : valueText(nameOf(error));
  }

  #exception(exception: InstanceType<Namespace['Exception']>): string {
    if (this.#part === undefined) return 'an exception of no program';
    const { program, tags } = this.#part;
    for (let tag = 1; tag <= program.tags.length; tag++) {
      const object = this.#exports[`t${tags + tag - 1}`];
      if (!exception.is(object)) continue;
      const { params } = tagSignature(program, tag);
      return thrownText(
        tag,
        params.map((type, i) => (readable(type) ? payloadText(exception.getArg(object, i)) : '?')),
      );
    }
    return 'an exception of an unknown tag';
  }
}

/** Whether JavaScript may read values of a type from an exception. */
const readable = (type: ValueType): boolean => type !== 'v128' && type !== 'exnref' && !isRef(type);

function payloadText(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'number' || typeof value === 'bigint' ? numberText(value) : nameOf(value);
}
