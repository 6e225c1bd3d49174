/**
 * Compares what the parent asks for on the engine that the command line names. A process of its own: engines may crash.
 */
import { compareBatch, differenceOf } from './compare.js';
import { heddle, v8 } from './engines.js';
import type { Answer, Request } from './worker.js';

const engine = process.argv[2] === 'v8' ? v8() : await heddle();

/** Milliseconds between two messages that say that the work goes on. */
const PULSE = 1000;
let told = 0;
function reached(): void {
  if (performance.now() - told < PULSE) return;
  told = performance.now();
  process.send?.({ kind: 'progress' } satisfies Answer);
}

process.on('message', (request: Request) => {
  const answer: Answer =
    request.kind === 'seeds'
      ? { kind: 'batch', batch: compareBatch(engine, request.from, request.count, reached) }
      : { kind: 'difference', difference: differenceOf(engine, request.program) };
  process.send?.(answer);
});
// Without a parent there is nobody to answer.
process.on('disconnect', () => process.exit());
process.send?.({ kind: 'ready' });
