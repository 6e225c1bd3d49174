/**
 * Constant expressions: operator words (contract/formats.md, section 3) to a cell.
 */
import { append, asUintN, Bytes, each, imul, isArray, takeLast, typedLength } from '../base/intrinsics.js';
import { internal } from '../errors/catalog.js';
import { VMObject } from '../generated/abi.js';
import type { FieldPlace } from '../lower/module/object_types.js';
import { OP } from '../lower/program/stream.js';
import { storageSizeLog2 } from '../validate/object_layout.js';
import { bigIntOfCell, type CellWords, cellOfBigInt, cellOfNumber, ZERO_CELL } from './cells.js';

/** What an expression may refer to. */
export interface ConstantSpace {
  /** Value of a global that is already there. */
  global(index: number): CellWords;
  /** Address of a function's VMFunction. */
  function(index: number): number;
  /** Where the fields of a structure type lie; of an array type its first element. */
  fields(type: number): readonly FieldPlace[];
  /** Address of a new structure or array of a type: its fields or elements are these bytes, repeated as often as they fit, or zeros where there are none. */
  create(type: number, length: number, contents: Uint8Array): number;
}

const I32_CONST = 0x41;
const I64_CONST = 0x42;

/**
 * The value of `i32.const` or `i64.const` and nothing else, which most offsets are: its opcode, its offset in the module, its value. Undefined for other expressions, which are
 * `size` words from `start` on.
 */
export function plainConstant(words: Uint32Array, start: number, size: number): number | undefined {
  if (size === 4 && words[start] === I64_CONST) return (words[start + 2] as number) + (words[start + 3] as number) * 2 ** 32;
  return size === 3 && words[start] === I32_CONST ? words[start + 2] : undefined;
}

const BYTE = 8;
const WORD_BYTES = 4;

/** Writes a cell's value as a field, `at` bytes behind the beginning. */
function putField(contents: Uint8Array, at: number, storage: number, cell: CellWords): void {
  const size = 1 << storageSizeLog2(storage);
  for (let i = 0; i < size; i++) contents[at + i] = (cell[i >> 2] ?? 0) >>> (BYTE * (i % WORD_BYTES));
}

/** The fields of a structure. */
function structContents(fields: readonly FieldPlace[], values: readonly CellWords[]): Uint8Array {
  const last = fields[fields.length - 1];
  if (last === undefined) return new Bytes(0);
  const contents = new Bytes(last.offset - VMObject.$size + (1 << storageSizeLog2(last.storage)));
  each(fields, ({ storage, offset }, i) => putField(contents, offset - VMObject.$size, storage, values[i] ?? ZERO_CELL));
  return contents;
}

/** Elements of an array. */
function arrayContents({ storage }: FieldPlace, values: readonly CellWords[]): Uint8Array {
  const log2 = storageSizeLog2(storage);
  const contents = new Bytes(values.length << log2);
  each(values, (value, i) => putField(contents, i << log2, storage, value));
  return contents;
}

const NO_CONTENTS = new Bytes(0);

/** Evaluates. The expression is valid. Throws a RangeError where there is no memory for an object that it makes. */
export function evaluate(words: ArrayLike<number>, space: ConstantSpace): CellWords {
  const stack: CellWords[] = [];
  const pop = (): CellWords => takeLast(stack) ?? ZERO_CELL;
  const word = (i: number): number => (words[i] ?? 0) >>> 0;
  const binary32 = (f: (a: number, b: number) => number): void => {
    const b = pop()[0];
    const a = pop()[0];
    append(stack, [f(a, b) >>> 0, 0, 0, 0]);
  };
  const binary64 = (f: (a: bigint, b: bigint) => bigint): void => {
    const b = bigIntOfCell(pop());
    const a = bigIntOfCell(pop());
    append(stack, cellOfBigInt(asUintN(64, f(a, b))));
  };
  /** The topmost values, deepest first. */
  const popMany = (count: number): CellWords[] => {
    const values: CellWords[] = [];
    for (let k = stack.length - count; k < stack.length; k++) append(values, stack[k] ?? ZERO_CELL);
    stack.length -= count;
    return values;
  };
  const element = (type: number): FieldPlace => space.fields(type)[0] as FieldPlace;
  const object = (type: number, length: number, contents: Uint8Array): void => {
    append(stack, cellOfNumber(space.create(type, length, contents)));
  };
  const size = isArray(words) ? words.length : typedLength(words);
  for (let i = 0; i < size; ) {
    const opcode = word(i);
    const offset = word(i + 1);
    i += 2;
    switch (opcode) {
      case 0x41:
      case 0x43:
        append(stack, [word(i++), 0, 0, 0]);
        break;
      case 0x42:
      case 0x44:
        append(stack, [word(i), word(i + 1), 0, 0]);
        i += 2;
        break;
      case 0xfd00c:
        append(stack, [word(i), word(i + 1), word(i + 2), word(i + 3)]);
        i += 4;
        break;
      case 0xd0:
        append(stack, ZERO_CELL);
        i++;
        break;
      case 0xd2:
        append(stack, cellOfNumber(space.function(word(i++))));
        break;
      case 0x23:
        append(stack, space.global(word(i++)));
        break;
      case 0x6a:
        binary32((a, b) => a + b);
        break;
      case 0x6b:
        binary32((a, b) => a - b);
        break;
      case 0x6c:
        binary32((a, b) => imul(a, b));
        break;
      case 0x7c:
        binary64((a, b) => a + b);
        break;
      case 0x7d:
        binary64((a, b) => a - b);
        break;
      case 0x7e:
        binary64((a, b) => a * b);
        break;
      case OP.structNew: {
        const type = word(i++);
        const fields = space.fields(type);
        object(type, 0, structContents(fields, popMany(fields.length)));
        break;
      }
      case OP.structNewDefault:
        object(word(i++), 0, NO_CONTENTS);
        break;
      case OP.arrayNew: {
        const type = word(i++);
        const length = pop()[0];
        const value = pop();
        object(type, length, length === 0 ? NO_CONTENTS : arrayContents(element(type), [value]));
        break;
      }
      case OP.arrayNewDefault:
        object(word(i++), pop()[0], NO_CONTENTS);
        break;
      case OP.arrayNewFixed: {
        const type = word(i++);
        const length = word(i++);
        object(type, length, arrayContents(element(type), popMany(length)));
        break;
      }
      case OP.refI31:
        append(stack, [((pop()[0] << 1) | 1) >>> 0, 0, 0, 0]);
        break;
      // The same word on both sides.
      case OP.anyConvertExtern:
      case OP.externConvertAny:
        break;
      default:
        throw internal(`constant operator ${opcode} at ${offset}`);
    }
  }
  return pop();
}
