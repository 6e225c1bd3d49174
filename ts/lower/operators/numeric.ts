/**
 * Plain operators: each is one CLIF instruction, or two.
 */
import { FLOAT, INTEGER, KIND, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handler, Handlers } from '../function/function.js';
import { head } from '../program/program.js';
import { OP } from '../program/stream.js';
import { type Rounding, round } from './baseline.js';
import { place } from './memory.js';

const { I8, I16, I32, I64, F32, F64 } = TYPE;
type Opcode = keyof typeof OPCODE;
type Entry = readonly [number, Handler];

/** What may trap tells its place in the module. */
const TRAPPING: ReadonlySet<Opcode> = new Set(['sdiv', 'udiv', 'srem', 'urem', 'fcvt_to_sint', 'fcvt_to_uint']);

const unary = (opcode: Opcode, type = 0): Handler => {
  const first = head(KIND.unary, OPCODE[opcode], type);
  const traps = TRAPPING.has(opcode);
  return (f) => {
    const a = f.pop();
    if (traps) f.locate();
    f.push(f.program.make1(first, a));
  };
};

/** Rounding to an integer. */
const rounding =
  (way: Rounding, type: number): Handler =>
  (f) => {
    const value = f.pop();
    f.push(f.context.options.rounds ? f.program.unary(OPCODE[way], 0, value) : round(f, way, type, value));
  };

const binary = (opcode: Opcode): Handler => {
  const first = head(KIND.binary, OPCODE[opcode]);
  const traps = TRAPPING.has(opcode);
  return (f) => {
    const b = f.pop();
    const a = f.pop();
    if (traps) f.locate();
    f.push(f.program.make2(first, a, b));
  };
};

const compare =
  (first: number): Handler =>
  (f) => {
    const b = f.pop();
    const a = f.pop();
    f.pushCondition(f.program.make2(first, a, b));
  };

const load = (opcode: Opcode, type: number, size: number): Handler => {
  const first = head(KIND.load, OPCODE[opcode], type, MEMORY.heap);
  return (f) => {
    const { address, displacement } = place(f, size);
    f.push(f.program.make2(first, address, displacement));
  };
};

const store = (opcode: Opcode, size: number): Handler => {
  const first = head(KIND.store, OPCODE[opcode], 0, MEMORY.heap);
  return (f) => {
    const value = f.pop();
    const { address, displacement } = place(f, size);
    f.program.do3(first, value, address, displacement);
  };
};

/** An operator that stack pointers are computed with: its results are noted as such where there is one to check. */
const pointerArithmetic = (opcode: Opcode): Handler => {
  const first = head(KIND.binary, OPCODE[opcode]);
  return (f) => {
    const b = f.pop();
    const a = f.pop();
    const value = f.program.make2(first, a, b);
    if (f.context.checkedPointer >= 0) f.noteComputed(value);
    f.push(value);
  };
};

/** Sign extension of an integer's low part. */
const extend = (from: number, to: number): Handler => {
  const narrow = head(KIND.unary, OPCODE.ireduce, from);
  const widen = head(KIND.unary, OPCODE.sextend, to);
  return (f) => {
    const part = f.program.make1(narrow, f.pop());
    f.push(f.program.make1(widen, part));
  };
};

const bitcast =
  (type: number): Handler =>
  (f) =>
    f.push(f.program.make1(head(KIND.bitcast, 0, type), f.pop()));

/** A comparison with zero; that of a comparison's I8 stays one. */
function eqz(f: FunctionLowering): void {
  const type = f.topIsCondition ? I8 : I32;
  const value = f.popCondition();
  f.pushCondition(f.program.icmp(INTEGER.eq, value, f.program.iconst(type, 0)));
}

/** Consecutive operators from `first` on. */
const from = <T>(first: number, items: readonly T[], handler: (item: T, i: number) => Handler): Entry[] =>
  items.map((item, i) => [first + i, handler(item, i)]);

