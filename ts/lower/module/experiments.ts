/**
 * Experiments: instructions beyond the specification as typed imports from the module `heddle` (docs/experiments.md), so that standard tools still
 * assemble and validate modules that use them. Their functions are code of the importing module itself.
 */
import { append, every, hasOwn, item, joinedLists, mapped, part, selected, some, startsWith } from '../../base/intrinsics.js';
import type { FunctionImport, FunctionTypeDescription, ModuleDescription, ValueType } from '../../validate/description.js';
import { typeAt } from '../../validate/type_words.js';
import { concreteType, isNullable, isReference } from '../program/types.js';
import { ASYNCIFY_MODULE, asyncifyName, fitsAsyncify } from './asyncify.js';
import { indexSpaces } from './spaces.js';
import { namesStackChoice, parseStackChoice, STACK_CHOICE_NAME, type StackChoice } from './stack_choice.js';

/** The module that experiments are imported from. */
export const EXPERIMENTS_MODULE = 'heddle';

/** An experiment that a module imports with a type that fits. */
export interface Experiment {
  /** Function index of the import. */
  readonly index: number;
  readonly name: ExperimentName;
  /** Type index of the import. */
  readonly type: number;
  /** Index of the function type that it is about: what `barrier` calls, `cont.new` and `cont.clone` continue, else the tag's. */
  readonly about: number;
  /** Of `cont.new`: the stack. */
  readonly stack?: StackChoice;
}

/** Names of experiments, with what their types must be, for messages. */
export const EXPERIMENT_TYPES = {
  barrier: '[t* (ref null $f)] -> [u*], where $f is [t*] -> [u*]',
  'tag.new': '[] -> [(ref null $t)], where $t is a function type',
  suspend_to: '[p* (ref null $t)] -> [r*], where $t is [p*] -> [r*]',
  resume_named:
    '[a* (ref null $t) (ref null $c)] -> [i32 b* p* (ref null $d)], where $t is [p*] -> [r*], $c continues [a*] -> [b*], $d continues [r*] -> [b*], b* and p* have defaults',
  fiber_new:
    '[i32] -> [i32], in a module that has a table of functions (linkers leave it out where nothing calls through it: -Wl,--export-table)',
  fiber_resume: '[i32 i64] -> [i64]',
  fiber_yield: '[i64] -> [i64]',
  fiber_free: '[i32] -> []',
  fiber_status: '[i32] -> [i32]',
  fiber_clone: '[i32] -> [i32]',
  'cont.clone': '[(ref null $c)] -> [(ref $c)], where $c is a continuation type',
  'cont.new': '[(ref null $f)] -> [(ref $c)], where $c continues $f',
  start_unwind: '[i32] -> [] ([i64] -> [] in a 64-bit memory), in a module that has a memory',
  stop_unwind: '[] -> [], in a module that has a memory',
  start_rewind: '[i32] -> [] ([i64] -> [] in a 64-bit memory), in a module that has a memory',
  stop_rewind: '[] -> [], in a module that has a memory',
} as const;

/** See {@link EXPERIMENT_TYPES}. */
export type ExperimentName = keyof typeof EXPERIMENT_TYPES;

/** The experiment that an import names, whatever its type; undefined for other imports. */
export function experimentName(entry: { readonly module: string; readonly name: string }): ExperimentName | undefined {
  const asyncify = asyncifyName(entry);
  if (asyncify !== undefined) return asyncify;
  if (entry.module !== EXPERIMENTS_MODULE) return undefined;
  if (namesStackChoice(entry.name)) return 'cont.new';
  if (
    entry.name === 'cont.new' ||
    !hasOwn(EXPERIMENT_TYPES, entry.name) ||
    asyncifyName({ module: ASYNCIFY_MODULE, name: entry.name }) !== undefined
  )
    return undefined;
  return entry.name as ExperimentName;
}

/** What is wrong with an import that names an experiment and is none that links, for messages. */
export function experimentFault(entry: { readonly module: string; readonly name: string }, name: ExperimentName): string {
  if (name === 'cont.new' && parseStackChoice(entry.name) === undefined) return `its name must be ${STACK_CHOICE_NAME}`;
  return `its type must be ${EXPERIMENT_TYPES[name]}`;
}

const I32 = 0x7f;
/** `(ref null func)` as a word. */
const FUNCREF = 0xc000_0070;
const equal = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && every(a, (x, i) => x === b[i]);

/** Whether zero or null is a value of a type. */
function hasDefault(type: ValueType): boolean {
  return !isReference(type) || isNullable(type);
}

/** The types of one module by what refers to them. */
class Types {
  readonly description: ModuleDescription;
  readonly #types: ModuleDescription['types'];

  /** Whether table 0 is one of functions, with 32-bit indices. */
  readonly hasFunctionTable: boolean;

  constructor(description: ModuleDescription) {
    this.description = description;
    this.#types = description.types;
    const table = indexSpaces(description).tables[0];
    this.hasFunctionTable = table !== undefined && table.type === FUNCREF && !table.table64;
  }

