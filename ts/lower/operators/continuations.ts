/**
 * Typed continuations: cont.new, cont.bind, suspend, resume, resume_throw, resume_throw_ref, switch (docs/architecture.md, section 5).
 *
 * A handle is `generation << 24 | index of the record`; 0 is null. Values cross in the record's payload slots. The buffer's capacity is a fact of the
 * record at run time, so each store into slots stands behind a check of the capacity, made here for the number of slots that is stored.
 */
import { LIBCALL, LIMIT, STATE, TRAP, VMContinuation, VMFiber, VMHandlers, VMThread } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { typeAt } from '../../validate/type_words.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { checkStores } from '../function/stores.js';
import { type HandlerList, type LabelClause, readClauses } from '../module/handlers.js';
import { NONE, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { concreteType, type FunctionShape, functionTypeIndex, slotCount } from '../program/types.js';
import { emitCall, throwingCall } from './calls.js';
import { newException } from './exceptions.js';

const INDEX_MASK = 2 ** LIMIT.handleIndexBits - 1;
/** The generation of which no handle is made. */
const LAST_GENERATION = 2 ** (64 - LIMIT.handleIndexBits) - 1;
const SLOT_SIZE_LOG2 = Math.log2(LIMIT.slotSize);
const POINTER_LOG2 = 3;

/** What a resume operator says of handlers. */
export interface Clauses {
  readonly list: HandlerList;
  readonly clauses: readonly LabelClause[];
}

function shapeOf(f: FunctionLowering, typeIndex: number): FunctionShape {
  return f.context.signatures.shape(functionTypeIndex(f.context.description, typeIndex));
}

function get(f: FunctionLowering, type: number, address: Value, offset: number): Value {
  return f.program.load(type, MEMORY.trusted, address, offset);
}

function put(f: FunctionLowering, value: Value, address: Value, offset: number): void {
  f.program.store(MEMORY.trusted, value, address, offset);
}

function shift(f: FunctionLowering, opcode: number, value: Value, bits: number): Value {
  return f.program.binary(opcode, value, f.program.iconst(TYPE.I32, bits));
}

/** The record that a handle names; every handle names one, valid or not. */
export function recordOf(f: FunctionLowering, handle: Value): Value {
  const index = f.program.binary(OPCODE.band, handle, f.program.address(INDEX_MASK));
  return f.program.binary(OPCODE.iadd, f.threadPointer(VMThread.continuations), shift(f, OPCODE.ishl, index, LIMIT.recordSizeLog2));
}

/**
 * Consumes a handle: traps unless it is its record's newest, and makes it stale. Returns the record and its generation now. `check` emits what may still
 * trap while the handle is valid.
 */
export function consume(
  f: FunctionLowering,
  handle: Value,
  check: () => void = () => {},
): { readonly record: Value; readonly generation: Value } {
  const { program } = f;
  f.locate();
  const record = recordOf(f, handle);
  const generation = get(f, TYPE.I64, record, VMContinuation.generation);
  const stale = program.icmp(INTEGER.ne, generation, shift(f, OPCODE.ushr, handle, LIMIT.handleIndexBits));
  f.never(stale, () => f.hostCall(LIBCALL.contInvalid, [handle]), TRAP.continuationConsumed);
  check();
  const next = program.binary(OPCODE.iadd, generation, program.address(1));
  put(f, next, record, VMContinuation.generation);
  return { record, generation: next };
}

/** Makes room for `slots` (an I32) payload slots in all. */
function reserve(f: FunctionLowering, record: Value, slots: Value): void {
  const short = f.program.icmp(INTEGER.ugt, slots, get(f, TYPE.I32, record, VMContinuation.capacity));
  f.unlikely(short, NONE, NONE, () => {
    f.hostCall(LIBCALL.contReserve, [record, f.zeroExtend(slots)]);
    return NONE;
  });
}

/** Stores values into slots. */
function storeSlots(f: FunctionLowering, slots: Value, values: readonly Value[]): void {
  values.forEach((value, i) => {
    put(f, value, slots, LIMIT.slotSize * i);
  });
}

/** Loads values of these types from the first slots of a record. */
export function loadSlots(f: FunctionLowering, record: Value, types: readonly number[]): readonly Value[] {
  if (types.length === 0) return NONE;
  const slots = get(f, TYPE.I64, record, VMContinuation.slots);
  return types.map((type, i) => get(f, type, slots, LIMIT.slotSize * i));
}

/** Stores values behind those that are bound already; they do not count as bound yet. Returns the new count. */
export function appendSlots(f: FunctionLowering, record: Value, values: readonly Value[]): Value {
  const { program } = f;
  const count = get(f, TYPE.I32, record, VMContinuation.count);
  const total = program.binary(OPCODE.iadd, count, program.iconst(TYPE.I32, values.length));
  reserve(f, record, total);
  checkStores(program, f.context, 'record', record, () => total);
  const offset = shift(f, OPCODE.ishl, f.zeroExtend(count), SLOT_SIZE_LOG2);
  storeSlots(f, program.binary(OPCODE.iadd, get(f, TYPE.I64, record, VMContinuation.slots), offset), values);
  return total;
}

/** The handle of a generation of a record. */
function makeHandle(f: FunctionLowering, record: Value, generation: Value): Value {
  const index = f.zeroExtend(get(f, TYPE.I32, record, VMContinuation.index));
  return f.program.binary(OPCODE.bor, shift(f, OPCODE.ishl, generation, LIMIT.handleIndexBits), index);
}

/** The handle of a record's generation; where that is the last one, of the fresh record that the fiber moves to. */
function freshHandle(f: FunctionLowering, record: Value, generation: Value): Value {
  const spent = f.program.icmp(INTEGER.eq, generation, f.program.address(LAST_GENERATION));
  return f.unlikely(spent, [TYPE.I64], [makeHandle(f, record, generation)], () => {
    const renewed = f.hostCall(LIBCALL.contRenew, [record]);
    return [makeHandle(f, renewed, get(f, TYPE.I64, renewed, VMContinuation.generation))];
  });
}

function contNew(f: FunctionLowering): void {
  f.immediate();
  f.push(f.hostCall(LIBCALL.contNew, [f.pop()]));
}

function contBind(f: FunctionLowering): void {
  const source = shapeOf(f, f.immediate());
  const target = shapeOf(f, f.immediate());
  const handle = f.pop();
  const values = f.popMany(source.params.length - target.params.length);
  const { record, generation } = consume(f, handle);
  if (values.length > 0) put(f, appendSlots(f, record, values), record, VMContinuation.count);
  f.push(freshHandle(f, record, generation));
}

/** Switches stacks. Returns payload and kind of who switches back. */
function emitSwitch(f: FunctionLowering, fiber: Value, payload: Value, kind: Value): { readonly payload: Value; readonly kind: Value } {
  const stub = { kind: 'number', number: f.context.signatures.switchStub } as const;
  const first = emitCall(f, stub, [fiber, payload, kind], [TYPE.I64, TYPE.I64], true);
  return { payload: first, kind: first + 1 };
}

/** Makes `fiber` the running one. */
function runFiber(f: FunctionLowering, fiber: Value): void {
  put(f, fiber, f.thread(), VMThread.current);
  put(f, get(f, TYPE.I64, fiber, VMFiber.limit), f.thread(), VMThread.stackLimit);
}

/** The fiber to suspend for a tag and the number of the clause that handles it: the running fiber's first clause is tried here, the rest in C++. */
function findHandler(f: FunctionLowering, tag: Value, current: Value): { readonly fiber: Value; readonly clause: Value } {
  const { program } = f;
  const handlers = get(f, TYPE.I64, current, VMFiber.handlers);
  const other = program.icmp(INTEGER.ne, get(f, TYPE.I64, handlers, VMHandlers.firstTag), tag);
  const first = f.unlikely(other, [TYPE.I64, TYPE.I64], [current, program.address(0)], () => {
    const fiber = f.hostCall(LIBCALL.findHandler, [tag]);
    return [fiber, get(f, TYPE.I64, f.thread(), VMThread.scratch0)];
  });
  return { fiber: first, clause: first + 1 };
}

/** Notes that a record's chain is suspended in the fiber `leaf`. Returns the handle; the record may be another one afterwards. */
function suspendAs(f: FunctionLowering, record: Value, leaf: Value): Value {
  put(f, f.program.iconst(TYPE.I32, 0), record, VMContinuation.count);
  put(f, f.program.iconst(TYPE.I32, STATE.suspended), record, VMContinuation.state);
  put(f, leaf, record, VMContinuation.leaf);
  return freshHandle(f, record, get(f, TYPE.I64, record, VMContinuation.generation));
}

/** Suspends with a tag of a type and its values; returns what comes back. */
export function suspendTo(f: FunctionLowering, tag: Value, shape: FunctionShape, values: readonly Value[]): readonly Value[] {
  const { program } = f;
  f.locate();
  const thread = f.thread();
  const current = get(f, TYPE.I64, thread, VMThread.current);
  const { fiber, clause } = findHandler(f, tag, current);
  const record = get(f, TYPE.I64, fiber, VMFiber.record);
  const slots = slotCount(shape);
  if (slots > 0) reserve(f, record, program.iconst(TYPE.I32, slots));
  if (values.length > 0) {
    checkStores(program, f.context, 'record', record, () => program.iconst(TYPE.I32, values.length));
    storeSlots(f, get(f, TYPE.I64, record, VMContinuation.slots), values);
  }
  const handle = suspendAs(f, record, current);
  const parent = get(f, TYPE.I64, fiber, VMFiber.parent);
  put(f, program.address(0), fiber, VMFiber.parent);
  runFiber(f, parent);
  const resumed = emitSwitch(f, fiber, handle, clause);
  return loadSlots(f, resumed.payload, shape.results);
}

function suspend(f: FunctionLowering): void {
  const tag = f.immediate();
  const shape = shapeOf(f, f.context.spaces.tags[tag] as number);
  const values = f.popMany(shape.params.length);
  f.pushAll(suspendTo(f, f.pointer(f.context.layout.tags.at(tag)), shape, values));
}

/** The clauses of a resume operator, which are its last immediates. */
function clausesOf(f: FunctionLowering): Clauses {
  const { list, clauses, end } = readClauses(f.ops, f.at);
  f.at = end;
  return { list, clauses };
}

/** The fiber of a consumed record, which gets a stack where it is fresh. */
function fiberOf(f: FunctionLowering, record: Value): Value {
  const known = get(f, TYPE.I64, record, VMContinuation.fiber);
  return f.unlikely(f.isZero(known), [TYPE.I64], [known], () => {
    f.hostCall(LIBCALL.contAllocate, [record]);
    return [get(f, TYPE.I64, record, VMContinuation.fiber)];
  });
}

/** Switches to a consumed continuation under a `VMHandlers` block. The payload is its record, or the exception that it is to catch. */
export function switchInto(
  f: FunctionLowering,
  record: Value,
  payload: Value,
  handlers: Value,
): { readonly payload: Value; readonly kind: Value } {
  const { program } = f;
  const fiber = fiberOf(f, record);
  const thread = f.thread();
  put(f, get(f, TYPE.I64, thread, VMThread.current), fiber, VMFiber.parent);
  put(f, handlers, fiber, VMFiber.handlers);
  put(f, program.iconst(TYPE.I32, STATE.running), record, VMContinuation.state);
  runFiber(f, get(f, TYPE.I64, record, VMContinuation.leaf));
  const switches = get(f, TYPE.I64, thread, VMThread.switches);
  put(f, offsetFrom(f, switches, 1), thread, VMThread.switches);
  return emitSwitch(f, fiber, payload, program.address(0));
}

/** A consumed record is about to go on. Requires: it has a fiber. */
function enterShadow(f: FunctionLowering, record: Value): void {
  if (f.context.movesShadow) f.hostCall(LIBCALL.shadowEnter, [record]);
}

/** A record's continuation came back. */
function leaveShadow(f: FunctionLowering, record: () => Value, returned: boolean): void {
  if (f.context.movesShadow) f.hostCall(LIBCALL.shadowLeave, [record(), f.program.address(returned ? 1 : 0)]);
}

/** Switches to a consumed continuation under handlers, and does what comes of it. */
export function run(f: FunctionLowering, shape: FunctionShape, { list, clauses }: Clauses, record: Value, payload: Value): void {
  const handlers = offsetFrom(f, f.instance, f.context.layout.handlerOffset(list));
  if (f.context.movesShadow) fiberOf(f, record);
  enterShadow(f, record);
  const back = switchInto(f, record, payload, handlers);
  handleClauses(f, clauses, back.payload, back.kind);
  leaveShadow(f, () => back.payload, true);
  const results = loadSlots(f, back.payload, shape.results);
  f.hostCall(LIBCALL.contRelease, [back.payload]);
  f.pushAll(results);
}

function resume(f: FunctionLowering): void {
  const shape = shapeOf(f, f.immediate());
  const clauses = clausesOf(f);
  const handle = f.pop();
  const values = f.popMany(shape.params.length);
  const { record } = consume(f, handle);
  if (values.length > 0) appendSlots(f, record, values);
  run(f, shape, clauses, record, record);
}

function resumeThrow(f: FunctionLowering): void {
  const shape = shapeOf(f, f.immediate());
  const tag = f.immediate();
  const clauses = clausesOf(f);
  const handle = f.pop();
  const values = f.popMany(shapeOf(f, f.context.spaces.tags[tag] as number).params.length);
  const { record } = consume(f, handle);
  const exception = newException(f, tag, values);
  throwingCall(f, LIBCALL.contThrow, [record, exception]);
  run(f, shape, clauses, record, exception);
}

function resumeThrowRef(f: FunctionLowering): void {
  const shape = shapeOf(f, f.immediate());
  const clauses = clausesOf(f);
  const handle = f.pop();
  const exception = f.pop();
  const { record } = consume(f, handle, () => f.program.trapz(TRAP.nullException, exception));
  throwingCall(f, LIBCALL.contThrow, [record, exception]);
  run(f, shape, clauses, record, exception);
}

/** The fiber to suspend for a switch: the outermost of the chain below the nearest `(on $tag switch)`. The running fiber's first one is tried here. */
function findSwitch(f: FunctionLowering, tag: Value, current: Value): Value {
  const { program } = f;
  const handlers = get(f, TYPE.I64, current, VMFiber.handlers);
  const labels = f.zeroExtend(get(f, TYPE.I32, handlers, VMHandlers.labels));
  // The tags follow the head, switches behind labels; where there is none, a zero.
  const first = program.binary(OPCODE.iadd, handlers, shift(f, OPCODE.ishl, labels, POINTER_LOG2));
  const other = program.icmp(INTEGER.ne, get(f, TYPE.I64, first, VMHandlers.$size), tag);
  return f.unlikely(other, [TYPE.I64], [current], () => [f.hostCall(LIBCALL.findHandler, [tag, program.address(1)])]);
}

/** Exchanges the contexts in two control blocks. */
function exchange(f: FunctionLowering, a: Value, b: Value): void {
  const fields = [VMFiber.sp, VMFiber.fp, VMFiber.pc];
  const ofA = fields.map((field) => get(f, TYPE.I64, a, field));
  const ofB = fields.map((field) => get(f, TYPE.I64, b, field));
  fields.forEach((field, i) => {
    put(f, ofB[i] as Value, a, field);
    put(f, ofA[i] as Value, b, field);
  });
}

/**
 * switch: the current chain is suspended as by `suspend`, and the target takes its place below the same resume as if that had resumed it, with the
 * suspended chain's handle as its last value. One switch of stacks: the control blocks exchange their contexts first, so that the target's block
 * holds the resumer's, and the current chain's block the target's own, which the stub exchanges with what runs now.
 */
function switchTo(f: FunctionLowering): void {
  const { program } = f;
  const { types } = f.context.description;
  const type = typeAt(types, functionTypeIndex(f.context.description, f.immediate()));
  const tag = f.immediate();
  const params = type?.kind === 'func' ? type.params : [];
  const back = shapeOf(f, concreteType(params[params.length - 1] as number));
  const handle = f.pop();
  const values = f.popMany(params.length - 1);
  const thread = f.thread();
  const current = get(f, TYPE.I64, thread, VMThread.current);
  let fiber = -1;
  // Nothing is consumed where nobody handles the switch.
  const { record } = consume(f, handle, () => {
    fiber = findSwitch(f, f.pointer(f.context.layout.tags.at(tag)), current);
  });
  const target = fiberOf(f, record);

  const own = get(f, TYPE.I64, fiber, VMFiber.record);
  if (back.params.length > 0) reserve(f, own, program.iconst(TYPE.I32, back.params.length));
  const suspended = suspendAs(f, own, current);
  appendSlots(f, record, [...values, suspended]);
  leaveShadow(f, () => recordOf(f, suspended), false);
  enterShadow(f, record);
  put(f, program.iconst(TYPE.I32, STATE.running), record, VMContinuation.state);
  put(f, get(f, TYPE.I64, fiber, VMFiber.parent), target, VMFiber.parent);
  put(f, get(f, TYPE.I64, fiber, VMFiber.handlers), target, VMFiber.handlers);
  put(f, program.address(0), fiber, VMFiber.parent);
  runFiber(f, get(f, TYPE.I64, record, VMContinuation.leaf));
  exchange(f, fiber, target);
  const resumed = emitSwitch(f, fiber, record, program.address(0));
  f.pushAll(loadSlots(f, resumed.payload, back.params));
}

function offsetFrom(f: FunctionLowering, value: Value, offset: number): Value {
  return f.program.binary(OPCODE.iadd, value, f.program.address(offset));
}

/** Branches to the label of the clause that `kind` names; goes on here where the continuation has returned. */
function handleClauses(f: FunctionLowering, clauses: readonly LabelClause[], payload: Value, kind: Value): void {
  if (clauses.length === 0) return;
  const { program } = f;
  const frames = clauses.map((clause) => f.frame(clause.depth));
  const returned = program.block(NONE);
  const blocks = clauses.map(() => program.block(NONE));
  // A return is all ones in 32 bits: the greatest number, so that it is the table's default.
  const number = program.unary(OPCODE.ireduce, TYPE.I32, kind);
  if (blocks.length === 1) {
    const isReturn = program.icmp(INTEGER.eq, number, program.iconst(TYPE.I32, -1));
    program.brif(isReturn, returned, NONE, blocks[0] as number, NONE);
  } else {
    program.brTable(number, blocks, returned, NONE);
  }
  clauses.forEach((clause, i) => {
    const frame = frames[i];
    if (frame === undefined) return;
    f.follow(blocks[i] as number);
    const { params } = shapeOf(f, f.context.spaces.tags[clause.tag] as number);
    const values = f.aside(() => {
      leaveShadow(f, () => recordOf(f, payload), false);
      return params.length === 0 ? NONE : loadSlots(f, recordOf(f, payload), params);
    });
    program.jump(f.label(frame), [...values, payload]);
  });
  f.follow(returned);
}

/** Operators of this group. */
export const CONTINUATIONS: Handlers = [
  [OP.contNew, contNew],
  [OP.contBind, contBind],
  [OP.suspend, suspend],
  [OP.resume, resume],
  [OP.resumeThrow, resumeThrow],
  [OP.resumeThrowRef, resumeThrowRef],
  [OP.switch, switchTo],
];
