/**
 * Trampolines: how the outside enters a function, and how an imported JavaScript function is called (docs/architecture.md, section 3).
 */
import {
  LIBCALL,
  LIMIT,
  VMContinuation,
  VMFiber,
  VMFunction,
  VMHostFunction,
  VMInstance,
  VMInvoked,
  VMTable,
  VMThread,
} from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { hostCall } from '../function/libcalls.js';
import { Scopes } from '../function/scopes.js';
import { checkStores } from '../function/stores.js';
import type { LoweringContext } from '../module/context.js';
import type { InvokeTrampoline, Trampoline, WaitTrampoline } from '../module/signatures.js';
import { setState, writeStart } from '../operators/asyncify.js';
import { checkProgram } from '../program/check.js';
import { NONE, Program, payload, returned, type Value } from '../program/program.js';
import { slotCount } from '../program/types.js';
import { writeBarrier } from './barrier.js';
import { writeContClone, writeContNewOn } from './cont_new.js';
import { writeFiberClone, writeFiberFree, writeFiberNew, writeFiberResume, writeFiberStatus, writeFiberYield } from './fibers.js';
import { writeExperiment, writeResumeNamed, writeSuspender, writeSuspendTo, writeTagNew } from './named.js';

const SLOT_ALIGNMENT_LOG2 = 4;
const ELEMENT_SIZE_LOG2 = 3;

/** Stores values at an address, a slot each. */
function store(program: Program, values: readonly Value[], address: Value): void {
  values.forEach((value, i) => {
    program.store(MEMORY.trusted, value, address, LIMIT.slotSize * i);
  });
}

/** Loads values of these types from an address, a slot each. */
function load(program: Program, types: readonly number[], address: Value): readonly Value[] {
  return types.map((type, i) => program.load(type, MEMORY.trusted, address, LIMIT.slotSize * i));
}

/** Values with ascending numbers. */
const row = (first: Value, count: number): readonly Value[] => Array.from({ length: count }, (_, i) => first + i);

/**
 * `(context, code, fiber)`: calls `code` with arguments from the slots of the fiber's record; its results go where the slots are then. It does not return, but goes to the
 * routine that ends the fiber (asm/x86_64_sysv.S says what that saves).
 */
function enter(program: Program, context: LoweringContext, { number, shape }: Trampoline): void {
  const [callee, code, fiber] = [0, 1, 2];
  const { params, results } = shape;
  const record = (): Value => program.load(TYPE.I64, MEMORY.trusted, fiber, VMFiber.record);
  const slotsOf = (address: Value): Value => program.load(TYPE.I64, MEMORY.trusted, address, VMContinuation.slots);
  const storeResults = (values: readonly Value[]): void => {
    const address = record();
    checkStores(program, context, 'record', address, () => program.iconst(TYPE.I32, values.length));
    store(program, values, slotsOf(address));
  };
  program.begin(number, context.signatures.enterSignature, 3);
  const args = params.length > 0 ? load(program, params, slotsOf(record())) : NONE;
  if (shape.indirect) {
    const area = program.stackSlot(LIMIT.slotSize * results.length, SLOT_ALIGNMENT_LOG2);
    program.callIndirect(shape.signature, code, [callee, program.stackAddress(area), ...args], 0);
    storeResults(load(program, results, program.stackAddress(area)));
  } else {
    const first = program.callIndirect(shape.signature, code, [callee, ...args], results.length);
    if (results.length > 0) storeResults(row(first, results.length));
  }
  const thread = program.load(TYPE.I64, MEMORY.trusted, fiber, VMFiber.thread);
  const end = program.load(TYPE.I64, MEMORY.constant, thread, VMThread.libcalls + 8 * LIBCALL.fiberEnd);
  program.returnCallIndirect(context.signatures.enterSignature, end, [fiber, code, callee]);
  program.end();
}

