/**
 * Where in a module's text the instruction is that an offset in its bytes stands for. The assembler keeps no such list. So it assembles the text twice more, once with a `nop` and
 * once with an `unreachable` in front of every instruction of the function: the two results differ in these bytes alone, and between them are the instructions.
 */
import { parseWat } from '../../source/bytes.js';
import { withCrate } from '../../source/crate.js';
import { FEATURE_BITS } from '../../validate/validate.js';
import type { FunctionPlace } from './function_at.js';
import { type Instruction, instructionsOf } from './instructions.js';

/** More text than this is not assembled again for a message. */
const LARGEST = 1 << 20;

/** Line and column, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The position of the instruction at an offset; undefined where it cannot be told. */
export function positionInText(text: string, fn: FunctionPlace, offset: number): Position | undefined {
  if (text.length > LARGEST) return undefined;
  const instructions = instructionsOf(text, fn.defined);
  if (instructions === undefined) return undefined;
  const starts = startsOf(text, fn.defined, instructions);
  const found = starts?.findLastIndex((start) => start <= offset - fn.start) ?? -1;
  const at = instructions[found]?.at;
  return at === undefined ? undefined : positionAt(text, at);
}

function positionAt(text: string, at: number): Position {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}

/** Where in the function's body each instruction begins. */
function startsOf(text: string, defined: number, instructions: readonly Instruction[]): readonly number[] | undefined {
  try {
    const one = parseWat(withEach(text, instructions, ' (nop) '));
    const other = parseWat(withEach(text, instructions, ' (unreachable) '));
    const [start, end] = bodyOf(one, defined);
    const starts: number[] = [];
    for (let i = start; i < end; i++) if (one[i] !== other[i]) starts.push(i - start - starts.length);
    return starts.length === instructions.length ? starts : undefined;
  } catch {
    // It is written in a way that was not foreseen here.
    return undefined;
  }
}

function withEach(text: string, instructions: readonly Instruction[], inserted: string): string {
  const places = instructions.map(({ insertAt }) => insertAt).sort((a, b) => a - b);
  const pieces = places.map((place, i) => text.slice(places[i - 1] ?? 0, place));
  return [...pieces, text.slice(places.at(-1) ?? 0)].join(inserted);
}

function bodyOf(bytes: Uint8Array, defined: number): readonly [start: number, end: number] {
  return withCrate((crate) => {
    const info = new crate.ModuleInfo(bytes, FEATURE_BITS, false);
    try {
      const bodies = info.bodies();
      return [bodies[2 * defined] ?? 0, bodies[2 * defined + 1] ?? 0];
    } finally {
      info.free();
    }
  });
}
