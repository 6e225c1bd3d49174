/**
 * What is too large to be compiled (docs/limits.md), found out in time that is linear in the module's size, before anything is lowered. What is
 * not looked at here costs a small multiple of its bytes: see `lower/function/size.ts` for locals.
 */
import { tooLarge, unsupported } from '../errors/catalog.js';
import { type FunctionSize, functionSize } from '../lower/function/size.js';
import { type UnsupportedOperator, unsupportedOperator } from '../lower/lower.js';
import { moduleArities } from '../lower/module/arities.js';
import { type IndexSpaces, indexSpaces } from '../lower/module/spaces.js';
import { operatorName } from '../lower/program/operator_names.js';
import { OP } from '../lower/program/stream.js';
import { hasContinuations } from '../lower/program/types.js';
import { withCrate } from '../source/crate.js';
import type { ModuleDescription } from '../validate/description.js';
import { hasKind, isOfKind, KIND_ARRAY, KIND_FUNC, KIND_STRUCT, typeCount, typeOffset } from '../validate/type_words.js';
import { FEATURE_BITS, validateModule } from '../validate/validate.js';

/** Instructions of one function: Cranelift needs up to 2 kB for each of them at once, and somewhere above 640,000 calls its time grows beyond measure. */
const MOST_INSTRUCTIONS = 600_000;
/** An operator that becomes very many of them has two bytes. */
const INSTRUCTIONS_PER_BYTE = 40;
/** The same of one on a structure, array, i31 or cast. */
const OBJECT_INSTRUCTIONS_PER_BYTE = 8;
/** Loops inside each other: Cranelift's time grows with the square. */
const MOST_NESTED_LOOPS = 250;
/** Operands that an operator may hand on without counting. */
const OPERANDS_EACH = 16;
/** What is above that, of a function and of a module: thousands of params and results are few bytes, but an instruction each. */
const MOST_FUNCTION_OPERANDS = 50_000;
const MOST_MODULE_OPERANDS = 1_000_000;
/** A loop with its block type and its end. */
const LOOP_BYTES = 3;

/** Params and results of a module's widest function type. */
function widestType({ types }: ModuleDescription): number {
  let widest = 0;
  for (let i = typeCount(types) - 1; i >= 0; i--) {
    if (!isOfKind(types, i, KIND_FUNC)) continue;
    const at = typeOffset(types, i);
    widest = Math.max(widest, (types[at + 2] ?? 0) + (types[at + 3] ?? 0));
  }
  return widest;
}

/** Whether a module may have operators on structures and arrays. */
const hasObjects = ({ types }: ModuleDescription): boolean => hasKind(types, KIND_STRUCT) || hasKind(types, KIND_ARRAY);

/** Whether a body's bytes could hold more loops than may be inside each other. */
function mayNestLoops(body: Uint8Array): boolean {
  if (body.length < LOOP_BYTES * MOST_NESTED_LOOPS) return false;
  let loops = 0;
  for (let i = body.indexOf(OP.loop); i >= 0; i = body.indexOf(OP.loop, i + 1)) loops++;
  return loops > MOST_NESTED_LOOPS;
}

/** Operands of a function that count. */
function countedOperands({ operands, operators }: FunctionSize): number {
  return Math.max(0, operands - OPERANDS_EACH * operators);
}

/**
 * Refuses a valid module that is beyond a limit: a CompileError with code HEDDLE_LIMIT and the offset. Few functions of ordinary modules are decoded for
 * it: those that could be beyond one by what their size and the module's types are.
 */
export function requireLimits(bytes: Uint8Array, description: ModuleDescription): void {
  const { bodies } = description;
  const spaces = indexSpaces(description);
  const count = bodies.length / 2;
  const widest = widestType(description);
  // A br_table's entry hands on as much as any operator.
  const operandsPerByte = Math.max(0, widest - OPERANDS_EACH);
  const most = (body: Uint8Array): number => 2 * widest + Math.ceil(body.length * operandsPerByte);
  // What stands for many instructions is of continuations and exceptions, and less so what is of structures and arrays.
  const perByte =
    spaces.tags.length > 0 || hasContinuations(description)
      ? INSTRUCTIONS_PER_BYTE
      : hasObjects(description)
        ? OBJECT_INSTRUCTIONS_PER_BYTE
        : 1;
  const bodyOf = (i: number): Uint8Array => bytes.subarray(bodies[2 * i], bodies[2 * i + 1]);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += most(bodyOf(i));
  const all = sum > MOST_MODULE_OPERANDS;
  const suspects: number[] = [];
  for (let i = 0; i < count; i++) {
    const body = bodyOf(i);
    if (all || body.length * perByte > MOST_INSTRUCTIONS || most(body) > MOST_FUNCTION_OPERANDS || mayNestLoops(body)) suspects.push(i);
  }
  if (suspects.length > 0) requireEach(bytes, description, spaces, suspects);
}

