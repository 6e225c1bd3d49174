/** Results of `--invoke`: values to text. */
import { bigIntOfCell, type CellWords, cellOf, cellOfNumber, cellValue, numberOfCell, ZERO_CELL } from '../../instance/cells.js';
import { theEngine } from '../../instance/engine.js';
import { i31Word, WITH_I31 } from '../../instance/functions/host_values.js';
import { typeName } from '../../instance/messages/type_text.js';
import type { ValueType } from '../../validate/description.js';
import { abstractHeap, concreteId, HEAP, isReference } from '../../validate/registry.js';
import { floatText } from '../../wast/float_text.js';
import { F32, F64, V128 } from './types.js';

/** A cell's value as text: what `--invoke` takes, for numbers and vectors. */
export function showCell(type: ValueType, cell: CellWords): string {
  if (isReference(type)) return showReference(type, cell);
  switch (type) {
    case F32:
      return floatText(BigInt(cell[0]), 32);
    case F64:
      return floatText(bigIntOfCell(cell), 64);
    case V128:
      return `i32x4:${cell.map((word) => word | 0).join(',')}`;
    default:
      return String(cellValue(type, cell));
  }
}

/** Stands for a reference of which nothing is shown but its type. */
const SOMETHING = 2;
/** A reference as text: an i31 is its number. */
function showReference(type: ValueType, cell: CellWords): string {
  if (numberOfCell(cell) === 0) return 'null';
  const heap = abstractHeap(type);
  return (WITH_I31.has(heap) || heap === HEAP.extern) && (cell[0] & 1) === 1 ? String((cell[0] | 0) >> 1) : referenceName(type);
}

/** What JavaScript got of a value of a type, as a cell. References are there or not. */
export function cellOfResult(type: ValueType, value: unknown): CellWords {
  if (isReference(type)) return value === null ? ZERO_CELL : cellOfNumber(i31Word(value) ?? SOMETHING);
  return cellOf(type, value as number | bigint);
}

/** What a reference is: `funcref`, whichever functions its type has. */
function referenceName(type: ValueType): string {
  const id = concreteId(type);
  if (id === 0) return typeName(type).replace(/^\(ref (.*)\)$/, '$1ref');
  return `${theEngine().types.type(id).kind}ref`;
}

/** A value with its type, for JSON: numbers are text, so that nothing of them is lost. */
export interface TypedValue {
  readonly type: string;
  readonly value: string | null;
}

/** A cell's value for JSON. */
export function typedValue(type: ValueType, cell: CellWords): TypedValue {
  const isNull = isReference(type) && numberOfCell(cell) === 0;
  return { type: typeName(type), value: isNull ? null : showCell(type, cell) };
}
