/** `heddle validate`. */
import { requireCompilable } from '../../compile/limits.js';
import { stackPointerOf } from '../../compile/work.js';
import type { StackPointer } from '../../lower/module/stack_pointer.js';
import { FEATURE_BITS } from '../../validate/validate.js';
import { loadModule } from '../load.js';
import { print } from '../report.js';
import { startQuickly } from '../tiering.js';

/** Says that a module is valid, and which global is its shadow stack's pointer; or throws the reason with its offset. */
export function validateFile(file: string): number {
  startQuickly();
  const bytes = loadModule(file);
  const description = requireCompilable(bytes);
  print(`${file}: valid`);
  const pointer = stackPointerOf(bytes, description, { stackPointer: null, features: FEATURE_BITS });
  if (pointer.kind !== 'none') print(`stack pointer: ${pointerText(pointer)}`);
  return 0;
}

const REASONS = {
  option: 'as the option says',
  export: 'by its export',
  import: 'by its import',
  name: 'by its name',
  prologues: 'the only one that functions lower when they begin',
} as const;

function pointerText(pointer: Exclude<StackPointer, { kind: 'none' }>): string {
  if (pointer.kind === 'found') return `global ${pointer.global}, ${REASONS[pointer.by]}`;
  return `not known: functions lower each of the globals ${pointer.globals.join(', ')} when they begin`;
}
