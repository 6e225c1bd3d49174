/**
 * The experiment `barrier`: calls a function across which no suspension passes. The function runs as a continuation of its own, resumed with a handler
 * list at which the search for a handler ends with a trap; exceptions and traps pass as through any resume.
 */
import { LIBCALL } from '../generated/abi.js';
import type { LoweringContext } from './context.js';
import { appendSlots, recordOf, run } from './continuations.js';
import { Frame } from './frame.js';
import { FunctionLowering } from './function.js';
import { BARRIER } from './handlers.js';
import { CHECK_STACK, type Program } from './program.js';
import { emitReturn } from './return.js';

/** Writes the function that the import of a function index stands for. */
export function writeBarrier(program: Program, context: LoweringContext, index: number): void {
  const f = new FunctionLowering(context, program, index, new Uint32Array(0));
  const { shape } = f;
  const first = shape.indirect ? 2 : 1;
  const count = shape.params.length - 1;
  program.begin(index, shape.signature, CHECK_STACK, first + shape.params.length);
  f.enter(new Frame('function', 0, shape.results, shape.results));
  const record = recordOf(f, f.hostCall(LIBCALL.contNew, [first + count]));
  if (count > 0) {
    appendSlots(
      f,
      record,
      Array.from({ length: count }, (_, i) => first + i),
    );
  }
  run(f, shape, { list: BARRIER, clauses: [] }, record, record);
  emitReturn(f);
  program.end();
}
