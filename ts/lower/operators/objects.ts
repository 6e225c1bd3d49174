/**
 * Structures, arrays and i31 references. An object's fields are read and written in line, and small structures are made in line; all else is done by library calls.
 * Values of operators lie in the frame or in registers while a library call collects, where they are found.
 */
import { LIBCALL, LIMIT, TRAP, VMObject, VMThread } from '../../generated/abi.js';
import { INTEGER, KIND, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { PACKED_I8, PACKED_I16, storageSizeLog2 } from '../../validate/object_layout.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import type { FieldPlace } from '../module/object_types.js';
import { head, NONE, type Program, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { clifType } from '../program/types.js';
import { typeId } from './function_types.js';

const V128 = 0x7b;
/** Bytes of the smallest cell, and of a pointer. */
const LEAST_CELL = 16;
const POINTER = 8;
/** What an i31 has besides its value, which is shifted by one. */
const I31_SHIFT = 1;

/** Objects are aligned to 8 bytes inside: a v128 may not be aligned. */
function flagsOf(storage: number): number {
  return storage === V128 ? MEMORY.vector : MEMORY.trusted;
}

/** Stores a field. */
function storeField(program: Program, value: Value, object: Value, { storage, offset }: FieldPlace): void {
  const opcode = storage === PACKED_I8 ? OPCODE.istore8 : storage === PACKED_I16 ? OPCODE.istore16 : OPCODE.store;
  program.do3(head(KIND.store, opcode, 0, flagsOf(storage)), value, object, offset);
}

/** Loads a field; a packed one is extended. */
function loadField(program: Program, object: Value, { storage, offset }: FieldPlace, signed: boolean): Value {
  if (storage === PACKED_I8 || storage === PACKED_I16) {
    const opcodes = storage === PACKED_I8 ? [OPCODE.sload8, OPCODE.uload8] : [OPCODE.sload16, OPCODE.uload16];
    return program.make2(head(KIND.load, signed ? opcodes[0] : opcodes[1], TYPE.I32, MEMORY.trusted), object, offset);
  }
  return program.load(clifType(storage), flagsOf(storage), object, offset);
}

/** A type of the module for a library call. */
const typeArgument = (f: FunctionLowering, typeIndex: number): Value => f.zeroExtend(typeId(f, typeIndex));

/** Pops a reference and traps where it is null. */
function popObject(f: FunctionLowering, trap: number): Value {
  const reference = f.pop();
  f.locate();
  f.program.trapz(trap, reference);
  return reference;
}

/** A structure of zeros: the next cell of the thread's run, or, where that has ended, what the library call gives. */
function newStructure(f: FunctionLowering, typeIndex: number): Value {
  const { program } = f;
  const id = typeArgument(f, typeIndex);
  const cell = Math.max(f.context.objects.bytes(typeIndex), LEAST_CELL);
  if (cell > LIMIT.runBytes) return f.hostCall(LIBCALL.structNew, [id]);
  const thread = f.thread();
  const run = VMThread.runs + 2 * (cell - LEAST_CELL);
  const object = program.load(TYPE.I64, MEMORY.trusted, thread, run);
  const next = program.binary(OPCODE.iadd, object, program.address(cell));
  const ended = program.icmp(INTEGER.ugt, next, program.load(TYPE.I64, MEMORY.trusted, thread, run + POINTER));
  const cold = program.block(NONE, true);
  const hot = program.block(NONE);
  const done = program.block([TYPE.I64]);
  f.locate();
  program.brif(ended, cold, NONE, hot, NONE);
  f.follow(hot);
  program.store(MEMORY.trusted, next, thread, run);
  // The length is 0.
  program.store(MEMORY.trusted, id, object, VMObject.type);
  program.jump(done, [object]);
  f.follow(cold);
  program.jump(done, [f.aside(() => f.hostCall(LIBCALL.structNew, [id]))]);
  return f.follow(done, 1);
}

function structNew(f: FunctionLowering): void {
  const typeIndex = f.immediate();
  const fields = f.context.objects.fields(typeIndex);
  const values = f.popMany(fields.length);
  const object = newStructure(f, typeIndex);
  fields.forEach((field, i) => {
    storeField(f.program, values[i] as Value, object, field);
  });
  f.push(object);
}

function structNewDefault(f: FunctionLowering): void {
  f.push(newStructure(f, f.immediate()));
}

/** The field that the immediates name. */
function fieldOf(f: FunctionLowering): FieldPlace {
  const fields = f.context.objects.fields(f.immediate());
  return fields[f.immediate()] as FieldPlace;
}

const structGet =
  (signed: boolean) =>
  (f: FunctionLowering): void => {
    const field = fieldOf(f);
    f.push(loadField(f.program, popObject(f, TRAP.nullStructure), field, signed));
  };

function structSet(f: FunctionLowering): void {
  const field = fieldOf(f);
  const value = f.pop();
  storeField(f.program, value, popObject(f, TRAP.nullStructure), field);
}

/** The elements of a type's arrays, as the field that the first of them is. */
function elementOf(f: FunctionLowering, typeIndex: number): FieldPlace {
  return f.context.objects.fields(typeIndex)[0] as FieldPlace;
}

/** Puts a value of any type where library calls take a further argument. */
function passValue(f: FunctionLowering, value: Value, storage: number): void {
  f.program.store(flagsOf(storage), value, f.thread(), VMThread.scratch0);
}

function arrayNew(f: FunctionLowering): void {
  const typeIndex = f.immediate();
  const length = f.popIndex(false);
  const value = f.pop();
  const array = f.hostCall(LIBCALL.arrayNew, [typeArgument(f, typeIndex), length]);
  passValue(f, value, elementOf(f, typeIndex).storage);
  f.hostCall(LIBCALL.arrayFill, [array, f.program.address(0), length]);
  f.push(array);
}

function arrayNewDefault(f: FunctionLowering): void {
  const typeIndex = f.immediate();
  f.push(f.hostCall(LIBCALL.arrayNew, [typeArgument(f, typeIndex), f.popIndex(false)]));
}

function arrayNewFixed(f: FunctionLowering): void {
  const typeIndex = f.immediate();
  const count = f.immediate();
  const values = f.popMany(count);
  const array = f.hostCall(LIBCALL.arrayNew, [typeArgument(f, typeIndex), f.program.address(count)]);
  const { storage, offset } = elementOf(f, typeIndex);
  values.forEach((value, i) => {
    storeField(f.program, value, array, { storage, offset: offset + (i << storageSizeLog2(storage)) });
  });
  f.push(array);
}

const arrayNewSegment =
  (call: typeof LIBCALL.arrayNewData | typeof LIBCALL.arrayNewElem) =>
  (f: FunctionLowering): void => {
    const typeIndex = f.immediate();
    const segment = f.immediate();
    const length = f.popIndex(false);
    const from = f.popIndex(false);
    f.scratch([f.instance]);
    f.push(f.hostCall(call, [typeArgument(f, typeIndex), from, length, f.program.address(segment)]));
  };

/** Pops index and array, and traps where there is no such element. The element is a field of what is returned. */
function popElement(f: FunctionLowering, storage: number): Value {
  const { program } = f;
  const index = f.pop();
  const array = popObject(f, TRAP.nullArray);
  f.trapWhere(INTEGER.uge, index, program.load(TYPE.I32, MEMORY.trusted, array, VMObject.length), TRAP.arrayBounds);
  const log2 = storageSizeLog2(storage);
  const wide = f.zeroExtend(index);
  return program.binary(OPCODE.iadd, array, log2 === 0 ? wide : program.binary(OPCODE.ishl, wide, program.iconst(TYPE.I32, log2)));
}

const arrayGet =
  (signed: boolean) =>
  (f: FunctionLowering): void => {
    const element = elementOf(f, f.immediate());
    f.push(loadField(f.program, popElement(f, element.storage), element, signed));
  };

function arraySet(f: FunctionLowering): void {
  const element = elementOf(f, f.immediate());
  const value = f.pop();
  storeField(f.program, value, popElement(f, element.storage), element);
}

function arrayLength(f: FunctionLowering): void {
  f.push(f.program.load(TYPE.I32, MEMORY.trusted, popObject(f, TRAP.nullArray), VMObject.length));
}

function arrayFill(f: FunctionLowering): void {
  const { storage } = elementOf(f, f.immediate());
  const length = f.popIndex(false);
  const value = f.pop();
  const from = f.popIndex(false);
  const array = f.pop();
  passValue(f, value, storage);
  f.hostCall(LIBCALL.arrayFill, [array, from, length]);
}

function arrayCopy(f: FunctionLowering): void {
  f.immediate();
  f.immediate();
  const length = f.popIndex(false);
  const from = f.popIndex(false);
  const source = f.pop();
  const to = f.popIndex(false);
  const target = f.pop();
  f.scratch([length]);
  f.hostCall(LIBCALL.arrayCopy, [target, to, source, from]);
}

const arrayInit =
  (call: typeof LIBCALL.arrayInitData | typeof LIBCALL.arrayInitElem) =>
  (f: FunctionLowering): void => {
    f.immediate();
    const segment = f.immediate();
    const length = f.popIndex(false);
    const from = f.popIndex(false);
    const to = f.popIndex(false);
    const array = f.pop();
    f.scratch([f.instance, f.program.address(segment)]);
    f.hostCall(call, [array, to, from, length]);
  };

function refI31(f: FunctionLowering): void {
  const { program } = f;
  const shifted = program.binary(OPCODE.ishl, f.pop(), program.iconst(TYPE.I32, I31_SHIFT));
  f.push(f.zeroExtend(program.binary(OPCODE.bor, shifted, program.iconst(TYPE.I32, 1))));
}

const i31Get =
  (shift: typeof OPCODE.sshr | typeof OPCODE.ushr) =>
  (f: FunctionLowering): void => {
    const { program } = f;
    const word = program.unary(OPCODE.ireduce, TYPE.I32, popObject(f, TRAP.nullI31));
    f.push(program.binary(shift, word, program.iconst(TYPE.I32, I31_SHIFT)));
  };

/** Operators of this group. References under `any` and under `extern` are the same words, so that conversions are nothing. */
export const OBJECTS: Handlers = [
  [OP.structNew, structNew],
  [OP.structNewDefault, structNewDefault],
  [OP.structGet, structGet(false)],
  [OP.structGetS, structGet(true)],
  [OP.structGetU, structGet(false)],
  [OP.structSet, structSet],
  [OP.arrayNew, arrayNew],
  [OP.arrayNewDefault, arrayNewDefault],
  [OP.arrayNewFixed, arrayNewFixed],
  [OP.arrayNewData, arrayNewSegment(LIBCALL.arrayNewData)],
  [OP.arrayNewElem, arrayNewSegment(LIBCALL.arrayNewElem)],
  [OP.arrayGet, arrayGet(false)],
  [OP.arrayGetS, arrayGet(true)],
  [OP.arrayGetU, arrayGet(false)],
  [OP.arraySet, arraySet],
  [OP.arrayLen, arrayLength],
  [OP.arrayFill, arrayFill],
  [OP.arrayCopy, arrayCopy],
  [OP.arrayInitData, arrayInit(LIBCALL.arrayInitData)],
  [OP.arrayInitElem, arrayInit(LIBCALL.arrayInitElem)],
  [OP.anyConvertExtern, () => {}],
  [OP.externConvertAny, () => {}],
  [OP.refI31, refI31],
  [OP.i31GetS, i31Get(OPCODE.sshr)],
  [OP.i31GetU, i31Get(OPCODE.ushr)],
];
