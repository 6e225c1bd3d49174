/**
 * Experiments: instructions beyond the specification as typed imports from the module `heddle` (docs/experiments.md), so that standard tools still
 * assemble and validate modules that use them. Their functions are code of the importing module itself.
 */
import type { FunctionImport, ModuleDescription } from '../validate/description.js';
import { concreteType } from './types.js';

/** The module that experiments are imported from. */
export const EXPERIMENTS_MODULE = 'heddle';

/** An experiment that a module imports with a type that fits. */
export interface Experiment {
  /** Function index of the import. */
  readonly index: number;
  readonly name: ExperimentName;
}

/** Names of experiments, with what their types must be, for messages. */
export const EXPERIMENT_TYPES = {
  barrier: '[t* (ref null $f)] -> [u*], where $f is [t*] -> [u*]',
} as const;

/** See {@link EXPERIMENT_TYPES}. */
export type ExperimentName = keyof typeof EXPERIMENT_TYPES;

/** The experiment that an import names, whatever its type; undefined for other imports. */
export function experimentName(entry: { readonly module: string; readonly name: string }): ExperimentName | undefined {
  if (entry.module !== EXPERIMENTS_MODULE || !Object.hasOwn(EXPERIMENT_TYPES, entry.name)) return undefined;
  return entry.name as ExperimentName;
}

const equal = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/** `barrier`: what the function type in its last param takes and returns. */
function fits(description: ModuleDescription, entry: FunctionImport): boolean {
  const own = description.types[entry.type];
  if (own?.kind !== 'func' || own.params.length === 0) return false;
  const called = description.types[concreteType(own.params[own.params.length - 1] as number)];
  return called?.kind === 'func' && equal(called.params, own.params.slice(0, -1)) && equal(called.results, own.results);
}

/** The experiments of a module, in the order of its imports. Those with a type that does not fit are left out: they do not link. */
export function experimentsOf(description: ModuleDescription): Experiment[] {
  const functions = description.imports.filter((entry) => entry.kind === 'func');
  return functions.flatMap((entry, index) => {
    const name = experimentName(entry);
    return name !== undefined && fits(description, entry) ? [{ index, name }] : [];
  });
}