/** What a compile says of an operator that Heddle does not run. */
export function refusedOperator({ opcode, offset }: Pick<UnsupportedOperator, 'opcode' | 'offset'>): Error {
  return unsupported(`operator ${operatorName(opcode)}`, offset);
}

/** The prefixes of operators that are not lowered, and the least and the greatest byte that follows them there: few bodies have such bytes for something else. */
const PREFIXES: readonly (readonly [prefix: number, least: number, greatest: number])[] = [[0xfe, 0x4f, 0xff]];

/** Whether a body's bytes could hold an operator that Heddle does not run. */
function mayBeUnsupported(body: Uint8Array): boolean {
  return PREFIXES.some(([prefix, least, greatest]) => {
    for (let i = body.indexOf(prefix); i >= 0; i = body.indexOf(prefix, i + 1)) {
      const next = body[i + 1] ?? 0;
      if (next >= least && next <= greatest) return true;
    }
    return false;
  });
}

/** The defined functions whose bytes could hold such an operator. */
export function functionsToCheck(bytes: Uint8Array, { bodies }: ModuleDescription): readonly number[] {
  const suspects: number[] = [];
  for (let i = 0; i < bodies.length / 2; i++) if (mayBeUnsupported(bytes.subarray(bodies[2 * i], bodies[2 * i + 1]))) suspects.push(i);
  return suspects;
}

/** Refuses a valid module with an operator that Heddle does not run. A compile finds that out by itself. */
function requireSupported(bytes: Uint8Array, description: ModuleDescription): void {
  const suspects = functionsToCheck(bytes, description);
  if (suspects.length === 0) return;
  withCrate((crate) => {
    const info = new crate.ModuleInfo(bytes, FEATURE_BITS, false);
    try {
      for (const i of suspects) {
        const refused = unsupportedOperator(info.ops(i));
        if (refused !== undefined) throw refusedOperator(refused);
      }
    } finally {
      info.free();
    }
  });
}

/** Checks that a module is valid, within the limits and without operators that Heddle does not run: a CompileError with code and offset where it is not. */
export function requireCompilable(bytes: Uint8Array): ModuleDescription {
  const { description } = validateModule(bytes);
  requireLimits(bytes, description);
  requireSupported(bytes, description);
  return description;
}

function requireEach(bytes: Uint8Array, description: ModuleDescription, spaces: IndexSpaces, suspects: readonly number[]): void {
  const arities = moduleArities(description, spaces);
  let sum = 0;
  withCrate((crate) => {
    const info = new crate.ModuleInfo(bytes, FEATURE_BITS, false);
    try {
      for (const i of suspects) {
        const index = spaces.importedFunctions + i;
        const size = functionSize(info.ops(i), arities.function(index), arities);
        const offset = description.bodies[2 * i] ?? 0;
        requireFunction(index, size, offset);
        sum += countedOperands(size);
        if (sum > MOST_MODULE_OPERANDS)
          throw tooLarge(`calls, blocks and branches up to function ${index} have too many operands for one module`, offset);
      }
    } finally {
      info.free();
    }
  });
}

function requireFunction(index: number, size: FunctionSize, offset: number): void {
  if (size.instructions > MOST_INSTRUCTIONS)
    throw tooLarge(`function ${index} has more than about ${MOST_INSTRUCTIONS} instructions`, offset);
  if (size.nestedLoops > MOST_NESTED_LOOPS)
    throw tooLarge(`function ${index} has more than ${MOST_NESTED_LOOPS} loops inside each other`, size.innermostLoop);
  if (countedOperands(size) > MOST_FUNCTION_OPERANDS)
    throw tooLarge(`calls, blocks and branches of function ${index} have too many operands`, offset);
}
