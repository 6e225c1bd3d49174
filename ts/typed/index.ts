/**
 * * `heddle/typed`: coroutines of WebAssembly whose tags and functions the compiler knows the types of.
 *
 * @module heddle/typed
 */
export { filter, filterAsync, map, mapAsync, take, takeAsync, zip, zipAsync } from './combine.js';
export {
  type Answer,
  Coroutine,
  type CoroutineFunction,
  coroutine,
  type Declaration,
  type Done,
  type Step,
  type Yielded,
} from './coroutine.js';
export { type AnyTag, type ParametersOf, type ResultsOf, Tag, type TagTypes, tagOf } from './tag.js';
export type { TypeName, ValueOf, Values } from './types.js';
