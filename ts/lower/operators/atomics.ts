/**
 * Atomic operators. Each checks the alignment of its effective address, and then the bounds itself, also where the memory has guards: next to an atomic
 * instruction the check costs nothing. Waiting and notifying are library calls.
 */
import { LIBCALL, TRAP } from '../../generated/abi.js';
import { KIND, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handler, Handlers } from '../function/function.js';
import { head, type Value } from '../program/program.js';
import { checkedPlace, memoryPointer } from './memory.js';

const { I8, I16, I32, I64 } = TYPE;
type Entry = readonly [opcode: number, handler: Handler];

/** What the seven forms of each operator access, and the type that they compute with. */
const FORMS: readonly (readonly [access: number, type: number])[] = [
  [I32, I32],
  [I64, I64],
  [I8, I32],
  [I16, I32],
  [I8, I64],
  [I16, I64],
  [I32, I64],
];
const BYTES = new Map<number, number>([
  [I8, 1],
  [I16, 2],
  [I32, 4],
  [I64, 8],
]);
/** Cranelift's numbers of the operations, in the order of the opcodes: add, sub, and, or, xor, xchg. */
const OPERATIONS = [0, 1, 2, 4, 5, 6] as const;

/** A place that was checked whole: its address, and what it is relative to the memory. */
interface AtomicPlace {
  readonly memory: number;
  readonly address: Value;
  readonly effective: Value;
}

/** Reads the memory immediates, pops the index, traps where the address is not a multiple of `size` and then out of bounds. */
function place(f: FunctionLowering, size: number): AtomicPlace {
  const { program } = f;
  const memory = f.immediate();
  const offset = f.wideImmediate();
  const { base, effective } = checkedPlace(f, memory, offset, size, (address) => {
    if (size > 1) program.trapnz(TRAP.unalignedAtomic, program.binary(OPCODE.band, address, program.address(size - 1)));
  });
  return { memory, address: program.binary(OPCODE.iadd, base, effective), effective };
}

function narrow(f: FunctionLowering, value: Value, access: number, type: number): Value {
  return access === type ? value : f.program.unary(OPCODE.ireduce, access, value);
}

/** Narrow forms extend with zeros. */
function push(f: FunctionLowering, value: Value, access: number, type: number): void {
  f.push(access === type ? value : f.program.unary(OPCODE.uextend, type, value));
}

const load =
  (access: number, type: number): Handler =>
  (f) => {
    const { address } = place(f, BYTES.get(access) as number);
    push(f, f.program.atomicLoad(access, MEMORY.atomic, address), access, type);
  };

const store =
  (access: number, type: number): Handler =>
  (f) => {
    const value = narrow(f, f.pop(), access, type);
    const { address } = place(f, BYTES.get(access) as number);
    f.program.do2(head(KIND.atomicStore, 0, 0, MEMORY.atomic), value, address);
  };

const modify =
  (operation: number) =>
  (access: number, type: number): Handler =>
  (f) => {
    const value = narrow(f, f.pop(), access, type);
    const { address } = place(f, BYTES.get(access) as number);
    push(f, f.program.make2(head(KIND.atomicRmw, operation, access, MEMORY.atomic), address, value), access, type);
  };

const compareExchange =
  (access: number, type: number): Handler =>
  (f) => {
    const replacement = narrow(f, f.pop(), access, type);
    const expected = narrow(f, f.pop(), access, type);
    const { address } = place(f, BYTES.get(access) as number);
    push(f, f.program.make3(head(KIND.atomicCas, 0, 0, MEMORY.atomic), address, expected, replacement), access, type);
  };

/** Its immediate, the ordering, has one value. */
function fence(f: FunctionLowering): void {
  f.immediate();
  f.program.do0(KIND.fence);
}

function notify(f: FunctionLowering): void {
  const count = f.popIndex(false);
  const { memory, effective } = place(f, 4);
  const woken = f.hostCall(LIBCALL.atomicNotify, [memoryPointer(f, memory), effective, count]);
  f.push(f.program.unary(OPCODE.ireduce, I32, woken));
}

const wait =
  (type: number): Handler =>
  (f) => {
    const timeout = f.pop();
    const expected = type === I32 ? f.zeroExtend(f.pop()) : f.pop();
    const size = BYTES.get(type) as number;
    const { memory, effective } = place(f, size);
    f.scratch([f.program.address(size)]);
    const outcome = f.hostCall(LIBCALL.atomicWait, [memoryPointer(f, memory), effective, expected, timeout]);
    f.push(f.program.unary(OPCODE.ireduce, I32, outcome));
  };

const forms = (first: number, make: (access: number, type: number) => Handler): Entry[] =>
  FORMS.map(([access, type], i) => [first + i, make(access, type)]);

/** Operators of this group. */
export const ATOMICS: Handlers = [
  [0xfe000, notify],
  [0xfe001, wait(I32)],
  [0xfe002, wait(I64)],
  [0xfe003, fence],
  ...forms(0xfe010, load),
  ...forms(0xfe017, store),
  ...OPERATIONS.flatMap((operation, i) => forms(0xfe01e + 7 * i, modify(operation))),
  ...forms(0xfe048, compareExchange),
];
