/** What `heddle run` may be told. */
import { usage } from '../errors/catalog.js';
import type { ShadowStackOptions } from '../instance/shadow.js';
import type { GUARDS, STRATEGIES, StackOptions } from '../link/native_options.js';

/** Options of `heddle run`. */
export interface RunOptions {
  /** Exports to call: several are tasks. */
  readonly invoke?: readonly string[];
  readonly stats?: boolean;
  /** Results and errors are JSON. */
  readonly json?: boolean;
  /** Milliseconds that all of it may take. */
  readonly timeout?: number;
  readonly tree?: string;
  readonly dir?: readonly string[];
  readonly env?: readonly string[];
  readonly interruptible: boolean;
  /** A compiled file runs whoever made it. */
  readonly trustCompiled?: boolean;
  readonly stackStrategy?: (typeof STRATEGIES)[number];
  readonly stackGuard?: (typeof GUARDS)[number];
  readonly stackSize?: number;
  readonly stacks?: number;
  readonly stackMemory?: number;
  readonly stackWarm?: number;
  readonly stackBudget?: number;
  readonly entryStackSize?: number;
  readonly shadowStack: boolean;
  readonly shadowStackPointer?: number | string;
  readonly shadowStackSize?: number;
  readonly shadowStackLow?: number;
  readonly shadowStackMove?: true;
  readonly shadowStackAllocator?: { readonly allocate: string; readonly free: string };
}

/** The options that say how stacks are made; undefined where none was given. */
export function stackOptions(options: RunOptions): StackOptions | undefined {
  return someOf({
    strategy: options.stackStrategy,
    guard: options.stackGuard,
    size: options.stackSize,
    maximum: options.stacks,
    memory: options.stackMemory,
    warm: options.stackWarm,
    budget: options.stackBudget,
  });
}

/** The option `shadowStack` of the module; undefined where nothing of it was given. */
export function shadowOptions(options: RunOptions): ShadowStackOptions | false | undefined {
  const given = someOf({
    pointer: options.shadowStackPointer,
    size: options.shadowStackSize,
    low: options.shadowStackLow,
    allocator: options.shadowStackAllocator,
    move: options.shadowStackMove,
  });
  if (options.shadowStack) return given;
  if (given !== undefined) throw usage('--no-shadow-stack leaves nothing for the other options of the shadow stack to say');
  return false;
}

/** What was given of some options; undefined where nothing was. */
function someOf(options: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}
