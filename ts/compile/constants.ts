/**
 * Constant expressions that Heddle does not evaluate: those that make structures, arrays or i31 references. They are refused before anything is compiled, as such operators in functions are.
 */
import { OP, operatorEnd } from '../lower/program/stream.js';
import type { ModuleDescription } from '../validate/description.js';

/** An operator of a constant expression: its opcode, and its offset in the module. */
export interface ConstantOperator {
  readonly opcode: number;
  readonly offset: number;
}

/** The prefix of operators on structures, arrays, i31 references, and of conversions between `any` and `extern`: no other operator that may stand in a constant expression is refused. */
const GC = 0xfb;
const EXPRESSIONS = 1;

/** The first operator among the words from `start` to `end` that is not evaluated. */
function refusedAmong(words: Uint32Array, start: number, end: number): ConstantOperator | undefined {
  for (let at = start; at < end; at = operatorEnd(words, at)) {
    const opcode = words[at] ?? OP.end;
    if (opcode >>> 12 === GC) return { opcode, offset: words[at + 1] ?? 0 };
  }
  return undefined;
}

/** The same of the items of element segments. Offsets are integers, which are made of none of these. */
function refusedElement(elements: Uint32Array): ConstantOperator | undefined {
  const word = (at: number): number => elements[at] ?? 0;
  // [mode, table, type, words of the offset, …, form, items, …] each (contract/formats.md, section 2)
  for (let at = 0; at < elements.length; ) {
    at += 4 + word(at + 3);
    const form = word(at);
    const items = word(at + 1);
    at += 2;
    if (form !== EXPRESSIONS) {
      at += items;
      continue;
    }
    for (let i = 0; i < items; i++) {
      const end = at + 1 + word(at);
      const refused = refusedAmong(elements, at + 1, end);
      if (refused !== undefined) return refused;
      at = end;
    }
  }
  return undefined;
}

/** The first operator in a valid module's constant expressions that Heddle does not evaluate: of tables, globals and element segments, in the order of their sections. */
export function refusedConstant({ tables, globals, elements }: ModuleDescription): ConstantOperator | undefined {
  for (const { init } of [...tables, ...globals]) {
    // Most have no word that could be one.
    if (init === null || !init.some((word) => word >>> 12 === GC)) continue;
    const words = Uint32Array.from(init);
    const refused = refusedAmong(words, 0, words.length);
    if (refused !== undefined) return refused;
  }
  return refusedElement(elements);
}