/** A function of the type itself with a `VMHostFunction*` as context: hands arguments and results to C++ in an array of slots. */
function importer(program: Program, context: LoweringContext, { number, shape }: Trampoline): void {
  const host = 0;
  const resultPointer = 1;
  const { params, results, indirect } = shape;
  const before = indirect ? 2 : 1;
  program.begin(number, shape.signature, before + params.length);
  const array = program.stackSlot(LIMIT.slotSize * Math.max(slotCount(shape), 1), SLOT_ALIGNMENT_LOG2);
  const address = program.stackAddress(array);
  store(program, row(before, params.length), address);
  const thread = program.load(TYPE.I64, MEMORY.constant, host, VMHostFunction.thread);
  hostCall(program, context.signatures, thread, LIBCALL.callImport, [host, address]);
  const values = load(program, results, program.stackAddress(array));
  if (indirect) {
    store(program, values, resultPointer);
    program.return(NONE);
  } else {
    program.return(values);
  }
  program.end();
}

/**
 * As {@link importer}, for an import that may wait: puts the arguments into the mailbox, for TypeScript to call it with, and lets a routine return in its place. So the routine
 * returns to the import's caller itself (asm/x86_64_sysv.S says what that saves).
 */
function waiter(program: Program, { number, shape, routine }: WaitTrampoline): void {
  const host = 0;
  program.begin(number, shape.signature, 1 + shape.params.length);
  const thread = program.load(TYPE.I64, MEMORY.constant, host, VMHostFunction.thread);
  if (shape.params.length > 0) {
    const mailbox = program.load(TYPE.I64, MEMORY.constant, thread, VMThread.mailbox);
    row(1, shape.params.length).forEach((value, i) => {
      program.store(MEMORY.trusted, value, mailbox, 8 * (LIMIT.mailboxValues + i));
    });
  }
  const [target, wait] = [LIBCALL.waitImport, LIBCALL.wait].map((call) =>
    program.load(TYPE.I64, MEMORY.constant, thread, VMThread.libcalls + 8 * call),
  );
  program.returnCallIndirect(routine, wait as Value, [thread, target as Value, host]);
  program.end();
}

/**
 * As {@link importer}, for Emscripten's `invoke_…`, which calls the element of a table that its first argument names, and catches what is thrown: calls the element here, where it is a function
 * of the type that the other arguments have. Otherwise, and after anything was thrown, JavaScript is called as ever; `invoke_failed` sees to it that the element throws the same there.
 */
function invoker(program: Program, context: LoweringContext, scopes: Scopes, { number, shape, callee }: InvokeTrampoline): void {
  const [host, index] = [0, 1];
  const rest = row(2, callee.params.length);
  program.begin(number, shape.signature, 2 + rest.length);
  const plainly = program.block(NONE, true);
  /** Goes on where the value is not 0. */
  const require = (value: Value): void => {
    const next = program.block(NONE);
    program.brif(value, next, NONE, plainly, NONE);
    program.switchTo(next, 0);
    program.seal(next);
  };
  const pointer = (address: Value, offset: number): Value => program.load(TYPE.I64, MEMORY.trusted, address, offset);
  const word = (address: Value, offset: number): Value => program.load(TYPE.I32, MEMORY.trusted, address, offset);
  const expected = word(host, VMHostFunction.callee);
  require(expected);
  const table = pointer(host, VMHostFunction.table);
  const place = program.unary(OPCODE.uextend, TYPE.I64, index);
  require(program.icmp(INTEGER.ult, place, pointer(table, VMTable.length)));
  const offset = program.binary(OPCODE.ishl, place, program.iconst(TYPE.I32, ELEMENT_SIZE_LOG2));
  const element = pointer(program.binary(OPCODE.iadd, pointer(table, VMTable.base), offset), 0);
  require(element);
  require(program.icmp(INTEGER.eq, word(element, VMFunction.type), expected));
  require(program.icmp(INTEGER.eq, word(element, VMFunction.flags), program.iconst(TYPE.I32, 0)));
  const cell = pointer(host, VMHostFunction.stack);
  const before = word(cell, 0);
  const kept = program.stackAddress(program.stackSlot(VMInvoked.$size, SLOT_ALIGNMENT_LOG2));
  program.store(MEMORY.trusted, cell, kept, VMInvoked.cell);
  program.store(MEMORY.trusted, before, kept, VMInvoked.pointer);
  const normal = program.block(callee.results);
  const landing = program.block([TYPE.I64], true);
  program.tryCallIndirect(
    callee.signature,
    pointer(element, VMFunction.code),
    [pointer(element, VMFunction.context), ...rest],
    { block: normal, args: callee.results.map((_, i) => returned(i)) },
    [
      { kind: 'context', value: kept },
      { kind: 'tag', tag: scopes.openInvoked(), target: { block: landing, args: [payload(0)] } },
    ],
  );
  const results = program.switchTo(normal, callee.results.length);
  program.seal(normal);
  program.return(row(results, callee.results.length));
  const exception = program.switchTo(landing, 1);
  program.seal(landing);
  const thread = program.load(TYPE.I64, MEMORY.constant, host, VMHostFunction.thread);
  const stack = program.unary(OPCODE.uextend, TYPE.I64, before);
  hostCall(program, context.signatures, thread, LIBCALL.invokeFailed, [host, exception, stack, element]);
  program.jump(plainly);
  program.switchTo(plainly, 0);
  program.seal(plainly);
  program.returnCallIndirect(shape.signature, pointer(host, VMHostFunction.plain), [host, index, ...rest]);
  program.end();
}

