/**
 * Linear memories: the address of an access, and the operators that are library calls.
 *
 * An access of a 32-bit memory with guards is not checked: index and static offset reach less than 8 GiB beyond the base, where the reservation ends.
 * Everything else is checked against the length that the `VMMemory` knows. It is right where the memory has no guards and no other thread grows it. Otherwise it is a lower bound,
 * for memories only grow, so where the check fails the length of now is asked for and the check is made again.
 */
import { LIBCALL, TRAP, VMInstance, VMMemory } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { NONE, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { bulkOf, pushIndex } from './bulk.js';

/** Greatest static offset + size of an unchecked access. */
const GUARDED = 2 ** 32 - 1;
/** Greatest displacement that a load or store holds. */
const DISPLACEMENT = 2 ** 31 - 1;
/** No memory reaches this, and sums with it are exact. */
const BEYOND = 2 ** 52;

/** Where an access goes. */
export interface Place {
  readonly address: Value;
  readonly displacement: number;
}

/** Whether a memory has 64-bit addresses. */
export function isWide(f: FunctionLowering, memory: number): boolean {
  return f.context.spaces.memories[memory]?.memory64 === true;
}

/** Whether accesses of a memory may go unchecked: guards stand behind whole pages only. */
function isGuarded(f: FunctionLowering, memory: number): boolean {
  return !f.context.options.checked && !isWide(f, memory) && f.context.spaces.memories[memory]?.pageSizeLog2 === 16;
}

/** Whether the length in the `VMMemory` is right: then nothing is called where a check fails, and no register must be saved for that. */
function isWatched(f: FunctionLowering, memory: number): boolean {
  return !isGuarded(f, memory) && f.context.spaces.memories[memory]?.shared === false;
}

/** The `VMMemory*` of a memory. */
export function memoryPointer(f: FunctionLowering, memory: number): Value {
  return memory === 0 ? f.pointer(VMInstance.memory0) : f.pointer(f.context.layout.memories.at(memory));
}

/** The base of a memory with guards, which does not move. */
function guardedBase(f: FunctionLowering, memory: number): Value {
  if (memory === 0) return f.pointer(VMInstance.memoryBase);
  return f.program.load(TYPE.I64, MEMORY.constant, memoryPointer(f, memory), VMMemory.base);
}

/** Reads memory 0's base at the function's beginning, where all of it can use it. Dropped by the compiler where nothing does. */
export function prepareMemory(f: FunctionLowering): void {
  if (f.context.spaces.memories.length > 0 && isGuarded(f, 0)) guardedBase(f, 0);
}

/** Reads the memory immediates, pops the index, and makes sure that the access of `size` bytes traps unless it is inside. */
export function place(f: FunctionLowering, size: number): Place {
  const memory = f.immediate();
  const offset = f.wideImmediate();
  const index = f.popIndex(isWide(f, memory));
  f.locate();
  if (isGuarded(f, memory) && offset + size <= GUARDED) {
    return displaced(f, f.program.binary(OPCODE.iadd, guardedBase(f, memory), index), offset);
  }
  const base = checkedBase(f, memory, index, Math.min(offset, BEYOND) + size);
  return displaced(f, f.program.binary(OPCODE.iadd, base, index), offset);
}

/**
 * Pops the index and traps unless the access is inside, by a check whatever guards there are; `check` makes the code that looks at the effective address before.
 * Returns the memory's base and the effective address, which is relative to it.
 */
export function checkedPlace(
  f: FunctionLowering,
  memory: number,
  offset: number,
  size: number,
  check: (effective: Value) => void,
): { readonly base: Value; readonly effective: Value } {
  const index = f.popIndex(isWide(f, memory));
  f.locate();
  const reach = Math.min(offset, BEYOND);
  const effective = reach === 0 ? index : f.program.binary(OPCODE.iadd, index, f.program.address(reach));
  check(effective);
  return { base: checkedBase(f, memory, index, reach + size), effective };
}

function displaced(f: FunctionLowering, address: Value, offset: number): Place {
  if (offset <= DISPLACEMENT) return { address, displacement: offset };
  // Behind a failed check nothing is accessed, so that the offset may be anything.
  return { address: f.program.binary(OPCODE.iadd, address, f.program.address(Math.min(offset, BEYOND))), displacement: 0 };
}

/** Traps unless `index + reach` is at most the memory's length; returns the memory's base. */
function checkedBase(f: FunctionLowering, memory: number, index: Value, reach: number): Value {
  const { program } = f;
  const pointer = memoryPointer(f, memory);
  const end = program.binary(OPCODE.iadd, index, program.address(reach));
  if (isWide(f, memory)) f.trapWhere(INTEGER.ult, end, index, TRAP.memoryBounds);
  const outside = program.icmp(INTEGER.ugt, end, program.load(TYPE.I64, MEMORY.trusted, pointer, VMMemory.bytes));
  if (isWatched(f, memory)) {
    program.trapnz(TRAP.memoryBounds, outside);
    return program.load(TYPE.I64, MEMORY.trusted, pointer, VMMemory.base);
  }
  f.unlikely(outside, NONE, NONE, () => {
    const bytes = program.call(f.context.signatures.lengthHelper, [f.instance, pointer], 1);
    f.trapWhere(INTEGER.ugt, end, bytes, TRAP.memoryBounds);
    return NONE;
  });
  // Read behind the check: asking for the length may tell that the memory has moved.
  return program.load(TYPE.I64, MEMORY.trusted, pointer, VMMemory.base);
}

function size(f: FunctionLowering): void {
  const memory = f.immediate();
  pushIndex(f, f.hostCall(LIBCALL.memorySize, [memoryPointer(f, memory)]), isWide(f, memory));
}

function grow(f: FunctionLowering): void {
  const memory = f.immediate();
  const wide = isWide(f, memory);
  const delta = f.popIndex(wide);
  pushIndex(f, f.hostCall(LIBCALL.memoryGrow, [memoryPointer(f, memory), delta]), wide);
}

function fill(f: FunctionLowering): void {
  const memory = f.immediate();
  const length = f.popIndex(isWide(f, memory));
  const byte = f.popIndex(false);
  const destination = f.popIndex(isWide(f, memory));
  f.hostCall(LIBCALL.memoryFill, [memoryPointer(f, memory), destination, byte, length]);
}

const bulk = bulkOf({
  isWide,
  pointer: memoryPointer,
  copy: LIBCALL.memoryCopy,
  init: LIBCALL.memoryInit,
  drop: LIBCALL.dataDrop,
});

/** Operators of this group, without loads and stores, which are rows of a table. */
export const MEMORIES: Handlers = [
  [OP.memorySize, size],
  [OP.memoryGrow, grow],
  [OP.memoryFill, fill],
  [OP.memoryCopy, bulk.copy],
  [OP.memoryInit, bulk.init],
  [OP.dataDrop, bulk.drop],
];
