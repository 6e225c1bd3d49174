/**
 * Types as people read them, in the words of the text format.
 */
import { joined, mapGet, mapped } from '../../base/intrinsics.js';
import type { ValueType } from '../../validate/description.js';
import { abstractHeap, concreteId, HEAP, isNullable } from '../../validate/registry.js';

const NAMES = new Map<ValueType, string>([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
]);
const HEAPS = new Map<number, string>();
for (const [name, byte] of Object.entries(HEAP)) HEAPS.set(byte, name);

/** What null references of the bottom types are called. */
const BOTTOMS: Readonly<Record<string, string>> = {
  none: 'nullref',
  noextern: 'nullexternref',
  nofunc: 'nullfuncref',
  noexn: 'nullexnref',
  nocont: 'nullcontref',
};

/** A value type: `i32`, `externref`, `(ref func)`. A type that a module defines has no name: `(ref null 7)` says which of this thread's it is. */
export function typeName(type: ValueType): string {
  const name = mapGet(NAMES, type);
  if (name !== undefined) return name;
  const abstract = mapGet(HEAPS, abstractHeap(type));
  const heap = abstract ?? `${concreteId(type)}`;
  if (!isNullable(type)) return `(ref ${heap})`;
  return abstract === undefined ? `(ref null ${heap})` : (BOTTOMS[heap] ?? `${heap}ref`);
}

/** Several of them: `(i32, i64)`. */
export const typeList = (types: readonly ValueType[]): string => `(${joined(mapped(types, typeName), ', ')})`;

/** The type of a function or tag: `(i32, i64) -> (f32)`. */
export const functionTypeText = ({
  params,
  results,
}: {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}): string => `${typeList(params)} -> ${typeList(results)}`;
