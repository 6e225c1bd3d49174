/**
 * The state of one function's lowering: the operand stack, the control frames, the locals, and what several construct groups emit. What an
 * operator becomes stands in the files of the groups.
 */
import { VMThread } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { LoweringContext } from '../module/context.js';
import { type Block, type CatchItem, NONE, type Program, payload, type Value } from '../program/program.js';
import { clifType, type FunctionShape } from '../program/types.js';
import { Frame } from './frame.js';
import { hostCall, type Libcall } from './libcalls.js';
import { InlinedLocations } from './locations.js';
import { dispatchBlock, Scopes } from './scopes.js';

/** The context is the entry block's first param. */
const CONTEXT: Value = 0;
const SLOT_ALIGNMENT_LOG2 = 4;
const SLOT = 16;
/** Where a local lies in the frame. */
interface LocalSlot {
  /** Number of the stack slot. */
  readonly slot: number;
  /** In bytes. */
  readonly offset: number;
}

const NO_ITEMS: readonly CatchItem[] = [];
/** Keys of the value cache: offsets in the context as they are, offsets in the thread from here. */
const THREAD_KEY = 2 ** 32;

/** A callee whose body stands in the place of a call. */
export interface InlinedBody {
  /** Its index in the module. */
  readonly index: number;
  /** Location of the call. */
  readonly call: number;
  /** 1 for a call in the function itself, 2 for one in a body that was inlined there, and so on. */
  readonly depth: number;
  /** The body that the call stands in. */
  readonly outer: InlinedBody | undefined;
  /** Where lowering goes on behind it. */
  readonly caller: { readonly ops: Uint32Array; readonly at: number; readonly firstLocal: number };
}

/** What differs from one function to another. */
export interface FunctionOptions {
  /** Of a function that is not of the module's index space. */
  readonly shape?: FunctionShape;
  /** Locals lie in the frame (`size.ts`). */
  readonly slots?: boolean;
  /** Tables that functions of one program share. */
  readonly scopes?: Scopes;
  readonly locations?: InlinedLocations;
}

/** One function while it is lowered. */
export class FunctionLowering {
  /** What the function type is to Cranelift. */
  readonly shape: FunctionShape;
  /** Where results go that do not fit registers, -1 where they do. */
  readonly resultPointer: Value;
  /** Where the next immediate is read. */
  at = 0;
  /** The current operator's byte offset in the module. */
  offset = -1;
  /** The current block has ended. */
  dead = false;
  /** What catches exceptions: the scopes of its tries. */
  readonly scopes: Scopes;
  /** Emits what is to be done before each return, where that is something. */
  beforeReturn: (() => void) | undefined;
  /** Control frames, innermost last. */
  readonly frames: Frame[] = [];
  /** The callee whose body is lowered in this function now, if any. */
  inlined: InlinedBody | undefined;
  /** Words of the operator streams that were inlined so far. */
  inlinedWords = 0;
  /** The locations of inlined operators. */
  readonly locations: InlinedLocations;

  /** Operands; a comparison's result that is still an I8 is ~value. */
  readonly #stack: number[] = [];
  /** The number of local 0: those of inlined bodies follow. */
  #firstLocal = 0;
  /** The value last read or written of each local's variable, and the epoch in which it holds. */
  readonly #localValues: Value[] = [];
  readonly #localEpochs: number[] = [];
  readonly #localTypes: number[] = [];
  /** Where locals lie in the frame, where they are no variables: stack slot and offset of each. */
  readonly #localSlots: LocalSlot[] | undefined;
  /** Grows where paths meet: the locals' values from before are no longer known. */
  #epoch = 1;
  /** Values that hold throughout a frame once they are made in it. */
  readonly #shared = new Map<number, Value>();
  /** The values that are results of additions and the like, in order, where a stack pointer is checked. */
  readonly #computed: Value[] = [];
  #location = -1;
  #area = { slot: -1, slots: 0 };
  #vectorSlot = -1;

  constructor(
    readonly context: LoweringContext,
    readonly program: Program,
    /** The function's index in the module. */
    readonly index: number,
    /** The operator stream: the function's, or that of a callee while its body is inlined. */
    public ops: Uint32Array,
    { shape, slots = false, scopes = new Scopes(), locations = new InlinedLocations() }: FunctionOptions,
  ) {
    this.#localSlots = slots ? [] : undefined;
    this.scopes = scopes;
    this.locations = locations;
    this.shape = shape ?? context.signatures.shape(context.spaces.functions[index] as number);
    this.resultPointer = this.shape.indirect ? 1 : -1;
  }