  func(index: number): FunctionTypeDescription | undefined {
    const type = typeAt(this.#types, index);
    return type?.kind === 'func' ? type : undefined;
  }

  /** Index of the function type that the continuations of a reference type continue; -1 where they are none. */
  continuedIndex(reference: ValueType | undefined): number {
    const type = reference === undefined ? undefined : typeAt(this.#types, concreteType(reference));
    return type?.kind === 'cont' ? type.cont : -1;
  }

  /** The function type that the continuations of a reference type continue. */
  continued(reference: ValueType | undefined): FunctionTypeDescription | undefined {
    return this.func(this.continuedIndex(reference));
  }
}

/** Index of the function type that a last param refers to, where the others are what that takes and the results what it returns; else -1. */
function calledLast(types: Types, { params, results }: FunctionTypeDescription): number {
  const about = concreteType(params[params.length - 1] ?? 0);
  const called = types.func(about);
  return called !== undefined && equal(called.params, part(params, 0, params.length - 1)) && equal(called.results, results) ? about : -1;
}

/** See {@link EXPERIMENT_TYPES}. */
function madeTag(types: Types, { params, results }: FunctionTypeDescription): number {
  const about = concreteType(results[0] ?? 0);
  return params.length === 0 && results.length === 1 && types.func(about) !== undefined ? about : -1;
}

/** See {@link EXPERIMENT_TYPES}. */
function resumedNamed(types: Types, { params, results }: FunctionTypeDescription): number {
  const about = concreteType(params[params.length - 2] ?? 0);
  const tag = types.func(about);
  const before = types.continued(params[params.length - 1]);
  const after = types.continued(results[results.length - 1]);
  if (tag === undefined || before === undefined || after === undefined) return -1;
  // Either b* or p* and the continuation are zero and null.
  if (!every(results, hasDefault)) return -1;
  const fits =
    equal(before.params, part(params, 0, params.length - 2)) &&
    equal(part(results, 0, results.length - 1), joinedLists([I32], before.results, tag.params)) &&
    equal(after.params, tag.results) &&
    equal(after.results, before.results);
  return fits ? about : -1;
}

const I64 = 0x7e;

/** A type without references: what it is about is itself. */
const plainly =
  (params: readonly ValueType[], results: readonly ValueType[]) =>
  (_: Types, own: FunctionTypeDescription, index: number): number =>
    equal(own.params, params) && equal(own.results, results) ? index : -1;

/** See {@link EXPERIMENT_TYPES}. */
function continuedFirst(types: Types, { params, results }: FunctionTypeDescription): number {
  const about = concreteType(params[0] ?? 0);
  const fits = params.length === 1 && results.length === 1 && types.func(about) !== undefined && types.continuedIndex(results[0]) === about;
  return fits ? about : -1;
}

/** See {@link EXPERIMENT_TYPES}. */
function continuedTwice(types: Types, { params, results }: FunctionTypeDescription): number {
  const about = types.continuedIndex(params[0]);
  const same = concreteType(params[0] ?? 0) === concreteType(results[0] ?? 0);
  return params.length === 1 && results.length === 1 && same && isReference(results[0] ?? 0) ? about : -1;
}

/** Of asyncify's imports. */
const ofAsyncify =
  (name: 'start_unwind' | 'stop_unwind' | 'start_rewind' | 'stop_rewind') =>
  (types: Types, own: FunctionTypeDescription, index: number): number =>
    fitsAsyncify(types.description, name, own) ? index : -1;

const ABOUT: Readonly<Record<ExperimentName, (types: Types, own: FunctionTypeDescription, index: number) => number>> = {
  barrier: calledLast,
  'tag.new': madeTag,
  suspend_to: calledLast,
  resume_named: resumedNamed,
  fiber_new: (types, own, index) => (types.hasFunctionTable ? plainly([I32], [I32])(types, own, index) : -1),
  fiber_resume: plainly([I32, I64], [I64]),
  fiber_yield: plainly([I64], [I64]),
  fiber_free: plainly([I32], []),
  fiber_status: plainly([I32], [I32]),
  fiber_clone: plainly([I32], [I32]),
  'cont.clone': continuedTwice,
  'cont.new': continuedFirst,
  start_unwind: ofAsyncify('start_unwind'),
  stop_unwind: ofAsyncify('stop_unwind'),
  start_rewind: ofAsyncify('start_rewind'),
  stop_rewind: ofAsyncify('stop_rewind'),
};

/** Whether a module makes fibers without instructions for them (docs/fibers.md). */
export function usesFibers(description: ModuleDescription): boolean {
  return some(description.imports, (entry) => entry.kind === 'func' && startsWith(experimentName(entry) ?? '', 'fiber_'));
}

function experiment(types: Types, entry: FunctionImport, index: number): Experiment | undefined {
  const name = experimentName(entry);
  const own = name === undefined ? undefined : types.func(entry.type);
  if (name === undefined || own === undefined) return undefined;
  const about = ABOUT[name](types, own, entry.type);
  if (about < 0) return undefined;
  const found = { index, name, type: entry.type, about };
  if (name !== 'cont.new') return found;
  const stack = parseStackChoice(entry.name);
  return stack === undefined ? undefined : { ...found, stack };
}

/** The experiments of a module, in the order of its imports. Those with a type that does not fit are left out: they do not link. */
export function experimentsOf(description: ModuleDescription): Experiment[] {
  const types = new Types(description);
  const found: Experiment[] = [];
  let index = 0;
  for (let i = 0; i < description.imports.length; i++) {
    const entry = item(description.imports, i);
    if (entry.kind !== 'func') continue;
    const one = experiment(types, entry, index++);
    if (one !== undefined) append(found, one);
  }
  return found;
}

/** The function types of tags that a module's `tag.new` makes, in the order of those imports: each needs code that suspends to such a tag. */
export function namedTagTypes(experiments: readonly Experiment[]): number[] {
  return mapped(
    selected(experiments, ({ name }) => name === 'tag.new'),
    ({ about }) => about,
  );
}
