/** Exceptions of WebAssembly's that nobody caught, as text and for JSON. */

import '../../api/exception.js'; // What exceptions are to JavaScript.
import { type CellWords, loadCell } from '../../instance/cells.js';
import { theEngine } from '../../instance/engine.js';
import { exceptionOf, exceptionSlot } from '../../instance/exceptions.js';
import type { ValueType } from '../../validate/description.js';
import { showCell, type TypedValue, typedValue } from './show.js';

interface Parts {
  readonly tag: string;
  readonly params: readonly ValueType[];
  readonly cells: readonly CellWords[];
}

function partsOf(value: unknown): Parts | undefined {
  const object = exceptionOf(value);
  if (object === undefined) return undefined;
  const { native, tags, types } = theEngine();
  const { params } = types.type(object.tag.type);
  const cells = params.map((_, i) => loadCell(native, exceptionSlot(object.address, i)));
  return { tag: tags.nameOf(object.tag.address), params, cells };
}

/** An exception of WebAssembly's, with its tag's name and its values; undefined for everything else. */
export function showException(value: unknown): string | undefined {
  const parts = partsOf(value);
  if (parts === undefined) return undefined;
  const values = parts.cells.map((cell, i) => showCell(parts.params[i] ?? 0, cell));
  return `uncaught exception ${parts.tag}(${values.join(', ')})`;
}

/** The same for JSON. */
export function exceptionParts(value: unknown): { readonly tag: string; readonly values: readonly TypedValue[] } | undefined {
  const parts = partsOf(value);
  return parts && { tag: parts.tag, values: parts.cells.map((cell, i) => typedValue(parts.params[i] ?? 0, cell)) };
}