  /** The instance. */
  get instance(): Value {
    return CONTEXT;
  }

  // Immediates.

  /** The next immediate. */
  immediate(): number {
    return this.ops[this.at++] as number;
  }

  /** The next two immediates as one number, low half first; not exact above 2^53. */
  wideImmediate(): number {
    const low = this.immediate();
    return low + this.immediate() * 2 ** 32;
  }

  /** Gives what follows the operator's place in the module, or another; to be called before what may trap and before calls. */
  locate(offset = this.offset): void {
    const location = this.#locationOf(offset);
    if (this.#location === location) return;
    this.#location = location;
    this.program.location(location);
  }

  #locationOf(offset: number): number {
    return this.inlined === undefined ? offset : this.locations.number(this.inlined.index, offset, this.inlined.call);
  }

  /** Goes on with the operators of a function that is called here, which get locals of their own. */
  beginInlined(index: number, ops: Uint32Array): void {
    const { inlined: outer } = this;
    const call = this.#locationOf(this.offset);
    const depth = (outer?.depth ?? 0) + 1;
    this.inlined = { index, call, depth, outer, caller: { ops: this.ops, at: this.at, firstLocal: this.#firstLocal } };
    this.inlinedWords += ops.length;
    this.ops = ops;
    this.at = 0;
    this.#firstLocal = this.#localTypes.length;
  }

  /** Goes on behind the call. */
  endInlined(): void {
    if (this.inlined === undefined) throw new Error(`function ${this.index} ends a body that it did not inline`);
    const { caller, outer } = this.inlined;
    this.inlined = outer;
    this.ops = caller.ops;
    this.at = caller.at;
    this.#firstLocal = caller.firstLocal;
  }

  // Operands.

  /** Number of operands. */
  get height(): number {
    return this.#stack.length;
  }

  /** Pushes an operand. */
  push(value: Value): void {
    this.#stack.push(value);
  }

  /** Pushes a comparison's I8; it is widened where an i32 is wanted. */
  pushCondition(value: Value): void {
    this.#stack.push(~value);
  }

  /** Pushes a row of values with ascending numbers: results, block params. */
  pushRow(first: Value, count: number): void {
    for (let i = 0; i < count; i++) this.#stack.push(first + i);
  }

  /** Pushes values. */
  pushAll(values: readonly Value[]): void {
    for (const value of values) this.#stack.push(value);
  }

  #wide(entry: number): Value {
    return entry < 0 ? this.program.unary(OPCODE.uextend, TYPE.I32, ~entry) : entry;
  }

  /** Pops an operand. */
  pop(): Value {
    return this.#wide(this.#stack.pop() as number);
  }

  /** Pops an i32 that only matters as zero or not: an I8 or an I32. */
  popCondition(): Value {
    const entry = this.#stack.pop() as number;
    return entry < 0 ? ~entry : entry;
  }

  /** Whether the topmost operand is an I8. */
  get topIsCondition(): boolean {
    return (this.#stack[this.#stack.length - 1] as number) < 0;
  }

  /** The topmost `count` operands, deepest first; they stay. */
  peek(count: number): readonly Value[] {
    if (count === 0) return NONE;
    const stack = this.#stack;
    const values: Value[] = [];
    for (let i = stack.length - count; i < stack.length; i++) {
      const value = this.#wide(stack[i] as number);
      stack[i] = value;
      values.push(value);
    }
    return values;
  }

  /** Pops the topmost `count` operands, deepest first. */
  popMany(count: number): readonly Value[] {
    const values = this.peek(count);
    this.#stack.length -= count;
    return values;
  }

  /** Drops operands until `height` are left. */
  dropTo(height: number): void {
    this.#stack.length = height;
  }

  // Locals.

  /** Declares the next locals, with their first values. */
  declareLocals(types: readonly number[], values: readonly Value[]): void {
    if (this.#localSlots === undefined) types.forEach((type, i) => this.#declareVariable(type, values[i] as Value));
    else this.#declareSlots(this.#localSlots, types, values);
  }

  #declareVariable(type: number, value: Value): void {
    this.program.defineVariable(this.program.variable(type), value);
    this.#localTypes.push(type);
    this.#localValues.push(value);
    this.#localEpochs.push(this.#epoch);
  }

  /** One stack slot has them all: the address of each is that of the slot, and an offset. */
  #declareSlots(slots: LocalSlot[], types: readonly number[], values: readonly Value[]): void {
    if (types.length === 0) return;
    let size = 0;
    const offsets = types.map((type) => {
      const width = type === TYPE.I8X16 ? SLOT : SLOT / 2;
      const offset = Math.ceil(size / width) * width;
      size = offset + width;
      return offset;
    });
    const slot = this.program.stackSlot(size, SLOT_ALIGNMENT_LOG2);
    const first = this.#localTypes.length;
    types.forEach((type, i) => {
      this.#localTypes.push(type);
      slots.push({ slot, offset: offsets[i] as number });
      this.#storeLocal(slots, first + i, values[i] as Value);
    });
  }

  #storeLocal(slots: readonly LocalSlot[], number: number, value: Value): void {
    const { slot, offset } = slots[number] as LocalSlot;
    this.program.store(MEMORY.trusted, value, this.program.stackAddress(slot), offset);
  }

