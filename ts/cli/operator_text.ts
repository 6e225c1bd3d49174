/** Operator streams as text. */

import { operatorName } from '../lower/program/operator_names.js';
import { operatorEnd } from '../lower/program/stream.js';

/** One line for each operator: byte offset, name, immediates. */
export function operatorLines(ops: Uint32Array): string[] {
  const runs = ops[0] ?? 0;
  const lines: string[] = [];
  for (let at = 1 + 2 * runs; at < ops.length; at = operatorEnd(ops, at)) {
    const [opcode = 0, offset = 0, ...immediates] = ops.subarray(at, operatorEnd(ops, at));
    lines.push(`  0x${offset.toString(16).padStart(6, '0')}  ${operatorName(opcode)} ${immediates.join(' ')}`.trimEnd());
  }
  return lines;
}
