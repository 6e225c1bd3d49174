/**
 * The experiment `cont.new`: makes a continuation whose stack is another than the usual one. What it differs in is said by the import's name:
 * `cont.new strategy=mmap size=65536 guard=software`, where each part may be left out, but not all of them (docs/stacks.md).
 */
import { charAt, hasOwn, indexOf, item, mapGet, pieces, sliced, startsWith } from '../../base/intrinsics.js';
import { LIMIT } from '../../generated/abi.js';

/** What the choice's parts may be, by their numbers for the library call; 0 is the usual. */
const STRATEGIES: ReadonlyMap<string, number> = new Map([
  ['pool', LIMIT.stackPool],
  ['deferred', LIMIT.stackPool],
  ['mmap', LIMIT.stackMmap],
  ['malloc', LIMIT.stackMalloc],
  ['hibernate', LIMIT.stackHibernate],
]);
const GUARDS: ReadonlyMap<string, number> = new Map([
  ['auto', LIMIT.stackGuardAuto],
  ['kernel', LIMIT.stackGuardKernel],
  ['software', LIMIT.stackGuardSoftware],
]);
const MOST_BYTES = 2 ** 30;

const PREFIX = 'cont.new ';

/** What the name of such an import must be, for messages. */
export const STACK_CHOICE_NAME =
  'cont.new with one or more of strategy=pool|deferred|mmap|malloc|hibernate, ' +
  `size=BYTES (${LIMIT.stackLeast} to ${MOST_BYTES}), guard=auto|kernel|software, each after one space`;

/** How a continuation's stack differs from the usual ones. */
export interface StackChoice {
  /** STACK_… number of the strategy, 0 for the usual. */
  readonly strategy: number;
  /** STACK_GUARD_… number, 0 for the usual. */
  readonly guard: number;
  /** Bytes that frames may take, 0 for the usual. */
  readonly size: number;
}

/** The stack that a continuation has where nothing is said. */
export const USUAL: StackChoice = { strategy: 0, guard: 0, size: 0 };

/** Whether a name is one of this experiment, well formed or not. */
export function namesStackChoice(name: string): boolean {
  return startsWith(name, PREFIX);
}

const LONGEST_SIZE = 10;

/** A number of digits alone, without a 0 in front. */
function sizeOf(text: string): number | undefined {
  if (text.length === 0 || text.length > LONGEST_SIZE) return undefined;
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = indexOf('0123456789', charAt(text, i));
    if (digit < 0 || (size === 0 && digit === 0)) return undefined;
    size = size * 10 + digit;
  }
  return size >= LIMIT.stackLeast && size <= MOST_BYTES ? size : undefined;
}

const PARTS: Readonly<Record<keyof StackChoice, (text: string) => number | undefined>> = {
  strategy: (text) => mapGet(STRATEGIES, text),
  guard: (text) => mapGet(GUARDS, text),
  size: sizeOf,
};

/** Reads a name; undefined where it is malformed. */
export function parseStackChoice(name: string): StackChoice | undefined {
  if (!namesStackChoice(name)) return undefined;
  const choice = { ...USUAL };
  const words = pieces(sliced(name, PREFIX.length), ' ');
  for (let i = 0; i < words.length; i++) {
    const sides = pieces(item(words, i), '=');
    const key = item(sides, 0);
    if (sides.length !== 2 || !hasOwn(PARTS, key)) return undefined;
    const field = key as keyof StackChoice;
    const value = PARTS[field](item(sides, 1));
    if (value === undefined || choice[field] !== 0) return undefined;
    choice[field] = value;
  }
  return choice;
}