  /** The local's value. */
  local(index: number): Value {
    const number = this.#firstLocal + index;
    if (this.#localSlots !== undefined) {
      const { slot, offset } = this.#localSlots[number] as LocalSlot;
      return this.program.load(this.#localTypes[number] as number, MEMORY.trusted, this.program.stackAddress(slot), offset);
    }
    if (this.#localEpochs[number] === this.#epoch) return this.#localValues[number] as Value;
    return this.#know(number, this.program.useVariable(number));
  }

  /** Sets a local. */
  setLocal(index: number, value: Value): void {
    const number = this.#firstLocal + index;
    if (this.#localSlots !== undefined) {
      this.#storeLocal(this.#localSlots, number, value);
      return;
    }
    this.program.defineVariable(number, value);
    this.#know(number, value);
  }

  #know(variable: number, value: Value): Value {
    this.#localValues[variable] = value;
    this.#localEpochs[variable] = this.#epoch;
    return value;
  }

  // Blocks and frames.

  /** Goes on in a block that only the current block branches to, now: what was known still holds. Returns the first of its params. */
  follow(block: Block, params = 0): Value {
    this.program.seal(block);
    return this.program.switchTo(block, params);
  }

  /** Goes on in a block where paths meet. Its params become operands. */
  meet(block: Block, types: readonly number[]): void {
    this.#epoch++;
    this.pushRow(this.program.switchTo(block, types.length), types.length);
    this.dead = false;
  }

  /** The frame that a branch depth names. */
  frame(depth: number): Frame {
    const frame = this.frames[this.frames.length - 1 - depth];
    if (frame === undefined) throw new Error(`no frame at depth ${depth} in function ${this.index}`);
    return frame;
  }

  /** The block that a branch to the frame goes to. */
  label(frame: Frame): Block {
    if (frame.label < 0) frame.label = this.program.block(frame.results);
    return frame.label;
  }

  /** Opens a frame. */
  enter(frame: Frame): void {
    frame.scope = this.frames.at(-1)?.scope;
    this.frames.push(frame);
  }

  /** What was made in the frame no longer holds: it ends, or its other arm begins. */
  forget(frame: Frame): void {
    for (const key of frame.shared) this.#shared.delete(key);
    frame.shared.length = 0;
  }

  /** Runs what emits code on one path only; values that it makes are not reused after it. */
  aside<T>(emit: () => T): T {
    const frame = new Frame('aside', this.height, NONE, NONE);
    this.enter(frame);
    const result = emit();
    this.frames.pop();
    this.forget(frame);
    return result;
  }

  /** Where the condition holds, `slow` makes the values on a cold path, else they are `fast`. Returns the first of them. */
  unlikely(condition: Value, types: readonly number[], fast: readonly Value[], slow: () => readonly Value[]): Value {
    const { program } = this;
    const cold = program.block(NONE, true);
    const next = program.block(types);
    program.brif(condition, cold, NONE, next, fast);
    this.follow(cold);
    program.jump(next, this.aside(slow));
    return this.follow(next, types.length);
  }

  /** Where the condition holds, `raise` makes a call that does not return. */
  never(condition: Value, raise: () => void, trap: number): void {
    const { program } = this;
    const cold = program.block(NONE, true);
    const next = program.block(NONE);
    program.brif(condition, cold, NONE, next, NONE);
    this.follow(cold);
    this.aside(raise);
    program.trap(trap);
    this.follow(next);
  }

  /** The exception edge of what calls here: none, or one to the innermost scope. */
  catchItems(): readonly CatchItem[] {
    const scope = this.frames.at(-1)?.scope;
    if (scope === undefined) return NO_ITEMS;
    const target = { block: dispatchBlock(this.program, scope), args: [payload(0)] };
    return [
      { kind: 'context', value: this.instance },
      { kind: 'tag', tag: scope.row, target },
    ];
  }

  // Values that several groups need.

  /** Makes a value once in each frame that needs it; it must be the same wherever it is made. */
  #once(key: number, make: () => Value): Value {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.#shared.set(key, value);
    (this.frames[this.frames.length - 1] as Frame).shared.push(key);
    return value;
  }

