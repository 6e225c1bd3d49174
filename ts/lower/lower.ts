/**
 * Operator streams to CLIF programs.
 */

import { Frame } from './function/frame.js';
import { FunctionLowering, type Handler, type Handlers } from './function/function.js';
import { InlinedLocations } from './function/locations.js';
import { Scopes } from './function/scopes.js';
import { usesSlots } from './function/size.js';
import { withoutUnusedLocals } from './function/used_locals.js';
import type { LoweringContext } from './module/context.js';
import { ASYNCIFY_CALLS, beginTop } from './operators/asyncify.js';
import { ATOMICS } from './operators/atomics.js';
import { CALLS } from './operators/calls.js';
import { CASTS } from './operators/casts.js';
import { CONTINUATIONS } from './operators/continuations.js';
import { CONTROL } from './operators/control.js';
import { EXCEPTIONS } from './operators/exceptions.js';
import { LEGACY_EXCEPTIONS } from './operators/legacy_exceptions.js';
import { MEMORIES, prepareMemory } from './operators/memory.js';
import { NUMERIC } from './operators/numeric.js';
import { OBJECTS } from './operators/objects.js';
import { REFERENCES } from './operators/references.js';
import { TABLES } from './operators/tables.js';
import { declareLocals, VARIABLES } from './operators/variables.js';
import { VECTORS } from './operators/vector.js';
import { checkProgram } from './program/check.js';
import { Program } from './program/program.js';
import { OPERATOR_COUNT, operatorEnd, operatorIndex } from './program/stream.js';
import { UnsupportedOperator } from './program/unsupported.js';

export { UnsupportedOperator };

const HANDLERS: readonly (Handler | undefined)[] = (() => {
  const table = Array<Handler | undefined>(OPERATOR_COUNT).fill(undefined);
  for (const group of [
    CONTROL,
    CALLS,
    VARIABLES,
    NUMERIC,
    VECTORS,
    MEMORIES,
    ATOMICS,
    TABLES,
    REFERENCES,
    CASTS,
    OBJECTS,
    EXCEPTIONS,
    LEGACY_EXCEPTIONS,
    CONTINUATIONS,
  ]) {
    for (const [opcode, handler] of group) {
      const index = operatorIndex(opcode);
      if (table[index] !== undefined) throw new Error(`operator 0x${opcode.toString(16)} has two handlers`);
      table[index] = handler;
    }
  }
  return table;
})();

/** The same in functions that have a role to asyncify. */
const ROLE_HANDLERS = { top: replaced(ASYNCIFY_CALLS.top), bottom: replaced(ASYNCIFY_CALLS.bottom) } as const;

function replaced(others: Handlers): readonly (Handler | undefined)[] {
  const table = [...HANDLERS];
  for (const [opcode, handler] of others) table[operatorIndex(opcode)] = handler;
  return table;
}

/** Whether the lowering knows an operator. */
export function isSupported(opcode: number): boolean {
  return HANDLERS[operatorIndex(opcode)] !== undefined;
}

/** What a program's code names by number. */
export interface Tables {
  /** The locations of inlined operators in it: rows as in `locations.ts`. */
  readonly inlined: Int32Array;
  /** What catches the exceptions of its calls: see `scopes.ts`. */
  readonly scopes: Int32Array;
}

/** Functions as the code generator takes them: one or several. */
export interface LoweredFunctions extends Tables {
  /** Their CLIF program. */
  readonly program: Int32Array;
}

/** Lowers functions of one module into one program until it is taken, so that the code generator is asked for many at a time. */
export class ModuleLowering {
  readonly #context: LoweringContext;
  readonly #program = new Program();
  #locations = new InlinedLocations();
  #scopes = new Scopes();

  constructor(context: LoweringContext) {
    this.#context = context;
  }

  /** Words of the program so far. */
  get length(): number {
    return this.#program.length;
  }

  /**
   * Adds a function.
   * @param definedIndex the function's index among the defined ones
   * @param ops its operator stream (`ModuleInfo.ops`)
   */
  add(definedIndex: number, ops: Uint32Array): void {
    const context = this.#context;
    const program = this.#program;
    const index = context.spaces.importedFunctions + definedIndex;
    const arity = context.arities.function(index);
    const stream = withoutUnusedLocals(ops, arity.params);
    const slots = context.options.debugSlots || usesSlots(stream, arity, context.arities);
    const f = new FunctionLowering(context, program, index, stream, { slots, locations: this.#locations, scopes: this.#scopes });
    const { shape } = f;
    program.begin(index, shape.signature, (shape.indirect ? 2 : 1) + shape.params.length);
    const first = shape.indirect ? 2 : 1;
    const role = context.asyncify?.role(index) ?? 'plain';
    const end = role === 'top' ? beginTop(f) : undefined;
    declareLocals(
      f,
      shape.params,
      shape.params.map((_, i) => first + i),
    );
    f.enter(new Frame('function', 0, shape.results, shape.results));
    prepareMemory(f);
    lowerOperators(f, role === 'plain' ? HANDLERS : ROLE_HANDLERS[role]);
    end?.();
    program.end();
  }

  /** What was added since the last time. */
  take(): LoweredFunctions {
    const program = this.#program.take();
    const lowered = { program, inlined: this.#locations.table(), scopes: this.#scopes.table() };
    this.#locations = new InlinedLocations();
    this.#scopes = new Scopes();
    if (this.#context.options.debug) checkProgram(program, this.#context.signatures);
    return lowered;
  }

  /** Forgets what was added since the last time, the beginning of a function as well. */
  drop(): void {
    this.#program.take();
    this.#locations = new InlinedLocations();
    this.#scopes = new Scopes();
  }
}

function lowerOperators(f: FunctionLowering, handlers: readonly (Handler | undefined)[]): void {
  // Inlined bodies are read in between; the function's own stream is current again where it ends.
  while (f.at < f.ops.length) {
    const opcode = f.immediate();
    f.offset = f.immediate();
    const handler = handlers[operatorIndex(opcode)];
    if (handler === undefined) throw new UnsupportedOperator(opcode, f.offset);
    handler(f);
  }
}

/** The first operator of a stream that the lowering does not know: its opcode word and its byte offset in the module. */
export function unsupportedOperator(ops: Uint32Array): UnsupportedOperator | undefined {
  for (let at = 1 + 2 * (ops[0] as number); at < ops.length; at = operatorEnd(ops, at)) {
    const opcode = ops[at] as number;
    if (HANDLERS[operatorIndex(opcode)] === undefined) return new UnsupportedOperator(opcode, ops[at + 1] as number);
  }
  return undefined;
}

const OF_SOME_TYPES: ReadonlySet<number> = new Set(CASTS.map(([opcode]) => opcode));

/** Whether a stream has an operator that the lowering does not know, or knows for some types only: to lower it says more. */
export function mayBeRefused(ops: Uint32Array): boolean {
  for (let at = 1 + 2 * (ops[0] as number); at < ops.length; at = operatorEnd(ops, at)) {
    const opcode = ops[at] as number;
    if (HANDLERS[operatorIndex(opcode)] === undefined || OF_SOME_TYPES.has(opcode)) return true;
  }
  return false;
}

/** Lowers one function: see {@link ModuleLowering.add}. */
export function lowerFunction(context: LoweringContext, definedIndex: number, ops: Uint32Array): LoweredFunctions {
  const lowering = new ModuleLowering(context);
  lowering.add(definedIndex, ops);
  return lowering.take();
}
