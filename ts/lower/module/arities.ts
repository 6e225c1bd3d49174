/**
 * How many params and results types, functions and tags have.
 */
import type { ModuleDescription } from '../../validate/description.js';
import { isOfKind, KIND_CONT, KIND_FUNC, typeOffset } from '../../validate/type_words.js';
import type { IndexSpaces } from './spaces.js';

/** Numbers of params and results. */
export interface Arity {
  readonly params: number;
  readonly results: number;
}

/** Arities by index. */
export interface Arities {
  /** Of a type: of a continuation type those of its function type; other types have none. */
  type(typeIndex: number): Arity;
  function(index: number): Arity;
  tag(index: number): Arity;
}

const NONE: Arity = { params: 0, results: 0 };

/** The arities of a module. */
export function moduleArities({ types }: ModuleDescription, { functions, tags }: IndexSpaces): Arities {
  const type = (index: number): Arity => {
    const at = typeOffset(types, index);
    if (isOfKind(types, index, KIND_CONT)) return type(types[at + 2] ?? -1);
    return isOfKind(types, index, KIND_FUNC) ? { params: types[at + 2] ?? 0, results: types[at + 3] ?? 0 } : NONE;
  };
  return { type, function: (index) => type(functions[index] ?? -1), tag: (index) => type(tags[index] ?? -1) };
}
