/**
 * What the lowering of every function of one module needs.
 */
import type { ModuleDescription } from '../../validate/description.js';
import { type Arities, moduleArities } from './arities.js';
import type { AsyncifyPlan } from './asyncify.js';
import type { InlineCandidates } from './candidates.js';
import { type Experiment, experimentsOf } from './experiments.js';
import type { HandlerList } from './handlers.js';
import { type ModuleLayout, moduleLayout } from './layout.js';
import { ObjectTypes } from './object_types.js';
import { type ModuleSignatures, moduleSignatures } from './signatures.js';
import { type IndexSpaces, indexSpaces } from './spaces.js';
import type { ShadowCode } from './stack_pointer.js';

/** How code is made; all of it is part of an artifact's cache key. */
export interface LoweringOptions {
  /**
   * Every access of a linear memory is checked against the memory's length. Without it the instance's 32-bit memories must have guards
   * (`VMMemory.guarded`), each of them; others (with 64-bit addresses, or pages of one byte) are always checked.
   */
  readonly checked: boolean;
  /** The CPU has instructions that round floats (x86-64: SSE4.1). */
  readonly rounds: boolean;
  /** The CPU has an instruction that chooses bytes by a vector (x86-64: SSSE3). */
  readonly shuffles: boolean;
  /** The CPU multiplies and adds in one step (x86-64: FMA). */
  readonly fuses: boolean;
  /** Loop headers read the thread's poll page, so that a loop can be stopped. */
  readonly interruptible: boolean;
  /** Every program is checked as it is made (`checkProgram`): mistakes that Cranelift would turn into wrong code become errors. */
  readonly debug: boolean;
  /** The code checks each raw store into a record or exception against its size. */
  readonly debugStores: boolean;
  /** The locals of every function lie in its frame, as those of functions do in which variables would cost too much: for tests. */
  readonly debugSlots: boolean;
}

/** A module ready for lowering. It is computed from data that survives structured cloning, so each worker makes its own. */
export interface LoweringContext {
  readonly description: ModuleDescription;
  readonly spaces: IndexSpaces;
  readonly layout: ModuleLayout;
  readonly signatures: ModuleSignatures;
  readonly arities: Arities;
  /** Its structure and array types. */
  readonly objects: ObjectTypes;
  readonly options: LoweringOptions;
  readonly experiments: readonly Experiment[];
  /** The functions that are inlined where they are called; undefined where none is to be. */
  readonly candidates: InlineCandidates | undefined;
  /** What the functions are to asyncify, where the module imports that. */
  readonly asyncify: AsyncifyPlan | undefined;
  /** Index of the global that is a stack pointer whose values are checked; -1 for none. */
  readonly checkedPointer: number;
  /** The instructions that switch stacks move the shadow stacks' pointers, too. */
  readonly movesShadow: boolean;
}

/** Options that are not given. */
export const DEFAULT_OPTIONS: LoweringOptions = {
  checked: false,
  rounds: true,
  shuffles: true,
  fuses: false,
  interruptible: true,
  debug: false,
  debugStores: false,
  debugSlots: false,
};

/** Prepares a module for lowering. `handlers` are its handler lists (`moduleHandlers`); without `candidates` nothing is inlined. */
export function loweringContext(
  description: ModuleDescription,
  options: Partial<LoweringOptions> = {},
  handlers: readonly HandlerList[] = [],
  candidates?: InlineCandidates,
  shadow: ShadowCode = { checkedPointer: -1, movesShadow: false },
  asyncify?: AsyncifyPlan,
): LoweringContext {
  const spaces = indexSpaces(description);
  return {
    description,
    spaces,
    layout: moduleLayout(description, handlers),
    signatures: moduleSignatures(description, spaces),
    arities: moduleArities(description, spaces),
    objects: new ObjectTypes(description.types),
    options: { ...DEFAULT_OPTIONS, ...options },
    experiments: experimentsOf(description),
    candidates,
    asyncify,
    ...shadow,
  };
}
