/**
 * Locals, globals and constants.
 */
import { LIBCALL, LIMIT, TRAP } from '../../generated/abi.js';
import { INTEGER, KIND, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { head, type Program, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { clifType } from '../program/types.js';

/** The zero of a CLIF type. */
export function zero(program: Program, type: number): Value {
  switch (type) {
    case TYPE.F32:
      return program.make1(head(KIND.fconst, 0, type), 0);
    case TYPE.F64:
      return program.make2(head(KIND.fconst, 0, type), 0, 0);
    case TYPE.I8X16:
      return program.makeMany(head(KIND.vconst, 0, type), [0, 0, 0, 0]);
    case TYPE.I64:
      return program.iconst64(0, 0);
    default:
      return program.iconst(type, 0);
  }
}

/** Declares the params, which have these types and values, and the locals that the stream begins with. */
export function declareLocals(f: FunctionLowering, params: readonly number[], args: readonly Value[]): void {
  const types = [...params];
  const values = [...args];
  const zeros = new Map<number, Value>();
  for (let runs = f.immediate(); runs > 0; runs--) {
    const count = f.immediate();
    const type = clifType(f.immediate());
    const value = zeros.get(type) ?? zero(f.program, type);
    zeros.set(type, value);
    for (let i = 0; i < count; i++) {
      types.push(type);
      values.push(value);
    }
  }
  f.declareLocals(types, values);
}

function localSet(f: FunctionLowering): void {
  f.setLocal(f.immediate(), f.pop());
}

function localTee(f: FunctionLowering): void {
  const value = f.pop();
  f.setLocal(f.immediate(), value);
  f.push(value);
}

/** Where a global's value lies: the instance, or the cell of an imported one. */
function cell(f: FunctionLowering, index: number): { readonly address: Value; readonly offset: number } {
  const { globals, importedGlobals } = f.context.layout;
  const offset = globals.at(index);
  return index < importedGlobals ? { address: f.pointer(offset), offset: 0 } : { address: f.instance, offset };
}

function globalGet(f: FunctionLowering): void {
  const index = f.immediate();
  const global = f.context.spaces.globals[index];
  if (global === undefined) throw new Error(`no global ${index}`);
  const { address, offset } = cell(f, index);
  f.push(f.program.load(clifType(global.type), global.mutable ? MEMORY.trusted : MEMORY.constant, address, offset));
}

function globalSet(f: FunctionLowering): void {
  const index = f.immediate();
  const { address, offset } = cell(f, index);
  const value = f.pop();
  const set = index === f.context.checkedPointer ? checkedPointer(f, value, address, offset) : value;
  f.program.store(MEMORY.trusted, set, address, offset);
}

/**
 * What a stack pointer becomes: the value, if it stays in its area, whose bounds stand beside it in the cell. A value that is not computed here was saved: where several areas are in use it
 * may be the top of another one, on which the function began (docs/decisions/0026).
 */
function checkedPointer(f: FunctionLowering, value: Value, address: Value, offset: number): Value {
  if (f.isComputed(value)) {
    checkPointer(f, value, address, offset);
    return value;
  }
  const { program } = f;
  const wide = isWide(f);
  const bound = (at: number): Value => program.load(TYPE.I32, MEMORY.trusted, address, offset + at);
  const shared = program.binary(
    OPCODE.bor,
    bound(wide ? LIMIT.shadowWideBelow : LIMIT.shadowBelow),
    bound(wide ? LIMIT.shadowWideBeyond : LIMIT.shadowBeyond),
  );
  return f.unlikely(shared, [wide ? TYPE.I64 : TYPE.I32], [value], () => {
    const set = setPointer(f, value, address, offset, true);
    return [wide ? set : program.unary(OPCODE.ireduce, TYPE.I32, set)];
  });
}

/** Whether the pointer is an i64. */
const isWide = (f: FunctionLowering): boolean => f.context.spaces.globals[f.context.checkedPointer]?.type === I64;
const I64 = 0x7e;

function setPointer(f: FunctionLowering, value: Value, address: Value, offset: number, saved: boolean): Value {
  const { program } = f;
  const cell = program.binary(OPCODE.iadd, address, program.address(offset));
  return f.hostCall(LIBCALL.shadowSet, [cell, isWide(f) ? value : f.zeroExtend(value), program.address(saved ? 1 : 0)]);
}

/** Traps unless a stack pointer stays in its area, whose bounds stand beside it in the cell. */
function checkPointer(f: FunctionLowering, value: Value, address: Value, offset: number): void {
  const { program } = f;
  const wide = isWide(f);
  const bound = (at: number): Value => {
    const word = program.load(TYPE.I32, MEMORY.trusted, address, offset + at);
    return wide ? program.unary(OPCODE.sextend, TYPE.I64, word) : word;
  };
  const place = wide ? program.binary(OPCODE.ushr, value, program.iconst(TYPE.I32, LIMIT.shadowWideShift)) : value;
  // Where the pointer has come down to 0 and goes on at 2^32 it is above its area, so that both ends count. Cells are made without bounds: all zeros.
  const distance = program.binary(OPCODE.isub, bound(wide ? LIMIT.shadowWideBelow : LIMIT.shadowBelow), place);
  const overflow = (): void => {
    setPointer(f, value, address, offset, false);
  };
  const beyond = bound(wide ? LIMIT.shadowWideBeyond : LIMIT.shadowBeyond);
  f.never(program.icmp(INTEGER.ugt, beyond, distance), overflow, TRAP.shadowOverflow);
}

/** A constant of `words` words. */
const constant =
  (first: number, words: number) =>
  (f: FunctionLowering): void => {
    f.push(
      f.program.makeMany(
        first,
        Array.from({ length: words }, () => f.immediate()),
      ),
    );
  };

/** Operators of this group. */
export const VARIABLES: Handlers = [
  [OP.localGet, (f) => f.push(f.local(f.immediate()))],
  [OP.localSet, localSet],
  [OP.localTee, localTee],
  [OP.globalGet, globalGet],
  [OP.globalSet, globalSet],
  [OP.i32Const, constant(head(KIND.iconst, 0, TYPE.I32), 1)],
  [OP.i64Const, constant(head(KIND.iconst, 0, TYPE.I64), 2)],
  [OP.f32Const, constant(head(KIND.fconst, 0, TYPE.F32), 1)],
  [OP.f64Const, constant(head(KIND.fconst, 0, TYPE.F64), 2)],
  [OP.v128Const, constant(head(KIND.vconst, 0, TYPE.I8X16), 4)],
];