  /** A pointer in the context that never changes. */
  pointer(offset: number): Value {
    return this.#once(offset, () => this.program.load(TYPE.I64, MEMORY.constant, CONTEXT, offset));
  }

  /** The thread. */
  thread(): Value {
    return this.pointer(0);
  }

  /** A pointer in the thread that never changes. */
  threadPointer(offset: number): Value {
    return this.#once(THREAD_KEY + offset, () => this.program.load(TYPE.I64, MEMORY.constant, this.thread(), offset));
  }

  /** Notes that a value was just computed by an addition or the like. */
  noteComputed(value: Value): void {
    this.#computed.push(value);
  }

  /** Whether a value is one of {@link noteComputed}. */
  isComputed(value: Value): boolean {
    let [low, high] = [0, this.#computed.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#computed[middle] as Value) < value) low = middle + 1;
      else high = middle;
    }
    return this.#computed[low] === value;
  }

  /** An i32 as an unsigned I64. */
  zeroExtend(value: Value): Value {
    return this.program.unary(OPCODE.uextend, TYPE.I64, value);
  }

  /** Pops an index, length or address: an i32 that is widened, or an i64. */
  popIndex(wide: boolean): Value {
    const value = this.pop();
    return wide ? value : this.zeroExtend(value);
  }

  /** Traps where the comparison holds. */
  trapWhere(condition: number, a: Value, b: Value, trap: number): void {
    this.program.trapnz(trap, this.program.icmp(condition, a, b));
  }

  /** Whether a value is all zeros: an I8. */
  isZero(value: Value): Value {
    return this.program.icmp(INTEGER.eq, value, this.program.address(0));
  }

  /** A library call. */
  hostCall(call: Libcall, args: readonly Value[]): Value {
    this.locate();
    return hostCall(this.program, this.context.signatures, this.thread(), call, args);
  }

  /** Further arguments of a library call, by way of the thread. */
  scratch(values: readonly Value[]): void {
    const thread = this.thread();
    values.forEach((value, i) => {
      this.program.store(MEMORY.trusted, value, thread, VMThread.scratch0 + 8 * i);
    });
  }

  /** The address of this frame's area for results that do not fit registers. One area serves all calls: results are loaded at once. */
  resultArea(slots: number): Value {
    if (slots > this.#area.slots) {
      this.#area = { slot: this.program.stackSlot(slots * SLOT, SLOT_ALIGNMENT_LOG2), slots };
    }
    return this.program.stackAddress(this.#area.slot);
  }

  /** The address of 64 bytes of this frame for one operator that takes vectors apart. */
  vectorArea(): Value {
    if (this.#vectorSlot < 0) this.#vectorSlot = this.program.stackSlot(4 * SLOT, SLOT_ALIGNMENT_LOG2);
    return this.program.stackAddress(this.#vectorSlot);
  }

  /** The block type of block, loop and if. */
  blockType(): { readonly params: readonly number[]; readonly results: readonly number[] } {
    const kind = this.immediate();
    const value = this.immediate();
    if (kind === 2) return this.context.signatures.shape(value);
    return { params: NONE, results: kind === 1 ? [clifType(value)] : NONE };
  }
}

/** Lowers one operator; its immediates are next. */
export type Handler = (f: FunctionLowering) => void;

/** The operators of a construct group, by opcode word. */
export type Handlers = readonly (readonly [opcode: number, handler: Handler])[];
