/**
 * The imports `fiber_new` … of `heddle`: fibers for modules that have no instructions for them (docs/fibers.md). A fiber is a continuation of a function of type
 * [i64] -> [i64], which the addon knows by a number; yielding is suspending to a tag of the thread's.
 */
import { LIBCALL, TRAP, VMFunction, VMThread } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { isFunctionOf, typeCount } from '../../validate/type_words.js';
import type { FunctionLowering } from '../function/function.js';
import { appendSlots, loadSlots, recordOf, suspendTo, switchInto } from '../operators/continuations.js';
import { tableElement } from '../operators/tables.js';
import { NONE, type Value } from '../program/program.js';

/** The type of a fiber's function. */
const VALUE = 0x7e;

/** The first table, which is where C has its function pointers. */
const TABLE = 0;

/** Type index of [i64] -> [i64]; -1 where the module has none, and so no function that a fiber could begin with. */
function functionType(f: FunctionLowering): number {
  const { types } = f.context.description;
  for (let i = 0; i < typeCount(types); i++) if (isFunctionOf(types, i, VALUE, VALUE)) return i;
  return -1;
}

/** `fiber_new(function pointer)`: what an indirect call checks is checked now. */
export function writeFiberNew(f: FunctionLowering, [index]: readonly Value[]): void {
  const { program } = f;
  const element = tableElement(f, TABLE, f.zeroExtend(index as Value), TRAP.undefinedElement);
  const reference = program.load(TYPE.I64, MEMORY.trusted, element, 0);
  program.trapz(TRAP.uninitializedElement, reference);
  const type = functionType(f);
  const expected =
    type < 0 ? program.iconst(TYPE.I32, 0) : program.load(TYPE.I32, MEMORY.constant, f.instance, f.context.layout.types.at(type));
  const actual = program.load(TYPE.I32, MEMORY.trusted, reference, VMFunction.type);
  program.trapnz(TRAP.indirectCallType, program.icmp(INTEGER.ne, actual, expected));
  f.push(narrow(f, f.hostCall(LIBCALL.fiberNew, [f.instance, reference])));
}

/** `fiber_resume(fiber, value)`. */
export function writeFiberResume(f: FunctionLowering, [number, value]: readonly Value[]): void {
  const { program } = f;
  const fiber = f.zeroExtend(number as Value);
  const record = f.hostCall(LIBCALL.fiberEnter, [f.instance, fiber]);
  appendSlots(f, record, [value as Value]);
  const handlers = f.threadPointer(VMThread.fiberHandlers);
  const back = switchInto(f, record, record, handlers);
  const next = program.block([TYPE.I64]);
  const returned = program.block(NONE);
  const yielded = program.block(NONE);
  const kind = program.unary(OPCODE.ireduce, TYPE.I32, back.kind);
  program.brif(program.icmp(INTEGER.eq, kind, program.iconst(TYPE.I32, -1)), returned, NONE, yielded, NONE);
  f.follow(returned);
  f.aside(() => {
    const loaded = loadSlots(f, back.payload, [TYPE.I64]);
    f.hostCall(LIBCALL.fiberLeave, [f.instance, fiber, program.address(0), back.payload]);
    program.jump(next, loaded);
  });
  f.follow(yielded);
  f.aside(() => {
    const loaded = loadSlots(f, recordOf(f, back.payload), [TYPE.I64]);
    f.hostCall(LIBCALL.fiberLeave, [f.instance, fiber, back.payload]);
    program.jump(next, loaded);
  });
  f.push(f.follow(next, 1));
}

/** `fiber_yield(value)`: what it gives is the value of the next resume. */
export function writeFiberYield(f: FunctionLowering, values: readonly Value[]): void {
  f.pushAll(suspendTo(f, f.threadPointer(VMThread.fiberTag), f.shape, values));
}

/** `fiber_free(fiber)`. */
export function writeFiberFree(f: FunctionLowering, [number]: readonly Value[]): void {
  f.hostCall(LIBCALL.fiberFree, [f.instance, f.zeroExtend(number as Value)]);
}

/** `fiber_clone(fiber)`. */
export function writeFiberClone(f: FunctionLowering, [number]: readonly Value[]): void {
  f.push(narrow(f, f.hostCall(LIBCALL.fiberClone, [f.instance, f.zeroExtend(number as Value)])));
}

/** `fiber_status(fiber)`. */
export function writeFiberStatus(f: FunctionLowering, [number]: readonly Value[]): void {
  f.push(narrow(f, f.hostCall(LIBCALL.fiberStatus, [f.instance, f.zeroExtend(number as Value)])));
}

function narrow(f: FunctionLowering, value: Value): Value {
  return f.program.unary(OPCODE.ireduce, TYPE.I32, value);
}
