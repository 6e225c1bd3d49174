/**
 * The reference interpreter: an explicit machine whose state is what the specification's is. Stacks are lists of frames, frames are lists of entered blocks,
 * and each step executes one instruction. Written to be compared with the proposal's text, not to be fast.
 */
import { CONTINUATION_OPERATIONS } from './continuations.js';
import { type Activation, type ContinuationState, Fiber, type Frame } from './fibers.js';
import { callImport, HostThrow, logValues } from './host.js';
import { NUMERIC } from './numeric.js';
import { Trap, type TrapKind, Uncaught } from './outcomes.js';
import type { Operation } from './payloads.js';
import {
  type Catch,
  type Code,
  fieldsOf,
  type Hole,
  IMPORTS,
  type Instruction,
  JS_TAG,
  type Labelled,
  type Program,
  type Signature,
  signatureOf,
  tagSignature,
  type ValueType,
} from './program.js';
import { Exception, FunctionReference, initialValue, Structure, type Value } from './values.js';

/** Calls from JavaScript that may lie in each other. */
const DEEPEST_ENTRY = 200;

/** Thrown where a program runs for longer than it may. */
export class TooLong extends Error {}

/** What watches a run, and may write the program while it runs. */
export interface Watcher {
  /** A function is entered. */
  entered?(func: number): void;
  /** What to put before a hole that execution reached; undefined closes the hole for good. */
  grow?(hole: Hole, machine: Machine): Code | undefined;
  /** A call from JavaScript ends by a trap. */
  trapped?(kind: TrapKind): void;
  /** An operation is about to be executed on a continuation in a state, with a payload of these types. */
  observe?(operation: Operation, state: ContinuationState, payload: readonly ValueType[]): void;
}

/** A program and what it has changed so far. */
export class Machine {
  readonly globals: Value[] = [];
  readonly tables: (Value | undefined)[][] = [];
  readonly log: string[] = [];
  /** The innermost fiber that runs. */
  running: Fiber | undefined;
  /** For each call from JavaScript under way the fiber that called JavaScript before, innermost last. */
  readonly #waiting: (Fiber | undefined)[] = [];
  #steps: number;

  constructor(
    readonly program: Program,
    readonly watcher: Watcher = {},
    limit = 400_000,
  ) {
    this.#steps = limit;
  }

  /** Calls a function as JavaScript does. Throws Trap, Uncaught, TooLong. */
  invoke(func: number, values: readonly Value[] = []): Value[] {
    // A version of what called JavaScript calls it again, and so on: the host stack ends before the steps do.
    if (this.#waiting.length >= DEEPEST_ENTRY) throw new TooLong();
    const outer = this.running;
    this.#waiting.push(outer);
    const base = new Fiber(func);
    base.state = 'active';
    this.running = base;
    this.enter(base, func, values);
    const results: Value[] = [];
    try {
      while (base.state === 'active') this.#step(results);
      return results;
    } catch (error) {
      if (error instanceof Trap) this.watcher.trapped?.(error.kind);
      const state = error instanceof Uncaught ? 'thrown out of' : 'trapped';
      for (let fiber: Fiber | undefined = this.running; fiber !== undefined; fiber = fiber.parent) fiber.state = state;
      throw error;
    } finally {
      this.#waiting.pop();
      this.running = outer;
    }
  }

  signature(type: number): Signature {
    return signatureOf(this.program, type);
  }

  functionSignature(func: number): Signature {
    return this.signature(this.program.functions[func]?.type ?? -1);
  }

  tagSignature(tag: number): Signature {
    return tagSignature(this.program, tag);
  }

  /** The fiber that executes the current instruction. */
  get fiber(): Fiber {
    if (this.running === undefined) throw new Error('nothing runs');
    return this.running;
  }

  /** The fibers that wait for JavaScript to come back. */
  outer(): Fiber[] {
    const fibers: Fiber[] = [];
    for (const waiting of this.#waiting) {
      for (let fiber = waiting; fiber !== undefined; fiber = fiber.parent) fibers.push(fiber);
    }
    return fibers;
  }

  push(...values: readonly Value[]): void {
    this.fiber.top.operands.push(...values);
  }

  pop(): Value {
    const value = this.fiber.top.operands.pop();
    if (value === undefined) throw new Error('an operand is missing');
    return value;
  }

  popMany(count: number): Value[] {
    const { operands } = this.fiber.top;
    return operands.splice(operands.length - count, count);
  }

  /** A new frame on a fiber, for a call. */
  enter(fiber: Fiber, func: number, values: readonly Value[]): void {
    const definition = this.program.functions[func];
    if (definition === undefined) throw new Error(`there is no function ${func}`);
    this.watcher.entered?.(func);
    const frame: Frame = { func, locals: [...values], operands: [], activations: [] };
    fiber.frames.push(frame);
    frame.activations.push({
      code: definition.body,
      next: 0,
      block: undefined,
      arity: this.functionSignature(func).results.length,
      height: 0,
    });
  }

  /** Goes on at a label of the current frame, with the values on its operand stack. */
  branch(label: number): void {
    const { activations, operands } = this.fiber.top;
    for (;;) {
      const activation = activations.pop();
      if (activation === undefined) throw new Error(`there is no label ${label}`);
      const { block } = activation;
      if (block?.label !== label) continue;
      operands.splice(activation.height, operands.length - activation.height - activation.arity);
      if (block.op === 'loop') this.#open(block.body, block, 0);
      return;
    }
  }

  /** Throws an exception from the current instruction: to the innermost try_table that catches it, on whichever fiber that is. */
  throw(exception: Exception): void {
    for (;;) {
      const fiber = this.fiber;
      const frame = fiber.frames[fiber.frames.length - 1];
      if (frame === undefined) {
        if (fiber.parent === undefined) throw new Uncaught(exception);
        fiber.state = 'thrown out of';
        this.running = fiber.parent;
        continue;
      }
      if (this.#catchIn(frame, exception)) return;
      fiber.frames.pop();
    }
  }

  #catchIn(frame: Frame, exception: Exception): boolean {
    while (frame.activations.length > 0) {
      const activation = frame.activations.pop() as Activation;
      const { block } = activation;
      if (block?.op !== 'try_table') continue;
      const clause = block.catches.find((c) => !('tag' in c) || c.tag === exception.tag);
      if (clause === undefined) continue;
      frame.operands.length = activation.height;
      frame.operands.push(...caught(clause, exception));
      this.branch(clause.label);
      return true;
    }
    return false;
  }

  /** Leaves the current frame with its results on the operand stack. */
  #return(results: Value[]): void {
    const fiber = this.fiber;
    const { func } = fiber.top;
    const values = this.popMany(this.functionSignature(func).results.length);
    fiber.frames.pop();
    if (fiber.frames.length > 0) return this.push(...values);
    fiber.state = 'returned';
    if (fiber.parent === undefined) {
      results.push(...values);
      return;
    }
    this.running = fiber.parent;
    this.push(...values);
  }

