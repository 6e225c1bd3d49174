/**
 * Inlining: a direct call of a small function that switches stacks (`candidates.ts`) becomes a block with the callee's operators and locals of its own. The
 * callee's stream is read in the place of the caller's up to its last `end`; a `return` in it branches to the block's end. Handlers, exception edges and
 * traps are those that the call would have had, because frames of the caller stay around it.
 */
import { Frame } from '../function/frame.js';
import type { FunctionLowering } from '../function/function.js';
import { declareLocals } from './variables.js';

/** How deep calls in inlined bodies are inlined. */
const DEEPEST = 4;
/** Words of operator streams that are inlined into one function, so that no caller grows without bound. */
const MOST_WORDS = 2000;

/** Whether a function is being lowered into this one: it stays a call there, or recursion would have no end. */
function isOpen(f: FunctionLowering, index: number): boolean {
  if (index === f.index) return true;
  for (let body = f.inlined; body !== undefined; body = body.outer) {
    if (body.index === index) return true;
  }
  return false;
}

/** Inlines the call of a function index, where that is worth it. Its params are the topmost operands. False where it stays a call. */
export function inlineCall(f: FunctionLowering, index: number): boolean {
  const { spaces, signatures, candidates } = f.context;
  const ops = index < spaces.importedFunctions ? undefined : candidates?.stream(index - spaces.importedFunctions);
  if (ops === undefined || (f.inlined?.depth ?? 0) >= DEEPEST || f.inlinedWords + ops.length > MOST_WORDS || isOpen(f, index)) return false;
  // What is to happen where one of these is left happens in a frame of its own.
  if ((f.context.asyncify?.role(index) ?? 'plain') !== 'plain') return false;
  const shape = signatures.shape(spaces.functions[index] as number);
  const args = f.popMany(shape.params.length);
  // The call's own place comes first: offsets count from a function's first location, and -1 of that is none.
  f.locate();
  f.beginInlined(index, ops);
  declareLocals(f, shape.params, args);
  f.enter(new Frame('inlined', f.height, shape.results, shape.results));
  return true;
}