const INTEGER_COMPARISONS = ['eq', 'ne', 'slt', 'ult', 'sgt', 'ugt', 'sle', 'ule', 'sge', 'uge'] as const;
const FLOAT_COMPARISONS = ['eq', 'ne', 'lt', 'gt', 'le', 'ge'] as const;
const INTEGER_BINARY = [
  'iadd',
  'isub',
  'imul',
  'sdiv',
  'udiv',
  'srem',
  'urem',
  'band',
  'bor',
  'bxor',
  'ishl',
  'sshr',
  'ushr',
  'rotl',
  'rotr',
] as const;
/** What stack pointers are computed with. */
const POINTER_ARITHMETIC: ReadonlySet<string> = new Set(['iadd', 'isub', 'band']);
const ROUNDINGS = ['ceil', 'floor', 'trunc', 'nearest'] as const;
const FLOAT_BINARY = ['fadd', 'fsub', 'fmul', 'fdiv', 'fmin', 'fmax', 'fcopysign'] as const;
const TRUNCATIONS = ['fcvt_to_sint', 'fcvt_to_uint', 'fcvt_to_sint', 'fcvt_to_uint'] as const;
const SATURATING = ['fcvt_to_sint_sat', 'fcvt_to_uint_sat'] as const;
const CONVERSIONS = ['fcvt_from_sint', 'fcvt_from_uint', 'fcvt_from_sint', 'fcvt_from_uint'] as const;

const icmp = (name: keyof typeof INTEGER): Handler => compare(head(KIND.icmp, INTEGER[name]));
const fcmp = (name: keyof typeof FLOAT): Handler => compare(head(KIND.fcmp, FLOAT[name]));

const integers = (comparisons: number, arithmetic: number): Entry[] => [
  ...from(comparisons, INTEGER_COMPARISONS, icmp),
  ...from(arithmetic, ['clz', 'ctz', 'popcnt'] as const, (name) => unary(name)),
  ...from(arithmetic + 3, INTEGER_BINARY, (name) => (POINTER_ARITHMETIC.has(name) ? pointerArithmetic(name) : binary(name))),
];

const floats = (type: number, comparisons: number, arithmetic: number): Entry[] => [
  ...from(comparisons, FLOAT_COMPARISONS, fcmp),
  ...from(arithmetic, ['fabs', 'fneg'] as const, (name) => unary(name)),
  ...from(arithmetic + 2, ROUNDINGS, (way) => rounding(way, type)),
  ...from(arithmetic + 6, ['sqrt'] as const, (name) => unary(name)),
  ...from(arithmetic + 7, FLOAT_BINARY, binary),
];

const LOADS: readonly Handler[] = [
  load('load', I32, 4),
  load('load', I64, 8),
  load('load', F32, 4),
  load('load', F64, 8),
  load('sload8', I32, 1),
  load('uload8', I32, 1),
  load('sload16', I32, 2),
  load('uload16', I32, 2),
  load('sload8', I64, 1),
  load('uload8', I64, 1),
  load('sload16', I64, 2),
  load('uload16', I64, 2),
  // These always make an I64, so the type stands for the address.
  load('sload32', 0, 4),
  load('uload32', 0, 4),
];

const STORES: readonly Handler[] = [
  store('store', 4),
  store('store', 8),
  store('store', 4),
  store('store', 8),
  store('istore8', 1),
  store('istore16', 2),
  store('istore8', 1),
  store('istore16', 2),
  store('istore32', 4),
];

/** Operators of this group. */
export const NUMERIC: Handlers = [
  ...from(0x28, LOADS, (handler) => handler),
  ...from(0x36, STORES, (handler) => handler),
  [OP.i32Eqz, eqz],
  [OP.i64Eqz, (f) => f.pushCondition(f.isZero(f.pop()))],
  ...integers(0x46, 0x67),
  ...integers(0x51, 0x79),
  ...floats(F32, 0x5b, 0x8b),
  ...floats(F64, 0x61, 0x99),
  [0xa7, unary('ireduce', I32)],
  ...from(0xa8, TRUNCATIONS, (name) => unary(name, I32)),
  [0xac, unary('sextend', I64)],
  [0xad, unary('uextend', I64)],
  ...from(0xae, TRUNCATIONS, (name) => unary(name, I64)),
  ...from(0xb2, CONVERSIONS, (name) => unary(name, F32)),
  [0xb6, unary('fdemote', F32)],
  ...from(0xb7, CONVERSIONS, (name) => unary(name, F64)),
  [0xbb, unary('fpromote', F64)],
  ...from(0xbc, [I32, I64, F32, F64], bitcast),
  ...from(0xc0, [I8, I16], (type) => extend(type, I32)),
  ...from(0xc2, [I8, I16, I32], (type) => extend(type, I64)),
  ...from(0xfc000, [I32, I32, I32, I32, I64, I64, I64, I64], (type, i) => unary(SATURATING[i % 2] as Opcode, type)),
];
