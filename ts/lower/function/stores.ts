/**
 * Raw stores into buffers whose size is a fact of run time. docs/architecture.md, section 5, lists each of them with the reason that makes it safe; with the
 * option `debugStores` the code checks it.
 */
import { TRAP, VMContinuation, VMException } from '../../generated/abi.js';
import { INTEGER, MEMORY, TYPE } from '../../generated/clif.js';
import type { LoweringContext } from '../module/context.js';
import type { Program, Value } from '../program/program.js';

/** Where the number of slots of a buffer stands. */
const SIZES = { record: VMContinuation.capacity, exception: VMException.slots } as const;

/** With `debugStores`: traps unless the record or exception has at least `needed` (an I32) slots. To be called right before the stores. */
export function checkStores(
  program: Program,
  { options }: LoweringContext,
  kind: keyof typeof SIZES,
  address: Value,
  needed: () => Value,
): void {
  if (!options.debugStores) return;
  const size = program.load(TYPE.I32, MEMORY.trusted, address, SIZES[kind]);
  program.trapnz(TRAP.storeBounds, program.icmp(INTEGER.ult, size, needed()));
}
