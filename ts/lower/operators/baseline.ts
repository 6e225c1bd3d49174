/**
 * What x86-64 without SSE4.1 or SSSE3 has no instruction for, and Cranelift would call a library for, which code on a fiber has not: rounding, and the choice of
 * bytes by a vector. Slow and right.
 */
import { FLOAT, KIND, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering } from '../function/function.js';
import { head, type Value } from '../program/program.js';

const { I8, I32, I64, F32, F64, I8X16, I32X4, I64X2, F32X4, F64X2 } = TYPE;

/** The four ways to round to an integer. */
export type Rounding = 'ceil' | 'floor' | 'trunc' | 'nearest';

/** A float type, or a vector of it, as rounding sees it: constants are given as words of one lane, low first. */
interface FloatType {
  readonly type: number;
  /** Vector of integers of the same width; -1 for scalars. */
  readonly mask: number;
  /** 2^23 or 2^52: from here on every float is an integer. */
  readonly integral: readonly number[];
  readonly one: readonly number[];
  readonly sign: readonly number[];
}

const SINGLE = { integral: [0x4b00_0000], one: [0x3f80_0000], sign: [0x8000_0000] };
const DOUBLE = { integral: [0, 0x4330_0000], one: [0, 0x3ff0_0000], sign: [0, 0x8000_0000] };
const FLOAT_TYPES = new Map<number, FloatType>([
  [F32, { type: F32, mask: -1, ...SINGLE }],
  [F64, { type: F64, mask: -1, ...DOUBLE }],
  [F32X4, { type: F32X4, mask: I32X4, ...SINGLE }],
  [F64X2, { type: F64X2, mask: I64X2, ...DOUBLE }],
]);

function cast(f: FunctionLowering, value: Value, type: number): Value {
  return f.program.make1(head(KIND.bitcast, 0, type), value);
}

/** The same constant in every lane. */
function constant(f: FunctionLowering, { type, mask }: FloatType, words: readonly number[]): Value {
  if (mask < 0) return f.program.makeMany(head(KIND.fconst, 0, type), words);
  const lanes = words.length === 1 ? [...words, ...words, ...words, ...words] : [...words, ...words];
  return cast(f, f.program.makeMany(head(KIND.vconst, 0, I8X16), lanes), type);
}

/** `yes` where the comparison holds, else `no`, lane by lane. */
function choose(f: FunctionLowering, float: FloatType, condition: number, a: Value, b: Value, yes: Value, no: Value): Value {
  const { program } = f;
  const holds = program.make2(head(KIND.fcmp, condition), a, b);
  if (float.mask < 0) return program.ternary(OPCODE.select, holds, yes, no);
  const [mask, left, right] = [holds, yes, no].map((value) => cast(f, value, I8X16)) as [Value, Value, Value];
  return cast(f, program.ternary(OPCODE.bitselect, mask, left, right), float.type);
}

/** The first operand with the second one's signs. */
function withSign(f: FunctionLowering, float: FloatType, value: Value, sign: Value): Value {
  const { program } = f;
  if (float.mask < 0) return program.binary(OPCODE.fcopysign, value, sign);
  const mask = cast(f, constant(f, float, float.sign), I8X16);
  return cast(f, program.ternary(OPCODE.bitselect, mask, cast(f, sign, I8X16), cast(f, value, I8X16)), float.type);
}

/**
 * Rounds a float or a vector of floats (`type`). Below 2^52, adding 2^52 and taking it away rounds to the nearest integer, ties to even; one step from there is
 * what the other ways are. Everything from 2^52 on is an integer already; taking zero away makes NaNs quiet.
 */
export function round(f: FunctionLowering, rounding: Rounding, type: number, x: Value): Value {
  const { program } = f;
  const float = FLOAT_TYPES.get(type);
  if (float === undefined) throw new Error(`type ${type} is no float`);
  const integral = constant(f, float, float.integral);
  const one = constant(f, float, float.one);
  const size = program.unary(OPCODE.fabs, 0, x);
  const near = program.binary(OPCODE.fsub, program.binary(OPCODE.fadd, size, integral), integral);
  const rounded = withSign(f, float, step(), x);
  const whole = program.binary(
    OPCODE.fsub,
    x,
    constant(
      f,
      float,
      float.integral.map(() => 0),
    ),
  );
  return choose(f, float, FLOAT.lt, size, integral, rounded, whole);

  function step(): Value {
    if (rounding === 'nearest') return near;
    if (rounding === 'trunc') return choose(f, float as FloatType, FLOAT.gt, near, size, program.binary(OPCODE.fsub, near, one), near);
    const signed = withSign(f, float as FloatType, near, x);
    const [condition, opcode] = rounding === 'floor' ? ([FLOAT.gt, OPCODE.fsub] as const) : ([FLOAT.lt, OPCODE.fadd] as const);
    return choose(f, float as FloatType, condition, signed, x, program.binary(opcode, signed, one), signed);
  }
}

const BYTES = 16;

/** The bytes of two vectors that 16 constants from 0 to 31 name. `mask` has them as words. */
export function shuffleBytes(f: FunctionLowering, mask: readonly number[], a: Value, b: Value): Value {
  const { program } = f;
  const area = f.vectorArea();
  program.store(MEMORY.trusted, a, area, 0);
  program.store(MEMORY.trusted, b, area, BYTES);
  for (let i = 0; i < BYTES; i++) {
    const from = ((mask[i >> 2] as number) >>> (8 * (i & 3))) & 0xff;
    program.store(MEMORY.trusted, program.load(I8, MEMORY.trusted, area, from), area, 2 * BYTES + i);
  }
  return program.load(I8X16, MEMORY.trusted, area, 2 * BYTES);
}

/** The bytes of a vector that another's name; 0 for what is above 15. */
export function swizzleBytes(f: FunctionLowering, bytes: Value, indices: Value): Value {
  const { program } = f;
  const area = f.vectorArea();
  const zeros = program.makeMany(head(KIND.vconst, 0, I8X16), [0, 0, 0, 0]);
  program.store(MEMORY.trusted, bytes, area, 0);
  program.store(MEMORY.trusted, zeros, area, BYTES);
  program.store(MEMORY.trusted, indices, area, 2 * BYTES);
  for (let i = 0; i < BYTES; i++) {
    const index = program.unary(OPCODE.uextend, I32, program.load(I8, MEMORY.trusted, area, 2 * BYTES + i));
    const place = program.unary(OPCODE.uextend, I64, program.binary(OPCODE.umin, index, program.iconst(I32, BYTES)));
    const byte = program.load(I8, MEMORY.trusted, program.binary(OPCODE.iadd, area, place), 0);
    program.store(MEMORY.trusted, byte, area, 3 * BYTES + i);
  }
  return program.load(I8X16, MEMORY.trusted, area, 3 * BYTES);
}
