/**
 * Constant expressions: operator words (contract/formats.md, section 3) to a cell.
 */
import { append, asUintN, imul, isArray, takeLast, typedLength } from '../base/intrinsics.js';
import { internal } from '../errors/catalog.js';
import { bigIntOfCell, type CellWords, cellOfBigInt, cellOfNumber, ZERO_CELL } from './cells.js';

/** What an expression may refer to. */
export interface ConstantSpace {
  /** Value of a global that is already there. */
  global(index: number): CellWords;
  /** Address of a function's VMFunction. */
  function(index: number): number;
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

/** Evaluates. The expression is valid. */
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
      default:
        throw internal(`constant operator ${opcode} at ${offset}`); // ts/compile/constants.ts refuses it.
    }
  }
  return pop();
}
