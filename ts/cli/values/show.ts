/** Results of `--invoke`: values to text. */
import { bigIntOfCell, type CellWords, cellOf, cellValue, numberOfCell } from '../../instance/cells.js';
import { theEngine } from '../../instance/engine.js';
import { typeName } from '../../instance/messages/type_text.js';
import type { ValueType } from '../../validate/description.js';
import { concreteId, isReference } from '../../validate/registry.js';
import { floatText } from '../../wast/float_text.js';
import { F32, F64, V128 } from './types.js';

/** A cell's value as text: what `--invoke` takes, for numbers and vectors. */
export function showCell(type: ValueType, cell: CellWords): string {
  if (isReference(type)) return numberOfCell(cell) === 0 ? 'null' : referenceName(type);
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

/** What JavaScript got of a value of a type, as a cell. References are there or not. */
export function cellOfResult(type: ValueType, value: unknown): CellWords {
  if (isReference(type)) return [value === null ? 0 : 1, 0, 0, 0];
  return cellOf(type, value as number | bigint);
}

/** What a reference is: `funcref`, whichever functions its type has. */
function referenceName(type: ValueType): string {
  const id = concreteId(type);
  if (id === 0) return typeName(type).replace(/^\(ref (.*)\)$/, '$1ref');
  return theEngine().types.type(id).kind === 'func' ? 'funcref' : 'contref';
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
