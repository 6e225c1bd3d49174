/**
 * Makes the parts of a program: types (each once), tags, functions, and places where continuations are kept.
 */
import {
  type Code,
  type FunctionDefinition,
  type Instruction,
  isRef,
  type LogType,
  type Program,
  type RefType,
  type Signature,
  signatureOf,
  tagSignature,
  typeKey,
  type ValueType,
} from './program.js';

/** Where a reference is kept. */
export type Place =
  | { readonly kind: 'global'; readonly index: number; readonly type: ValueType }
  | { readonly kind: 'local'; readonly index: number; readonly type: ValueType; readonly func: number }
  | { readonly kind: 'table'; readonly index: number; readonly at: number; readonly type: RefType };

export const nullable = (to: number): RefType => ({ to, nullable: true });

const signatureKey = ({ params, results }: Signature): string => `${params.map(typeKey).join(' ')}>${results.map(typeKey).join(' ')}`;

/** A function under construction. */
export class FunctionBuilder {
  readonly #temporaries = new Map<string, number>();

  constructor(
    readonly number: number,
    /** A function calls and starts only functions of higher levels, so that every program ends. */
    readonly level: number,
    readonly signature: Signature,
    readonly definition: FunctionDefinition,
  ) {}

  /** A new local. */
  local(type: ValueType): number {
    return this.signature.params.length + this.definition.locals.push(type) - 1;
  }

  /** A local that any statement may use for a moment, in which nothing is called. */
  temporary(type: ValueType): number {
    const key = typeKey(type);
    const index = this.#temporaries.get(key) ?? this.local(type);
    this.#temporaries.set(key, index);
    return index;
  }
}

export class ProgramBuilder {
  readonly program: Program = {
    types: [],
    groups: [],
    tags: [],
    globals: [],
    tables: [],
    functions: [],
    logs: [],
    takes: [],
    clones: [],
    entries: [],
  };
  readonly functions: FunctionBuilder[] = [];
  readonly places: Place[] = [];
  readonly #interned = new Map<string, number>();
  #labels = 0;

  label(): number {
    return this.#labels++;
  }

  signature(type: number): Signature {
    return signatureOf(this.program, type);
  }

  tagSignature(tag: number): Signature {
    return tagSignature(this.program, tag);
  }

  /** The function type of a signature. */
  func(signature: Signature): number {
    return this.#intern(`func ${signatureKey(signature)}`, () => this.#define({ kind: 'func', ...signature }));
  }

  /** The continuation type of a signature. */
  cont(signature: Signature): number {
    const func = this.func(signature);
    return this.#intern(`cont ${func}`, () => this.#define({ kind: 'cont', func }));
  }

  /** The continuation type that takes `params` and, last, a continuation of this very type: what tasks are that switch to each other. */
  recursive(params: readonly ValueType[], results: readonly ValueType[]): number {
    return this.#intern(`recursive ${signatureKey({ params, results })}`, () => {
      const func = this.program.types.length;
      const self = func + 1;
      const signature = { params: [...params, nullable(self)], results };
      this.program.types.push({ kind: 'func', ...signature }, { kind: 'cont', func });
      this.program.groups.push(2);
      this.#interned.set(`func ${signatureKey(signature)}`, func);
      this.#interned.set(`cont ${func}`, self);
      return self;
    });
  }

  /** A type of structures that hold a number, a value of JavaScript, another of them, and a continuation. */
  structure(cont: number): number {
    return this.#intern(`struct ${cont}`, () =>
      this.#define({ kind: 'struct', fields: ['i32', 'externref', nullable(this.program.types.length), nullable(cont)] }),
    );
  }

  isStructure(type: ValueType): type is RefType {
    return isRef(type) && this.program.types[type.to]?.kind === 'struct';
  }

  /** The function type that a continuation type is of. */
  funcOf(cont: number): number {
    const definition = this.program.types[cont];
    if (definition?.kind !== 'cont') throw new RangeError(`type ${cont} is not a continuation type`);
    return definition.func;
  }

  isCont(type: ValueType): type is RefType {
    return isRef(type) && this.program.types[type.to]?.kind === 'cont';
  }

  tag(signature: Signature): number {
    return this.program.tags.push({ type: this.func(signature) });
  }

  global(type: ValueType, value: number | bigint = 0): number {
    return this.program.globals.push({ type, value }) - 1;
  }

  function(signature: Signature, level: number): FunctionBuilder {
    const body: Code = [];
    const definition: FunctionDefinition = { type: this.func(signature), locals: [], body, exported: false };
    const builder = new FunctionBuilder(this.program.functions.push(definition) - 1, level, signature, definition);
    this.functions.push(builder);
    return builder;
  }

  /** A call of the import that logs values of these types. */
  log(types: readonly LogType[]): Instruction {
    const key = types.join();
    const known = this.program.logs.findIndex((entry) => entry.join() === key);
    return { op: 'call_log', log: known >= 0 ? known : this.program.logs.push(types) - 1 };
  }

  /** The import that takes a continuation of this type. */
  take(cont: number): void {
    if (!this.program.takes.includes(cont)) this.program.takes.push(cont);
  }

  /** The import that clones a continuation of this type. */
  clone(cont: number): void {
    if (!this.program.clones.includes(cont)) this.program.clones.push(cont);
  }

  /** A new place for references of a type that can be null, in a global, a table or a local of `fn`. */
  place(kind: Place['kind'], type: ValueType, fn: FunctionBuilder): Place {
    const place = this.#makePlace(kind, type, fn);
    this.places.push(place);
    return place;
  }

  #makePlace(kind: Place['kind'], type: ValueType, fn: FunctionBuilder): Place {
    if (kind === 'local') return { kind, index: fn.local(type), type, func: fn.number };
    if (kind === 'global' || !isRef(type)) return { kind: 'global', index: this.global(type), type };
    const size = 3;
    const index = this.program.tables.push({ type, size }) - 1;
    for (let at = 1; at < size; at++) this.places.push({ kind, index, at, type });
    return { kind, index, at: 0, type };
  }

  #define(definition: Program['types'][number]): number {
    this.program.groups.push(1);
    return this.program.types.push(definition) - 1;
  }

  #intern(key: string, make: () => number): number {
    const known = this.#interned.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#interned.set(key, made);
    return made;
  }
}
