/**
 * Leaving a function.
 */
import { LIMIT } from '../generated/abi.js';
import { MEMORY } from '../generated/clif.js';
import type { FunctionLowering } from './function.js';
import { NONE } from './program.js';

/** Ends the block and the function: the topmost operands are the results. */
export function emitReturn(f: FunctionLowering): void {
  const results = f.peek(f.shape.results.length);
  if (!f.shape.indirect) {
    f.program.return(results);
    return;
  }
  results.forEach((value, i) => {
    f.program.store(MEMORY.trusted, value, f.resultPointer, LIMIT.slotSize * i);
  });
  f.program.return(NONE);
}
