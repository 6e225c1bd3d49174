/**
 * Leaving a function.
 */
import { LIMIT } from '../../generated/abi.js';
import { MEMORY } from '../../generated/clif.js';
import { NONE } from '../program/program.js';
import type { FunctionLowering } from './function.js';

/** Ends the block and the function: the topmost operands are the results. An inlined function goes on behind its call. */
export function emitReturn(f: FunctionLowering): void {
  const inlined = f.inlined === undefined ? undefined : f.frames.findLast((frame) => frame.kind === 'inlined');
  if (inlined !== undefined) {
    f.program.jump(f.label(inlined), f.peek(inlined.results.length));
    return;
  }
  f.beforeReturn?.();
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