/** `(context, VMMemory*)`: the memory's length now. */
function lengthHelper(program: Program, { signatures }: LoweringContext): void {
  const [instance, memory] = [0, 1];
  const number = signatures.lengthHelper;
  program.begin(number, signatures.functionSignatures[number] as number, 2);
  const thread = program.load(TYPE.I64, MEMORY.constant, instance, VMInstance.thread);
  program.return([hostCall(program, signatures, thread, LIBCALL.memoryRefresh, [memory])]);
  program.end();
}

/** The functions of the experiments that the module imports, and those that its tags are. */
function writeExperiments(program: Program, context: LoweringContext): void {
  const { experiments, signatures } = context;
  let tags = 0;
  for (const experiment of experiments) {
    writeExperiment(program, context, { number: experiment.index, type: experiment.type }, (f, params) => {
      switch (experiment.name) {
        case 'barrier':
          return writeBarrier(f, params);
        case 'tag.new':
          return writeTagNew(f, tags++);
        case 'suspend_to':
          return writeSuspendTo(f, experiment, params);
        case 'resume_named':
          return writeResumeNamed(f, experiment, params);
        case 'fiber_new':
          return writeFiberNew(f, params);
        case 'fiber_resume':
          return writeFiberResume(f, params);
        case 'fiber_yield':
          return writeFiberYield(f, params);
        case 'fiber_free':
          return writeFiberFree(f, params);
        case 'fiber_status':
          return writeFiberStatus(f, params);
        case 'fiber_clone':
          return writeFiberClone(f, params);
        case 'cont.clone':
          return writeContClone(f, params);
        case 'start_unwind':
          return writeStart(f, LIMIT.asyncifyUnwinding, params);
        case 'start_rewind':
          return writeStart(f, LIMIT.asyncifyRewinding, params);
        case 'stop_unwind':
        case 'stop_rewind':
          return setState(f, LIMIT.asyncifyNormal);
        case 'cont.new':
          return writeContNewOn(f, experiment, params);
      }
    });
  }
  for (const suspender of signatures.suspenders) writeExperiment(program, context, suspender, writeSuspender);
}

/** The program of everything in a module that is not a function of its own: trampolines, helpers, and the experiments that it imports. `scopes` gets theirs. */
export function lowerTrampolines(context: LoweringContext, scopes = new Scopes()): Int32Array {
  const program = new Program();
  for (const trampoline of context.signatures.enterTrampolines) enter(program, context, trampoline);
  for (const trampoline of context.signatures.importTrampolines) importer(program, context, trampoline);
  for (const trampoline of context.signatures.waitTrampolines) waiter(program, trampoline);
  for (const trampoline of context.signatures.invokeTrampolines) invoker(program, context, scopes, trampoline);
  if (context.signatures.lengthHelper >= 0) lengthHelper(program, context);
  writeExperiments(program, context);
  const words = program.take();
  if (context.options.debug) checkProgram(words, context.signatures);
  return words;
}
