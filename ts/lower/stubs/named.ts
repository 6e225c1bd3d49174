/**
 * The experiments `tag.new`, `resume_named`, `suspend_to`: tags made at run time, so that a suspension is directed at the one resume that was given the tag
 * (docs/experiments.md). A tag is a function reference, which WebAssembly's own types keep apart; calling it suspends. What it is made of is a `VMNamedTag`, the
 * context of that function, with a handler list of the tag alone.
 */
import { LIBCALL, LIMIT, TRAP, VMFunction, VMNamedTag } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { Frame } from '../function/frame.js';
import { FunctionLowering } from '../function/function.js';
import { emitReturn } from '../function/return.js';
import type { LoweringContext } from '../module/context.js';
import type { Experiment } from '../module/experiments.js';
import { appendSlots, consume, loadSlots, recordOf, suspendTo, switchInto } from '../operators/continuations.js';
import { zero } from '../operators/variables.js';
import { NONE, type Program, type Value } from '../program/program.js';

/** Writes a function of one of the module's function types; `body` leaves the results as operands. Its params' values are given. */
export function writeExperiment(
  program: Program,
  context: LoweringContext,
  { number, type }: { readonly number: number; readonly type: number },
  body: (f: FunctionLowering, params: readonly Value[]) => void,
): void {
  const shape = context.signatures.shape(type);
  const f = new FunctionLowering(context, program, number, new Uint32Array(0), { shape });
  const first = shape.indirect ? 2 : 1;
  program.begin(number, shape.signature, first + shape.params.length);
  f.enter(new Frame('function', 0, shape.results, shape.results));
  body(
    f,
    shape.params.map((_, i) => first + i),
  );
  if (!f.dead) emitReturn(f);
  program.end();
}

/** `tag.new`: a copy of a function that the instance has for it, with a context of its own. */
export function writeTagNew(f: FunctionLowering, nth: number): void {
  const { layout, description, experiments } = f.context;
  const model = layout.functions.at(description.functions.length + experiments.length + nth);
  f.push(f.hostCall(LIBCALL.tagNew, [f.program.binary(OPCODE.iadd, f.instance, f.program.address(model))]));
}

/** What calling a tag does. Its context is the tag. */
export function writeSuspender(f: FunctionLowering, params: readonly Value[]): void {
  const tag = f.program.load(TYPE.I64, MEMORY.constant, f.instance, VMNamedTag.tag);
  f.pushAll(suspendTo(f, tag, f.shape, params));
}

/** Traps unless a function reference is a tag. */
function requireTag(f: FunctionLowering, reference: Value): void {
  const { program } = f;
  program.trapz(TRAP.nullFunction, reference);
  const flags = program.load(TYPE.I32, MEMORY.trusted, reference, VMFunction.flags);
  program.trapz(TRAP.castFailure, program.binary(OPCODE.band, flags, program.iconst(TYPE.I32, LIMIT.functionIsTag)));
}

/** `suspend_to`: calls the tag in the place of this function. */
export function writeSuspendTo(f: FunctionLowering, { about }: Experiment, params: readonly Value[]): void {
  const { program } = f;
  const reference = params[params.length - 1] as Value;
  requireTag(f, reference);
  const code = program.load(TYPE.I64, MEMORY.trusted, reference, VMFunction.code);
  const context = program.load(TYPE.I64, MEMORY.trusted, reference, VMFunction.context);
  const { signature, indirect } = f.context.signatures.shape(about);
  const head = indirect ? [context, f.resultPointer] : [context];
  program.returnCallIndirect(signature, code, [...head, ...params.slice(0, -1)]);
  f.dead = true;
}

/** `resume_named`: a resume whose only handler is that of the tag. Says by its first result which of the others mean something. */
export function writeResumeNamed(f: FunctionLowering, { about }: Experiment, params: readonly Value[]): void {
  const { program } = f;
  const [reference, handle] = params.slice(-2) as [Value, Value];
  requireTag(f, reference);
  // Another type of function, even one below it, would have the tag's values taken for others.
  const actual = program.load(TYPE.I32, MEMORY.trusted, reference, VMFunction.type);
  const expected = program.load(TYPE.I32, MEMORY.constant, f.instance, f.context.layout.types.at(about));
  program.trapnz(TRAP.castFailure, program.icmp(INTEGER.ne, actual, expected));
  const tag = program.load(TYPE.I64, MEMORY.trusted, reference, VMFunction.context);
  const handlers = program.load(TYPE.I64, MEMORY.constant, tag, VMNamedTag.handlers);

  const { record } = consume(f, handle);
  if (params.length > 2) appendSlots(f, record, params.slice(0, -2));
  const back = switchInto(f, record, record, handlers);

  const values = f.context.signatures.shape(about).params;
  const all = f.shape.results;
  const results = all.slice(1, all.length - 1 - values.length);
  const zeros = (types: readonly number[]): readonly Value[] => types.map((one) => zero(program, one));
  const next = program.block(all);
  const returned = program.block(NONE);
  const suspended = program.block(NONE);
  const kind = program.unary(OPCODE.ireduce, TYPE.I32, back.kind);
  const isReturn = program.icmp(INTEGER.eq, kind, program.iconst(TYPE.I32, -1));
  program.brif(isReturn, returned, NONE, suspended, NONE);
  f.follow(returned);
  f.aside(() => {
    const loaded = loadSlots(f, back.payload, results);
    f.hostCall(LIBCALL.contRelease, [back.payload]);
    program.jump(next, [program.iconst(TYPE.I32, 0), ...loaded, ...zeros(values), program.address(0)]);
  });
  f.follow(suspended);
  f.aside(() => {
    const loaded = loadSlots(f, recordOf(f, back.payload), values);
    program.jump(next, [program.iconst(TYPE.I32, 1), ...zeros(results), ...loaded, back.payload]);
  });
  f.pushRow(f.follow(next, all.length), all.length);
}