  #open(code: Code, block: Labelled | undefined, arity: number): void {
    const { activations, operands } = this.fiber.top;
    activations.push({ code, next: 0, block, arity, height: operands.length });
  }

  #step(results: Value[]): void {
    if (this.#steps-- <= 0) throw new TooLong();
    const { activations } = this.fiber.top;
    const activation = activations[activations.length - 1];
    if (activation === undefined) return this.#return(results);
    const instruction = activation.code[activation.next];
    if (instruction === undefined) {
      activations.pop();
      return;
    }
    if (instruction.op === 'hole') return this.#hole(instruction, activation);
    activation.next++;
    if (instruction.op === 'return') {
      activations.length = 0;
      return;
    }
    this.#execute(instruction);
  }

  #hole(hole: Hole, activation: Activation): void {
    const grown = this.watcher.grow?.(hole, this);
    if (grown === undefined) activation.next++;
    else activation.code.splice(activation.next, 0, ...grown);
  }

  #execute(instruction: Instruction): void {
    switch (instruction.op) {
      case 'const':
        return this.push(instruction.value);
      case 'numeric': {
        const [count, compute] = NUMERIC[instruction.name];
        return this.push(compute(this.popMany(count)));
      }
      case 'drop':
        this.pop();
        return;
      case 'drop_cont':
        return CONTINUATION_OPERATIONS.drop_cont(this, instruction);
      case 'call_clone':
        return CONTINUATION_OPERATIONS.call_clone(this, instruction);
      case 'unreachable':
        throw new Trap('unreachable');
      case 'local.get':
        return this.push(this.#local(instruction.index));
      case 'local.set':
        this.fiber.top.locals[instruction.index] = this.pop();
        return;
      case 'local.tee': {
        const value = this.pop();
        this.fiber.top.locals[instruction.index] = value;
        return this.push(value);
      }
      case 'global.get':
        return this.push(this.#global(instruction.index));
      case 'global.set':
        this.globals[instruction.index] = this.pop();
        return;
      case 'table.get':
        return this.push(this.#table(instruction.index, this.pop() as number));
      case 'table.set': {
        const value = this.pop();
        const at = this.pop() as number;
        this.#table(instruction.index, at);
        const table = this.tables[instruction.index] ?? [];
        table[at] = value;
        this.tables[instruction.index] = table;
        return;
      }
      case 'ref.null':
        return this.push(null);
      case 'ref.func':
        return this.push(new FunctionReference(instruction.func));
      case 'function.number':
        return this.push(instruction.func);
      case 'ref.is_null':
        return this.push(Number(this.pop() === null));
      case 'ref.as_non_null': {
        const value = this.pop();
        if (value === null) throw new Trap('null reference');
        return this.push(value);
      }
      case 'struct.new':
        return this.push(new Structure(this.popMany(fieldsOf(this.program, instruction.type).length)));
      case 'struct.get':
        return this.push(this.#structure().fields[instruction.field] ?? null);
      case 'struct.set': {
        const value = this.pop();
        this.#structure().fields[instruction.field] = value;
        return;
      }
      case 'block':
      case 'try_table':
        return this.#open(instruction.body, instruction, instruction.results.length);
      case 'loop':
        return this.#open(instruction.body, instruction, 0);
      case 'statement':
        return this.#open(instruction.body, undefined, 0);
      case 'if':
        return this.#open(this.pop() === 0 ? instruction.no : instruction.yes, instruction, 0);
      case 'br':
        return this.branch(instruction.label);
      case 'br_if':
        if (this.pop() !== 0) this.branch(instruction.label);
        return;
      case 'call':
        return this.#call(instruction.func);
      case 'return_call':
        return this.#tailCall(instruction.func);
      case 'call_ref':
        return this.#call(this.#referenced());
      case 'return_call_ref':
        return this.#tailCall(this.#referenced());
      case 'call_indirect':
        return this.#call(this.#indirect(instruction.type));
      case 'return_call_indirect':
        return this.#tailCall(this.#indirect(instruction.type));
      case 'call_import': {
        const values = this.popMany(IMPORTS[instruction.name].params.length);
        return this.#host(() => callImport(this, instruction.name, values));
      }
      case 'call_log':
        return logValues(this, this.popMany(this.program.logs[instruction.log]?.length ?? 0));
      case 'throw':
        return this.throw(new Exception(instruction.tag, this.popMany(this.tagSignature(instruction.tag).params.length)));
      case 'throw_ref': {
        const exception = this.pop() as Exception | null;
        if (exception === null) throw new Trap('null exception');
        return this.throw(exception);
      }
      case 'call_take':
        return this.#host(() => CONTINUATION_OPERATIONS.call_take(this, instruction));
      case 'cont.new':
        return CONTINUATION_OPERATIONS['cont.new'](this);
      case 'cont.bind':
        return CONTINUATION_OPERATIONS['cont.bind'](this, instruction);
      case 'resume':
        return CONTINUATION_OPERATIONS.resume(this, instruction);
      case 'resume_throw':
        return CONTINUATION_OPERATIONS.resume_throw(this, instruction);
      case 'resume_throw_ref':
        return CONTINUATION_OPERATIONS.resume_throw_ref(this, instruction);
      case 'suspend':
        return CONTINUATION_OPERATIONS.suspend(this, instruction);
      case 'switch':
        return CONTINUATION_OPERATIONS.switch(this, instruction);
      default:
        throw new Error(`not an instruction: ${instruction.op}`);
    }
  }

  #local(index: number): Value {
    const frame = this.fiber.top;
    const value = frame.locals[index];
    if (value !== undefined) return value;
    const definition = this.program.functions[frame.func];
    const type = definition?.locals[index - this.functionSignature(frame.func).params.length];
    return initialValue(type ?? 'i32');
  }

  #global(index: number): Value {
    const value = this.globals[index];
    if (value !== undefined) return value;
    const definition = this.program.globals[index];
    return definition?.type === 'i32' ? definition.value : null;
  }

  /** An element of a table of continuations. */
  #table(index: number, at: number): Value {
    if (at < 0 || at >= (this.program.tables[index]?.size ?? 0)) throw new Trap('table bounds');
    return this.tables[index]?.[at] ?? null;
  }

  #structure(): Structure {
    const structure = this.pop() as Structure | null;
    if (structure === null) throw new Trap('null structure');
    return structure;
  }

  #call(func: number): void {
    this.enter(this.fiber, func, this.popMany(this.functionSignature(func).params.length));
  }

  #tailCall(func: number): void {
    const values = this.popMany(this.functionSignature(func).params.length);
    this.fiber.frames.pop();
    this.enter(this.fiber, func, values);
  }

  #referenced(): number {
    const reference = this.pop() as FunctionReference | null;
    if (reference === null) throw new Trap('null function');
    return reference.func;
  }

  /** Element of the table of functions, which has function i at i. */
  #indirect(type: number): number {
    const at = this.pop() as number;
    const definition = this.program.functions[at];
    if (definition === undefined) throw new Trap('undefined element');
    if (definition.type !== type) throw new Trap('indirect call type');
    return at;
  }

  /** Runs a function of JavaScript; what it throws is an exception here, but traps are not. */
  #host(call: () => Value[]): void {
    try {
      this.push(...call());
    } catch (error) {
      if (error instanceof Uncaught) this.throw(error.exception);
      else if (error instanceof HostThrow) this.throw(new Exception(JS_TAG, [error.value]));
      else throw error;
    }
  }
}

/** What a clause's label gets. */
function caught(clause: Catch, exception: Exception): Value[] {
  switch (clause.kind) {
    case 'catch':
      return [...exception.values];
    case 'catch_ref':
      return [...exception.values, exception];
    case 'catch_all':
      return [];
    case 'catch_all_ref':
      return [exception];
  }
}
