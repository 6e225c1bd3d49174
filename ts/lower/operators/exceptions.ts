/**
 * Exceptions: throw, throw_ref, try_table (docs/architecture.md, section 6). Nothing runs where nothing is thrown: a try_table only gives the calls inside
 * it exception edges, and C++ finds the handler.
 */
import { LIBCALL, LIMIT, TRAP, VMException } from '../../generated/abi.js';
import { MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { type CatchClause, Frame } from '../function/frame.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { checkStores } from '../function/stores.js';
import { NONE, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import type { FunctionShape } from '../program/types.js';
import { throwingCall } from './calls.js';
import { openScope } from './dispatch.js';

/** The type of a tag. */
export function tagShape(f: FunctionLowering, tag: number): FunctionShape {
  return f.context.signatures.shape(f.context.spaces.tags[tag] as number);
}

function slot(i: number): number {
  return VMException.$size + LIMIT.slotSize * i;
}

/** A new exception of a tag of the module. */
export function newException(f: FunctionLowering, tag: number, values: readonly Value[]): Value {
  const address = f.pointer(f.context.layout.tags.at(tag));
  const exception = f.hostCall(LIBCALL.exceptionNew, [address, f.program.address(values.length)]);
  checkStores(f.program, f.context, 'exception', exception, () => f.program.iconst(TYPE.I32, values.length));
  values.forEach((value, i) => {
    f.program.store(MEMORY.trusted, value, exception, slot(i));
  });
  return exception;
}

/** Throws; what follows is dead. */
function raise(f: FunctionLowering, exception: Value): void {
  throwingCall(f, LIBCALL.throwRef, [exception]);
  f.program.trap(TRAP.unreachable);
  f.dead = true;
}

function throwTag(f: FunctionLowering): void {
  const tag = f.immediate();
  raise(f, newException(f, tag, f.popMany(tagShape(f, tag).params.length)));
}

function throwRef(f: FunctionLowering): void {
  raise(f, f.pop());
}

function tryTable(f: FunctionLowering): void {
  const { params, results } = f.blockType();
  const catches: CatchClause[] = [];
  for (let n = f.immediate(); n > 0; n--) {
    const kind = f.immediate();
    const tag = f.immediate();
    const target = f.frame(f.immediate());
    const all = kind >= 2;
    catches.push({ tag: all ? -1 : tag, shape: all ? undefined : tagShape(f, tag), reference: kind % 2 === 1, target, block: -1 });
  }
  const frame = new Frame(catches.length > 0 ? 'try' : 'block', f.height - params.length, results, results);
  f.enter(frame);
  if (catches.length > 0) openScope(f, frame, catches);
}

/**
 * The code of a clause: loads the exception's values and branches to the label. An exception that stays a reference is marked as such and lives on; else it is
 * given back at once.
 */
export function landClause(f: FunctionLowering, clause: CatchClause, exception: Value): void {
  const { program } = f;
  f.follow(clause.block);
  f.aside(() => {
    const values = clause.shape === undefined ? NONE : caughtValues(f, exception, clause.shape);
    if (clause.reference) {
      keepException(f, exception);
      program.jump(f.label(clause.target), [...values, exception]);
      return;
    }
    releaseException(f, exception);
    program.jump(f.label(clause.target), values);
  });
}

/** The values of a caught exception. */
export function caughtValues(f: FunctionLowering, exception: Value, shape: FunctionShape): readonly Value[] {
  return shape.params.map((type, i) => f.program.load(type, MEMORY.trusted, exception, slot(i)));
}

/** Marks an exception as one that a reference names. */
export function keepException(f: FunctionLowering, exception: Value): void {
  const { program } = f;
  const held = program.load(TYPE.I32, MEMORY.trusted, exception, VMException.held);
  program.store(
    MEMORY.trusted,
    program.binary(OPCODE.bor, held, program.iconst(TYPE.I32, LIMIT.heldByReference)),
    exception,
    VMException.held,
  );
}

/** Gives an exception back whose values are loaded. */
export function releaseException(f: FunctionLowering, exception: Value): void {
  f.hostCall(LIBCALL.exceptionRelease, [exception]);
}

/** Operators of this group. */
export const EXCEPTIONS: Handlers = [
  [OP.throw, throwTag],
  [OP.throwRef, throwRef],
  [OP.tryTable, tryTable],
];
