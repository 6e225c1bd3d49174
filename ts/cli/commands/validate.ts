/** `heddle validate`. */
import { requireCompilable } from '../../compile/limits.js';
import { stackPointerOf } from '../../compile/work.js';
import type { StackPointer } from '../../lower/module/stack_pointer.js';
import { FEATURE_BITS } from '../../validate/validate.js';
import { loadModule, placed } from '../load.js';
import { print, printJson, writing } from '../report.js';
import { startQuickly } from '../tiering.js';

/** Says that a module is valid, and which global is its shadow stack's pointer; or throws the reason with its place. */
export function validateFile(file: string, options: { readonly json?: boolean } = {}): number {
  writing.json = options.json === true;
  startQuickly();
  const source = loadModule(file);
  const pointer = placed(source, () => {
    const description = requireCompilable(source.bytes);
    return stackPointerOf(source.bytes, description, { stackPointer: null, features: FEATURE_BITS });
  });
  if (writing.json) {
    const { kind: _, ...found } = pointer;
    printJson({ file: source.file, valid: true, ...(pointer.kind !== 'none' && { stackPointer: found }) });
    return 0;
  }
  print(`${source.file}: valid`);
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
  if (pointer.kind === 'own') return 'moved by the program itself, which has several stacks, by the imports of asyncify';
  return `not known: functions lower each of the globals ${pointer.globals.join(', ')} when they begin`;
}
