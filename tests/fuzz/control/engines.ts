/**
 * The engines that programs are run on.
 */
import { fileURLToPath } from 'node:url';
import { CELLS } from './coverage.js';
import type { Engine, Namespace } from './env.js';
import { type TrapKind, trapText } from './outcomes.js';

/** Heddle's codes of traps. */
const CODES: Readonly<Record<string, TrapKind>> = {
  HEDDLE_TRAP_UNREACHABLE: 'unreachable',
  HEDDLE_TRAP_DIVISION_BY_ZERO: 'division by zero',
  HEDDLE_TRAP_INTEGER_OVERFLOW: 'integer overflow',
  HEDDLE_TRAP_NULL_REFERENCE: 'null reference',
  HEDDLE_TRAP_NULL_FUNCTION: 'null function',
  HEDDLE_TRAP_NULL_CONTINUATION: 'null continuation',
  HEDDLE_TRAP_NULL_EXCEPTION: 'null exception',
  HEDDLE_TRAP_NULL_STRUCTURE: 'null structure',
  HEDDLE_TRAP_CONTINUATION_CONSUMED: 'continuation consumed',
  HEDDLE_TRAP_SNAPSHOT_ACTIVE: 'another version is active',
  HEDDLE_TRAP_UNHANDLED_TAG: 'unhandled tag',
  HEDDLE_TRAP_BARRIER: 'barrier',
  HEDDLE_TRAP_TABLE_BOUNDS: 'table bounds',
  HEDDLE_TRAP_UNDEFINED_ELEMENT: 'undefined element',
  HEDDLE_TRAP_INDIRECT_CALL_TYPE: 'indirect call type',
};

/** Heddle, as it is built. */
export async function heddle(): Promise<Engine> {
  const path = fileURLToPath(new URL('../../../dist/heddle.mjs', import.meta.url));
  return heddleOf(((await import(path)) as { WebAssembly: Namespace }).WebAssembly);
}

/** Heddle by its `WebAssembly`. */
export function heddleOf(namespace: Namespace): Engine {
  return {
    name: 'Heddle',
    namespace,
    trapKind: (error) => CODES[(error as { code?: string } | null)?.code ?? ''],
    says: (line) => line,
    runs: () => true,
  };
}

/** What V8 says of traps. */
const MESSAGES: readonly (readonly [RegExp, TrapKind])[] = [
  [/^unreachable/, 'unreachable'],
  [/^divide by zero/, 'division by zero'],
  [/^dereferencing a null pointer/, 'null reference'],
  [/^resuming an invalid continuation/, 'continuation consumed'],
  [/^rethrowing null value/, 'null exception'],
  [/^table index is out of bounds/, 'table bounds'],
  [/^function signature mismatch/, 'indirect call type'],
  [/unhandled suspend/, 'unhandled tag'],
];

const isSuspendError = (error: unknown): error is Error => error instanceof Error && error.name === 'SuspendError';

/** Traps that V8 has no message of its own for. */
const COARSER: Readonly<Record<string, TrapKind>> = {
  'null function': 'null reference',
  'null continuation': 'null reference',
  'null structure': 'null reference',
  barrier: 'unhandled tag',
  'undefined element': 'table bounds',
};

/**
 * What V8 14 (Node 26) crashes on nearly always: resume_throw where the continuation is not suspended. `switch` and resume_throw_ref are not tried at all: the one aborts, the
 * other is rejected in the specification's order of operands. A suspension that nobody handles is an exception there that catch_all catches, not a trap.
 */
const CRASHES = CELLS.filter(({ operation, state }) => operation === 'resume_throw' && !state.startsWith('suspended'));

/** The WebAssembly of the Node that this is. */
export function v8(): Engine {
  return {
    name: 'V8',
    namespace: globalThis.WebAssembly as unknown as Namespace,
    trapKind: (error) => {
      if (!(error instanceof WebAssembly.RuntimeError) && !isSuspendError(error)) return undefined;
      return MESSAGES.find(([pattern]) => pattern.test(error.message))?.[1];
    },
    says: (line) => {
      const kind = COARSER[line.replace(/^trap: /, '')];
      return kind === undefined || !line.startsWith('trap: ') ? line : trapText(kind);
    },
    runs: ({ portable }, { coverage, traps }) =>
      portable && !traps.has('unhandled tag') && !traps.has('barrier') && !CRASHES.some((cell) => coverage.has(cell)),
  };
}
