/**
 * The experiment `barrier`: calls a function across which no suspension passes. The function runs as a continuation of its own, resumed with a handler
 * list at which the search for a handler ends with a trap; exceptions and traps pass as through any resume.
 */
import { LIBCALL } from '../../generated/abi.js';
import type { FunctionLowering } from '../function/function.js';
import { BARRIER } from '../module/handlers.js';
import { appendSlots, recordOf, run } from '../operators/continuations.js';
import type { Value } from '../program/program.js';

/** `barrier`: the function comes last. */
export function writeBarrier(f: FunctionLowering, params: readonly Value[]): void {
  const record = recordOf(f, f.hostCall(LIBCALL.contNew, [params[params.length - 1] as Value]));
  if (params.length > 1) appendSlots(f, record, params.slice(0, -1));
  run(f, f.shape, { list: BARRIER, clauses: [] }, record, record);
}
