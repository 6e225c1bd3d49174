/**
 * Vector operators. A v128 is an I8X16 wherever it is kept; an operator that sees other lanes casts its operands and its result, which costs no machine
 * instruction.
 */
// spreads: tables of constants, a few dozen each
import { FLOAT, INTEGER, KIND, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handler, Handlers } from '../function/function.js';
import { head, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { type Rounding, round, shuffleBytes, swizzleBytes } from './baseline.js';
import { place } from './memory.js';

const { I8, I16, I32, I64, F32, F64, I8X16, I16X8, I32X4, I64X2, F32X4, F64X2 } = TYPE;
type Opcode = keyof typeof OPCODE;
type Entry = readonly [opcode: number, handler: Handler];

/** A kind of lanes: the vector type, the type of one lane, and the integer vector that comparisons give. */
interface Lanes {
  readonly vector: number;
  readonly lane: number;
  readonly bits: number;
  readonly mask: number;
}

const lanes = (vector: number, lane: number, bits: number, mask = vector): Lanes => ({ vector, lane, bits, mask });
const B = lanes(I8X16, I8, 8);
const H = lanes(I16X8, I16, 16);
const W = lanes(I32X4, I32, 32);
const D = lanes(I64X2, I64, 64);
const S = lanes(F32X4, F32, 32, I32X4);
const L = lanes(F64X2, F64, 64, I64X2);

const word = (sub: number): number => (0xfd << 12) | sub;

// What handlers are made of.

/** A v128 with the lanes that an instruction wants. */
function cast(f: FunctionLowering, value: Value, type: number): Value {
  return type === I8X16 ? value : f.program.make1(head(KIND.bitcast, 0, type), value);
}

function pop(f: FunctionLowering, { vector }: Lanes): Value {
  return cast(f, f.pop(), vector);
}

/** Pushes a vector whose lanes are `type`. */
function push(f: FunctionLowering, value: Value, type: number): void {
  f.push(type === I8X16 ? value : f.program.make1(head(KIND.bitcast, 0, I8X16), value));
}

function zeros(f: FunctionLowering, type: number): Value {
  return cast(f, f.program.makeMany(head(KIND.vconst, 0, I8X16), [0, 0, 0, 0]), type);
}

/** One instruction of one vector; its result has the lanes `to`, and names that type where the instruction needs it. */
const unary =
  (opcode: Opcode, from: Lanes, to = from, named = false): Handler =>
  (f) => {
    push(f, f.program.unary(OPCODE[opcode], named ? to.vector : 0, pop(f, from)), to.vector);
  };

/** Rounding to integers. */
const rounding =
  (way: Rounding, type: Lanes): Handler =>
  (f) => {
    const value = pop(f, type);
    push(f, f.context.options.rounds ? f.program.unary(OPCODE[way], 0, value) : round(f, way, type.vector, value), type.vector);
  };

/** One instruction of two vectors. */
const binary =
  (opcode: Opcode, from: Lanes, to = from): Handler =>
  (f) => {
    const b = pop(f, from);
    push(f, f.program.binary(OPCODE[opcode], pop(f, from), b), to.vector);
  };

const compare =
  (kind: number, condition: number, type: Lanes): Handler =>
  (f) => {
    const b = pop(f, type);
    push(f, f.program.make2(head(kind, condition), pop(f, type), b), type.mask);
  };

/** A test that gives 0 or 1. */
const truth =
  (opcode: Opcode, type: Lanes): Handler =>
  (f) =>
    f.pushCondition(f.program.unary(OPCODE[opcode], 0, pop(f, type)));

const bitmask =
  (type: Lanes): Handler =>
  (f) =>
    f.push(f.program.unary(OPCODE.vhigh_bits, I32, pop(f, type)));

/** The amount counts modulo the lane's width. */
const shift =
  (opcode: Opcode, type: Lanes): Handler =>
  (f) => {
    const amount = f.program.binary(OPCODE.band, f.pop(), f.program.iconst(I32, type.bits - 1));
    push(f, f.program.binary(OPCODE[opcode], pop(f, type), amount), type.vector);
  };

/** An i32 as an integer lane. */
function narrow(f: FunctionLowering, value: Value, type: Lanes): Value {
  return type.bits < 32 ? f.program.unary(OPCODE.ireduce, type.lane, value) : value;
}

const splat =
  (type: Lanes): Handler =>
  (f) =>
    push(f, f.program.unary(OPCODE.splat, type.vector, narrow(f, f.pop(), type)), type.vector);

/** `widen` makes an i32 of a small lane. */
const extract =
  (type: Lanes, widen?: Opcode): Handler =>
  (f) => {
    const lane = f.immediate();
    const value = f.program.make2(head(KIND.laneExtract, OPCODE.extractlane), lane, pop(f, type));
    f.push(widen === undefined ? value : f.program.unary(OPCODE[widen], I32, value));
  };

function insert(f: FunctionLowering, lane: number, vector: Value, value: Value): Value {
  return f.program.make3(head(KIND.laneInsert, OPCODE.insertlane), lane, vector, value);
}

const replace =
  (type: Lanes): Handler =>
  (f) => {
    const lane = f.immediate();
    const value = narrow(f, f.pop(), type);
    push(f, insert(f, lane, pop(f, type), value), type.vector);
  };

/** Both vectors widened by the same instruction, then another instruction of the two. */
const widened =
  (widen: Opcode, opcode: Opcode, from: Lanes, to: Lanes): Handler =>
  (f) => {
    const b = f.program.unary(OPCODE[widen], 0, pop(f, from));
    const a = f.program.unary(OPCODE[widen], 0, pop(f, from));
    push(f, f.program.binary(OPCODE[opcode], a, b), to.vector);
  };

/** Sums of neighbours of one vector, widened. */
function pairs(f: FunctionLowering, low: Opcode, high: Opcode, value: Value): Value {
  const { program } = f;
  return program.binary(OPCODE.iadd_pairwise, program.unary(OPCODE[low], 0, value), program.unary(OPCODE[high], 0, value));
}

const pairwise =
  (low: Opcode, high: Opcode, from: Lanes, to: Lanes): Handler =>
  (f) =>
    push(f, pairs(f, low, high, pop(f, from)), to.vector);

/** Sums of neighbouring products, as integers of the double width. */
function dotProduct(f: FunctionLowering, from: Lanes): Value {
  const { program } = f;
  const b = pop(f, from);
  const a = pop(f, from);
  const product = (widen: Opcode): Value =>
    program.binary(OPCODE.imul, program.unary(OPCODE[widen], 0, a), program.unary(OPCODE[widen], 0, b));
  return program.binary(OPCODE.iadd_pairwise, product('swiden_low'), product('swiden_high'));
}

/** pmin and pmax: one operand where the comparison of the operands, in the order given, holds. */
const pseudo =
  (type: Lanes, swap: boolean): Handler =>
  (f) => {
    const b = f.pop();
    const a = f.pop();
    const [left, right] = swap ? [b, a] : [a, b];
    const less = f.program.make2(head(KIND.fcmp, FLOAT.lt), cast(f, left, type.vector), cast(f, right, type.vector));
    const mask = f.program.make1(head(KIND.bitcast, 0, I8X16), less);
    f.push(f.program.ternary(OPCODE.bitselect, mask, b, a));
  };

/** c + a * b or c - a * b. Fused where the CPU does that, which the relaxed operators leave open; elsewhere that would need a library. */
const multiplyAdd =
  (type: Lanes, opcode: 'fadd' | 'fsub'): Handler =>
  (f) => {
    const { program } = f;
    const c = pop(f, type);
    const b = pop(f, type);
    const a = pop(f, type);
    const fused = (): Value => program.ternary(OPCODE.fma, opcode === 'fsub' ? program.unary(OPCODE.fneg, 0, a) : a, b, c);
    const rounded = (): Value => program.binary(OPCODE[opcode], c, program.binary(OPCODE.fmul, a, b));
    push(f, f.context.options.fuses ? fused() : rounded(), type.vector);
  };

/** Two doubles to two integers, and zeros. Lane by lane: the backends narrow 64-bit lanes only in patterns of their own. */
const truncateToLow =
  (convert: Opcode): Handler =>
  (f) => {
    const doubles = pop(f, L);
    let integers = zeros(f, I32X4);
    for (const lane of [0, 1]) {
      const double = f.program.make2(head(KIND.laneExtract, OPCODE.extractlane), lane, doubles);
      integers = insert(f, lane, integers, f.program.unary(OPCODE[convert], I32, double));
    }
    push(f, integers, I32X4);
  };

const convertLow =
  (widen: Opcode, convert: Opcode): Handler =>
  (f) =>
    push(f, f.program.unary(OPCODE[convert], F64X2, f.program.unary(OPCODE[widen], 0, pop(f, W))), F64X2);

function andNot(f: FunctionLowering): void {
  const not = f.program.unary(OPCODE.bnot, 0, f.pop());
  f.push(f.program.binary(OPCODE.band, f.pop(), not));
}

function bitselect(f: FunctionLowering): void {
  const mask = f.pop();
  const b = f.pop();
  f.push(f.program.ternary(OPCODE.bitselect, mask, f.pop(), b));
}

function shuffle(f: FunctionLowering): void {
  const mask = [f.immediate(), f.immediate(), f.immediate(), f.immediate()];
  const b = f.pop();
  const a = f.pop();
  f.push(f.context.options.shuffles ? f.program.makeMany(head(KIND.shuffle), [...mask, a, b]) : shuffleBytes(f, mask, a, b));
}

function swizzle(f: FunctionLowering): void {
  const indices = f.pop();
  const bytes = f.pop();
  f.push(f.context.options.shuffles ? f.program.binary(OPCODE.swizzle, bytes, indices) : swizzleBytes(f, bytes, indices));
}

// Memory.

/** Loads `size` bytes and makes lanes `type` of them. */
const load =
  (opcode: Opcode, type: number, size: number, finish?: (f: FunctionLowering, value: Value) => void): Handler =>
  (f) => {
    const { address, displacement } = place(f, size);
    const value = f.program.make2(head(KIND.load, OPCODE[opcode], type, MEMORY.heap), address, displacement);
    if (finish === undefined) f.push(value);
    else finish(f, value);
  };

const widening = (opcode: Opcode, { vector }: Lanes): Handler => load(opcode, 0, 8, (f, value) => push(f, value, vector));

const loadInto = (opcode: 'splat' | 'scalar_to_vector', { vector, lane, bits }: Lanes): Handler =>
  load('load', lane, bits / 8, (f, value) => push(f, f.program.unary(OPCODE[opcode], vector, value), vector));

function store(f: FunctionLowering): void {
  const value = f.pop();
  const { address, displacement } = place(f, 16);
  f.program.store(MEMORY.heap, value, address, displacement);
}

const loadLane =
  (type: Lanes): Handler =>
  (f) => {
    const vector = pop(f, type);
    const { address, displacement } = place(f, type.bits / 8);
    const value = f.program.load(type.lane, MEMORY.heap, address, displacement);
    push(f, insert(f, f.immediate(), vector, value), type.vector);
  };

const storeLane =
  (type: Lanes): Handler =>
  (f) => {
    const vector = pop(f, type);
    const { address, displacement } = place(f, type.bits / 8);
    const value = f.program.make2(head(KIND.laneExtract, OPCODE.extractlane), f.immediate(), vector);
    f.program.store(MEMORY.heap, value, address, displacement);
  };

// The table.

/** Operators with consecutive numbers. */
const from = (first: number, ...handlers: readonly Handler[]): Entry[] => handlers.map((handler, i) => [word(first + i), handler]);

const icmp = (type: Lanes, ...conditions: readonly (keyof typeof INTEGER)[]): Handler[] =>
  conditions.map((condition) => compare(KIND.icmp, INTEGER[condition], type));

const fcmp = (type: Lanes): Handler[] =>
  (['eq', 'ne', 'lt', 'gt', 'le', 'ge'] as const).map((condition) => compare(KIND.fcmp, FLOAT[condition], type));

const COMPARISONS = ['eq', 'ne', 'slt', 'ult', 'sgt', 'ugt', 'sle', 'ule', 'sge', 'uge'] as const;
const WIDENINGS = ['swiden_low', 'swiden_high', 'uwiden_low', 'uwiden_high'] as const;

const extensions = (first: number, narrower: Lanes, wider: Lanes): Entry[] =>
  from(first, ...WIDENINGS.map((name) => unary(name, narrower, wider)));

const extendedProducts = (first: number, narrower: Lanes, wider: Lanes): Entry[] =>
  from(first, ...WIDENINGS.map((name) => widened(name, 'imul', narrower, wider)));

const shifts = (first: number, type: Lanes): Entry[] => from(first, shift('ishl', type), shift('sshr', type), shift('ushr', type));

const saturating = (first: number, type: Lanes): Entry[] =>
  from(first, ...(['iadd', 'sadd_sat', 'uadd_sat', 'isub', 'ssub_sat', 'usub_sat'] as const).map((name) => binary(name, type)));

const extremes = (first: number, type: Lanes): Entry[] =>
  from(first, ...(['smin', 'umin', 'smax', 'umax'] as const).map((name) => binary(name, type)));

const floats = (first: number, type: Lanes): Entry[] => [
  ...from(first, unary('fabs', type), unary('fneg', type)),
  ...from(first + 3, unary('sqrt', type)),
  ...from(first + 4, ...(['fadd', 'fsub', 'fmul', 'fdiv', 'fmin', 'fmax'] as const).map((name) => binary(name, type))),
  ...from(first + 10, pseudo(type, true), pseudo(type, false)),
];

const MEMORY_OPERATORS: readonly Entry[] = [
  ...from(0x00, load('load', I8X16, 16)),
  ...from(0x01, widening('sload8x8', H), widening('uload8x8', H), widening('sload16x4', W), widening('uload16x4', W)),
  ...from(0x05, widening('sload32x2', D), widening('uload32x2', D)),
  ...from(0x07, ...[B, H, W, D].map((type) => loadInto('splat', type)), store),
  ...from(0x54, ...[B, H, W, D].map(loadLane), ...[B, H, W, D].map(storeLane)),
  ...from(0x5c, loadInto('scalar_to_vector', W), loadInto('scalar_to_vector', D)),
];

const LANE_OPERATORS: readonly Entry[] = [
  [OP.i8x16Shuffle, shuffle],
  ...from(0x0e, swizzle, ...[B, H, W, D, S, L].map(splat)),
  ...from(0x15, extract(B, 'sextend'), extract(B, 'uextend'), replace(B)),
  ...from(0x18, extract(H, 'sextend'), extract(H, 'uextend'), replace(H)),
  ...from(0x1b, ...[W, D, S, L].flatMap((type) => [extract(type), replace(type)])),
];

const INTEGER_OPERATORS: readonly Entry[] = [
  ...from(0x23, ...[B, H, W].flatMap((type) => icmp(type, ...COMPARISONS)), ...fcmp(S), ...fcmp(L)),
  ...from(0xd6, ...icmp(D, 'eq', 'ne', 'slt', 'sgt', 'sle', 'sge')),
  ...from(0x4d, unary('bnot', B), binary('band', B), andNot, binary('bor', B), binary('bxor', B), bitselect, truth('vany_true', B)),
  ...from(0x60, unary('iabs', B), unary('ineg', B), unary('popcnt', B), truth('vall_true', B), bitmask(B)),
  ...from(0x65, binary('snarrow', H, B), binary('unarrow', H, B)),
  ...shifts(0x6b, B),
  ...saturating(0x6e, B),
  ...extremes(0x76, B),
  ...from(0x7b, binary('avg_round', B)),
  ...from(0x7c, pairwise('swiden_low', 'swiden_high', B, H), pairwise('uwiden_low', 'uwiden_high', B, H)),
  ...from(0x7e, pairwise('swiden_low', 'swiden_high', H, W), pairwise('uwiden_low', 'uwiden_high', H, W)),
  ...from(0x80, unary('iabs', H), unary('ineg', H), binary('sqmul_round_sat', H), truth('vall_true', H), bitmask(H)),
  ...from(0x85, binary('snarrow', W, H), binary('unarrow', W, H)),
  ...extensions(0x87, B, H),
  ...shifts(0x8b, H),
  ...saturating(0x8e, H),
  ...from(0x95, binary('imul', H)),
  ...extremes(0x96, H),
  ...from(0x9b, binary('avg_round', H)),
  ...extendedProducts(0x9c, B, H),
  ...from(0xa0, unary('iabs', W), unary('ineg', W)),
  ...from(0xa3, truth('vall_true', W), bitmask(W)),
  ...extensions(0xa7, H, W),
  ...shifts(0xab, W),
  ...from(0xae, binary('iadd', W)),
  ...from(0xb1, binary('isub', W)),
  ...from(0xb5, binary('imul', W)),
  ...extremes(0xb6, W),
  ...from(0xba, (f) => push(f, dotProduct(f, H), I32X4)),
  ...extendedProducts(0xbc, H, W),
  ...from(0xc0, unary('iabs', D), unary('ineg', D)),
  ...from(0xc3, truth('vall_true', D), bitmask(D)),
  ...extensions(0xc7, W, D),
  ...shifts(0xcb, D),
  ...from(0xce, binary('iadd', D)),
  ...from(0xd1, binary('isub', D)),
  ...from(0xd5, binary('imul', D)),
  ...extendedProducts(0xdc, W, D),
];

const FLOAT_OPERATORS: readonly Entry[] = [
  ...from(0x5e, unary('fvdemote', L, S), unary('fvpromote_low', S, L)),
  ...from(0x67, rounding('ceil', S), rounding('floor', S), rounding('trunc', S), rounding('nearest', S)),
  ...from(0x74, rounding('ceil', L), rounding('floor', L)),
  ...from(0x7a, rounding('trunc', L)),
  ...from(0x94, rounding('nearest', L)),
  ...floats(0xe0, S),
  ...floats(0xec, L),
  ...from(0xf8, unary('fcvt_to_sint_sat', S, W, true), unary('fcvt_to_uint_sat', S, W, true)),
  ...from(0xfa, unary('fcvt_from_sint', W, S, true), unary('fcvt_from_uint', W, S, true)),
  ...from(0xfc, truncateToLow('fcvt_to_sint_sat'), truncateToLow('fcvt_to_uint_sat')),
  ...from(0xfe, convertLow('swiden_low', 'fcvt_from_sint'), convertLow('uwiden_low', 'fcvt_from_uint')),
];

/** Of what the relaxed operators may do, always what the strict ones do, but for the fused products. */
const RELAXED_OPERATORS: readonly Entry[] = [
  ...from(0x100, swizzle, unary('fcvt_to_sint_sat', S, W, true), unary('fcvt_to_uint_sat', S, W, true)),
  ...from(0x103, truncateToLow('fcvt_to_sint_sat'), truncateToLow('fcvt_to_uint_sat')),
  ...from(0x105, ...[S, L].flatMap((type) => [multiplyAdd(type, 'fadd'), multiplyAdd(type, 'fsub')])),
  ...from(0x109, bitselect, bitselect, bitselect, bitselect),
  ...from(0x10d, binary('fmin', S), binary('fmax', S), binary('fmin', L), binary('fmax', L)),
  ...from(0x111, binary('sqmul_round_sat', H), (f) => push(f, dotProduct(f, B), I16X8), dotAdd),
];

function dotAdd(f: FunctionLowering): void {
  const c = pop(f, W);
  const sums = pairs(f, 'swiden_low', 'swiden_high', dotProduct(f, B));
  push(f, f.program.binary(OPCODE.iadd, sums, c), I32X4);
}

/** Operators of this group; v128.const is with the other constants. */
export const VECTORS: Handlers = [...MEMORY_OPERATORS, ...LANE_OPERATORS, ...INTEGER_OPERATORS, ...FLOAT_OPERATORS, ...RELAXED_OPERATORS];
