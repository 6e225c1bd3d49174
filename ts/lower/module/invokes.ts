/**
 * Which of a module's imports may be Emscripten's `invoke_…`, by their types alone: a program is compiled before anybody knows what it imports. Such an import calls a function of the
 * table that the module exports; programs that have some export the stack pointer's getter and setter, and `setThrew`. In minified programs none of these has a name.
 */
import {
  append,
  contains,
  Dictionary,
  each,
  every,
  item,
  joined,
  joinedLists,
  mapGet,
  mapped,
  mapSet,
  part,
} from '../../base/intrinsics.js';
import type { FunctionTypeDescription, ModuleDescription, ValueType } from '../../validate/description.js';
import { typeAt, typeCount } from '../../validate/type_words.js';
import { usesAsyncify } from './asyncify.js';
import type { IndexSpaces } from './spaces.js';

const I32 = 0x7f;
const F64 = 0x7c;

const keyOf = (params: readonly ValueType[], results: readonly ValueType[]): string => `${joined(params, ',')}>${joined(results, ',')}`;

const isNumber = (type: ValueType): boolean => type >= F64 && type <= I32;

/** Whether a type is one that such an import could have. */
function isInvoke({ params, results }: FunctionTypeDescription): boolean {
  return params[0] === I32 && results.length <= 1 && every(joinedLists(params, results), isNumber);
}

/** The index of the table that a module exports; -1 where that is not one alone, of addresses of 32 bits. */
export function exportedTable(description: ModuleDescription, { tables }: IndexSpaces): number {
  let found = -1;
  each(description.exports, ({ kind, index }) => {
    if (kind !== 'table' || index === found) return;
    found = found < 0 && tables[index]?.table64 === false ? index : tables.length;
  });
  return found < tables.length ? found : -1;
}

/** The functions that a module exports, of its own and of a type. */
export function exportsOf(
  description: ModuleDescription,
  { functions, importedFunctions }: IndexSpaces,
  params: number,
  results: number,
): number[] {
  const found: number[] = [];
  each(description.exports, ({ kind, index }) => {
    if (kind !== 'func' || index < importedFunctions) return;
    const type = typeAt(description.types, item(functions, index));
    if (type?.kind !== 'func' || type.params.length !== params || type.results.length !== results) return;
    if (every(joinedLists(type.params, type.results), (value) => value === I32)) append(found, index);
  });
  return found;
}

/** By the type index of an import that may be one the type index of the function that it calls. */
export function invokedTypes(description: ModuleDescription, spaces: IndexSpaces): Map<number, number> {
  const found = new Dictionary<number, number>();
  const has = (params: number, results: number): boolean => exportsOf(description, spaces, params, results).length > 0;
  if (exportedTable(description, spaces) < 0 || usesAsyncify(description) || !(has(0, 1) && has(1, 0) && has(2, 0))) return found;
  const byKey = new Dictionary<string, number>();
  for (let i = typeCount(description.types) - 1; i >= 0; i--) {
    const type = typeAt(description.types, i);
    if (type?.kind === 'func') mapSet(byKey, keyOf(type.params, type.results), i);
  }
  each(part(spaces.functions, 0, spaces.importedFunctions), (index) => {
    const type = typeAt(description.types, index);
    if (type?.kind !== 'func' || !isInvoke(type)) return;
    const callee = mapGet(byKey, keyOf(part(type.params, 1), type.results));
    if (callee !== undefined) mapSet(found, index, callee);
  });
  return found;
}

/** Operators of one byte. */
const LOCAL_GET = 0x20;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const END = 0x0b;

/** The global of a body that begins as `start` does, names a global, and ends; -1 where it is another. */
function globalOf(bytes: Uint8Array, from: number, to: number, start: readonly number[]): number {
  let at = from;
  for (let i = 0; i < start.length; i++) if (bytes[at++] !== item(start, i)) return -1;
  let global = 0;
  for (let scale = 1; at < to; scale *= 128) {
    const byte = bytes[at++] as number;
    global += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  return at === to - 1 && bytes[at] === END ? global : -1;
}

/**
 * The one global, a mutable i32, that an exported function gets and another sets, and that is all that they do: the stack pointer as JavaScript sees it. -1 where there are more or none.
 */
export function exportedStackGlobal(description: ModuleDescription, spaces: IndexSpaces, bytes: Uint8Array): number {
  const { globals, importedFunctions } = spaces;
  const { bodies } = description;
  const globalsOf = (params: number, results: number, start: readonly number[]): number[] =>
    mapped(exportsOf(description, spaces, params, results), (index) => {
      const body = 2 * (index - importedFunctions);
      return globalOf(bytes, bodies[body] ?? 0, bodies[body + 1] ?? 0, start);
    });
  const got = globalsOf(0, 1, [0, GLOBAL_GET]);
  const set = globalsOf(1, 0, [0, LOCAL_GET, 0, GLOBAL_SET]);
  let found = -1;
  for (let i = 0; i < got.length; i++) {
    const global = item(got, i);
    if (global < 0 || global === found || !contains(set, global) || globals[global]?.type !== I32) continue;
    if (found >= 0) return -1;
    found = global;
  }
  return found;
}
