/**
 * Structures, arrays and i31 references. An object's fields are read and written in line, and small ones are made in line; all else is done by library calls.
 * Values of operators lie in the frame or in registers while a library call collects, where they are found.
 */
import { LIBCALL, LIMIT, TRAP, VMObject, VMThread } from '../../generated/abi.js';
import { INTEGER, KIND, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { PACKED_I8, PACKED_I16, storageSizeLog2 } from '../../validate/object_layout.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import type { FieldPlace } from '../module/object_types.js';
import { type Block, head, NONE, type Program, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { clifType } from '../program/types.js';
import { typeId } from './function_types.js';

const V128 = 0x7b;
/** Bytes of the smallest cell, and of a pointer. */
const LEAST_CELL = 16;
const POINTER = 8;
/** Bytes of elements that a loop fills: for more a library call costs less. */
const FILLED_IN_LINE = 64;
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

/** Bytes of the cell of an object of so many bytes. */
const cellOf = (bytes: number): number => Math.max((bytes + POINTER - 1) & -POINTER, LEAST_CELL);

/** An object of zeros that is to be made, and what makes it where its run has ended. */
interface NewObject {
  readonly id: Value;
  /** Of an array: its length, an I64. */
  readonly length: Value | undefined;
  readonly slow: () => Value;
}

/**
 * Makes an object in a cell of so many bytes: the next of the run that lies `run` behind `runs`, or, where that has ended, in the cold block. Jumps to `done` with it.
 */
function takeCell(f: FunctionLowering, { id, length }: NewObject, cell: Value, runs: Value, run: number, cold: Block, done: Block): void {
  const { program } = f;
  const object = program.load(TYPE.I64, MEMORY.trusted, runs, run);
  const next = program.binary(OPCODE.iadd, object, cell);
  const ended = program.icmp(INTEGER.ugt, next, program.load(TYPE.I64, MEMORY.trusted, runs, run + POINTER));
  const hot = program.block(NONE);
  program.brif(ended, cold, NONE, hot, NONE);
  f.follow(hot);
  program.store(MEMORY.trusted, next, runs, run);
  // A structure's length is 0.
  program.store(MEMORY.trusted, id, object, VMObject.type);
  if (length !== undefined) program.do3(head(KIND.store, OPCODE.istore32, 0, MEMORY.trusted), length, object, VMObject.length);
  program.jump(done, [object]);
}

/** Makes an object where there is no cell for it at hand, and goes on with either. */
function orSlowly(f: FunctionLowering, { slow }: NewObject, cold: Block, done: Block): Value {
  f.follow(cold);
  f.program.jump(done, [f.aside(slow)]);
  return f.follow(done, 1);
}

/** An object of zeros of so many bytes: the next cell of the thread's run, or, where that has ended, what the library call gives. */
function newObject(f: FunctionLowering, made: NewObject, bytes: number): Value {
  const { program } = f;
  const cell = cellOf(bytes);
  if (cell > LIMIT.runBytes) return made.slow();
  const thread = f.thread();
  const cold = program.block(NONE, true);
  const done = program.block([TYPE.I64]);
  f.locate();
  takeCell(f, made, program.address(cell), thread, VMThread.runs + 2 * (cell - LEAST_CELL), cold, done);
  return orSlowly(f, made, cold, done);
}

function newStructure(f: FunctionLowering, typeIndex: number): Value {
  const id = typeArgument(f, typeIndex);
  return newObject(f, { id, length: undefined, slow: () => f.hostCall(LIBCALL.structNew, [id]) }, f.context.objects.bytes(typeIndex));
}

/** An array of zeros that is to be made. */
function arrayOf(f: FunctionLowering, typeIndex: number, length: Value): NewObject {
  const id = typeArgument(f, typeIndex);
  return { id, length, slow: () => f.hostCall(LIBCALL.arrayNew, [id, length]) };
}

/** An array of zeros whose length is an I64: short ones are made in line. */
function newArray(f: FunctionLowering, typeIndex: number, length: Value): Value {
  const { program } = f;
  const log2 = storageSizeLog2(elementOf(f, typeIndex).storage);
  const made = arrayOf(f, typeIndex, length);
  const thread = f.thread();
  const cold = program.block(NONE, true);
  const short = program.block(NONE);
  const done = program.block([TYPE.I64]);
  f.locate();
  const most = program.address((LIMIT.runBytes - VMObject.$size) >> log2);
  program.brif(program.icmp(INTEGER.ugt, length, most), cold, NONE, short, NONE);
  f.follow(short);
  const bytes = log2 === 0 ? length : program.binary(OPCODE.ishl, length, program.iconst(TYPE.I32, log2));
  const rounded = program.binary(OPCODE.iadd, bytes, program.address(VMObject.$size + POINTER - 1));
  const cell = program.binary(OPCODE.umax, program.binary(OPCODE.band, rounded, program.address(-POINTER)), program.address(LEAST_CELL));
  const runs = program.binary(OPCODE.iadd, thread, program.binary(OPCODE.ishl, cell, program.iconst(TYPE.I32, 1)));
  takeCell(f, made, cell, runs, VMThread.runs - 2 * LEAST_CELL, cold, done);
  return orSlowly(f, made, cold, done);
}

/** Fills a new array: a short one element by element, another by a library call. */
function fillArray(f: FunctionLowering, array: Value, { storage, offset }: FieldPlace, length: Value, value: Value): void {
  const { program } = f;
  const log2 = storageSizeLog2(storage);
  const zero = program.address(0);
  const one = program.address(1);
  const long = program.block(NONE, true);
  const next = program.block([TYPE.I64]);
  const element = program.block(NONE);
  const done = program.block(NONE);
  // Values that the library call needs are there on both ways.
  f.thread();
  program.brif(program.icmp(INTEGER.ugt, length, program.address(FILLED_IN_LINE >> log2)), long, NONE, next, [zero]);
  f.follow(long);
  f.aside(() => {
    passValue(f, value, storage);
    f.hostCall(LIBCALL.arrayFill, [array, zero, length]);
  });
  program.jump(done);
  const index = program.switchTo(next, 1);
  program.brif(program.icmp(INTEGER.ult, index, length), element, NONE, done, NONE);
  f.follow(element);
  const distance = log2 === 0 ? index : program.binary(OPCODE.ishl, index, program.iconst(TYPE.I32, log2));
  storeField(program, value, program.binary(OPCODE.iadd, array, distance), { storage, offset });
  program.jump(next, [program.binary(OPCODE.iadd, index, one)]);
  program.seal(next);
  f.follow(done);
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
  const array = newArray(f, typeIndex, length);
  fillArray(f, array, elementOf(f, typeIndex), length, value);
  f.push(array);
}

function arrayNewDefault(f: FunctionLowering): void {
  const typeIndex = f.immediate();
  f.push(newArray(f, typeIndex, f.popIndex(false)));
}

function arrayNewFixed(f: FunctionLowering): void {
  const typeIndex = f.immediate();
  const count = f.immediate();
  const values = f.popMany(count);
  const { storage, offset } = elementOf(f, typeIndex);
  const log2 = storageSizeLog2(storage);
  const array = newObject(f, arrayOf(f, typeIndex, f.program.address(count)), VMObject.$size + (count << log2));
  values.forEach((value, i) => {
    storeField(f.program, value, array, { storage, offset: offset + (i << log2) });
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
