/**
 * Tables. An element is 8 bytes; reads and writes of one are inline, the rest are library calls.
 */
import { LIBCALL, TRAP, VMTable } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import type { Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { bulkOf, pushIndex } from './bulk.js';

const ELEMENT_SIZE_LOG2 = 3;

function isWide(f: FunctionLowering, table: number): boolean {
  return f.context.spaces.tables[table]?.table64 === true;
}

/** The `VMTable*` of a table. */
function pointer(f: FunctionLowering, table: number): Value {
  return f.pointer(f.context.layout.tables.at(table));
}

/** The address of a table's element; traps with the code where there is none. The index is an I64. */
export function tableElement(f: FunctionLowering, table: number, index: Value, trap: number): Value {
  const { program } = f;
  const address = pointer(f, table);
  f.locate();
  f.trapWhere(INTEGER.uge, index, program.load(TYPE.I64, MEMORY.trusted, address, VMTable.length), trap);
  const base = program.load(TYPE.I64, MEMORY.trusted, address, VMTable.base);
  return program.binary(OPCODE.iadd, base, program.binary(OPCODE.ishl, index, program.iconst(TYPE.I32, ELEMENT_SIZE_LOG2)));
}

function get(f: FunctionLowering): void {
  const table = f.immediate();
  const element = tableElement(f, table, f.popIndex(isWide(f, table)), TRAP.tableBounds);
  f.push(f.program.load(TYPE.I64, MEMORY.trusted, element, 0));
}

function set(f: FunctionLowering): void {
  const table = f.immediate();
  const value = f.pop();
  const element = tableElement(f, table, f.popIndex(isWide(f, table)), TRAP.tableBounds);
  f.program.store(MEMORY.trusted, value, element, 0);
}

function size(f: FunctionLowering): void {
  const table = f.immediate();
  pushIndex(f, f.program.load(TYPE.I64, MEMORY.trusted, pointer(f, table), VMTable.length), isWide(f, table));
}

function grow(f: FunctionLowering): void {
  const table = f.immediate();
  const wide = isWide(f, table);
  const delta = f.popIndex(wide);
  const value = f.pop();
  pushIndex(f, f.hostCall(LIBCALL.tableGrow, [pointer(f, table), delta, value]), wide);
}

function fill(f: FunctionLowering): void {
  const table = f.immediate();
  const wide = isWide(f, table);
  const length = f.popIndex(wide);
  const value = f.pop();
  const index = f.popIndex(wide);
  f.hostCall(LIBCALL.tableFill, [pointer(f, table), index, value, length]);
}

const bulk = bulkOf({ isWide, pointer, copy: LIBCALL.tableCopy, init: LIBCALL.tableInit, drop: LIBCALL.elemDrop });

/** Operators of this group. */
export const TABLES: Handlers = [
  [OP.tableGet, get],
  [OP.tableSet, set],
  [OP.tableSize, size],
  [OP.tableGrow, grow],
  [OP.tableFill, fill],
  [OP.tableCopy, bulk.copy],
  [OP.tableInit, bulk.init],
  [OP.elemDrop, bulk.drop],
];
