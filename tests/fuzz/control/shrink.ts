/**
 * Makes a program that fails smaller: takes statements, calls and functions out as long as it still fails.
 */
import type { Code, Instruction, Program } from './program.js';

type Statement = Extract<Instruction, { readonly op: 'statement' }>;

/** Codes inside an instruction. */
function inside(instruction: Instruction): Code[] {
  if ('body' in instruction) return [instruction.body];
  return instruction.op === 'if' ? [instruction.yes, instruction.no] : [];
}

/** All lists of instructions that have statements, outermost first. */
function codes(program: Program): Code[] {
  const found: Code[] = [];
  const visit = (code: Code): void => {
    found.push(code);
    for (const instruction of code) inside(instruction).forEach(visit);
  };
  for (const { body } of program.functions) visit(body);
  return found;
}

/** The outermost statements inside a statement. */
function statementsIn(statement: Statement): Statement[] {
  return statement.body.flatMap(function find(instruction: Instruction): Statement[] {
    return instruction.op === 'statement' ? [instruction] : inside(instruction).flat().flatMap(find);
  });
}

/** Changes a copy of the program in one place; false where there is no such place. */
type Change = (program: Program, place: number) => boolean;

/** The place-th statement, in whatever list it is. */
function atStatement(program: Program, place: number, change: (code: Code, index: number, statement: Statement) => void): boolean {
  let left = place;
  for (const code of codes(program)) {
    for (const [index, instruction] of code.entries()) {
      if (instruction.op === 'statement' && left-- === 0) {
        change(code, index, instruction);
        return true;
      }
    }
  }
  return false;
}

const CHANGES: readonly Change[] = [
  (program, place) => program.entries.splice(place, 1).length > 0,
  (program, place) => atStatement(program, place, (code, index) => code.splice(index, 1)),
  (program, place) => atStatement(program, place, (code, index, statement) => code.splice(index, 1, ...statementsIn(statement))),
  (program, place) => {
    const definition = program.functions[place];
    definition?.body.splice(0, definition.body.length, { op: 'unreachable' });
    return definition !== undefined;
  },
];

/** The size by which programs are compared. */
export const sizeOf = (program: Program): number => program.entries.length + codes(program).reduce((sum, code) => sum + code.length, 0);

/** The smallest program found that still fails. `fails` must say false of programs that are not valid. */
export async function shrink(program: Program, fails: (program: Program) => Promise<boolean>): Promise<Program> {
  let smallest = program;
  for (let before = Number.POSITIVE_INFINITY; sizeOf(smallest) < before; ) {
    before = sizeOf(smallest);
    for (const change of CHANGES) smallest = await shrinkBy(smallest, change, fails);
  }
  return smallest;
}

async function shrinkBy(program: Program, change: Change, fails: (program: Program) => Promise<boolean>): Promise<Program> {
  let smallest = program;
  for (let place = 0; ; ) {
    const candidate = structuredClone(smallest);
    if (!change(candidate, place)) return smallest;
    if (sizeOf(candidate) < sizeOf(smallest) && (await fails(candidate))) smallest = candidate;
    else place++;
  }
}
