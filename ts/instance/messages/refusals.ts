/**
 * What the number that a trap carries stands for: a tag, an import, or what ran out and how to get more of it.
 */
import { mapGet } from '../../base/intrinsics.js';
import { LIMIT, TRAP, TRAP_MESSAGE } from '../../generated/abi.js';
import type { Names } from './names.js';

/** What ran out, by the detail of trap too_many_stacks, and what raises it. */
const REFUSALS: ReadonlyMap<number, string> = new Map<number, string>([
  [LIMIT.refusedMaximum, 'as many continuations have stacks as the option stack.maximum allows'],
  [
    LIMIT.refusedMemory,
    'their memory would be more than the option stack.memory allows, which is half of what the machine, the cgroup (memory.max) and ulimit -v leave this process',
  ],
  [LIMIT.refusedSystem, 'the kernel gives no memory for another: the sysctl vm.max_map_count, or ulimit -v, raises what it gives'],
  [LIMIT.refusedDepth, '262,144 fibers wait for each other, each resumed by the one before'],
  [LIMIT.refusedRecords, 'all records of continuations are in use: the option stack.memory decides how many there are'],
]);

/** Why calls that wait would overwrite each other's frames, by the detail of trap shadow_stack. */
const SHADOW_REFUSALS: ReadonlyMap<number, string> = new Map<number, string>([
  [LIMIT.shadowAmbiguous, 'several globals may be its stack pointer; the option shadowStack.pointer says which it is'],
  [LIMIT.shadowOwn, 'its program moves its stack pointer itself, by the imports of asyncify'],
  [
    LIMIT.shadowUnsized,
    'the size of its stack in linear memory is not known; the option shadowStack.low or shadowStack.allocator gives it space',
  ],
]);

/** By the detail of trap shadow_overflow: the bytes that the call has. */
function shadowOverflow(room: number): string {
  if (room === LIMIT.shadowFailed) return 'its allocator threw an exception';
  if (room > LIMIT.shadowFailed) return `its allocator failed: ${TRAP_MESSAGE[room - LIMIT.shadowFailed] ?? 'a trap'}`;
  if (room === 0)
    return 'calls that wait have all of it; the option shadowStack.size makes parts smaller, shadowStack.allocator gives it space';
  return `the call has ${room} bytes of it while others wait; the option shadowStack.size says how many, with shadowStack.allocator the first call has all of it`;
}

/** What ran out, by the detail of trap out_of_memory. */
const MEMORY_REFUSALS: ReadonlyMap<number, string> = new Map<number, string>([
  [
    LIMIT.refusedHeap,
    'the heap is full: the option heap.memory says how large it may become, at most an eighth of what the machine, the cgroup (memory.max) and ulimit -v leave this process',
  ],
]);

/** The detail of a trap in words; undefined where it has none. */
export function trapDetail(code: number, detail: number, names: Names): string | undefined {
  if (code === TRAP.unhandledTag) return mapGet(names.tags, detail);
  if (code === TRAP.tooManyStacks) return mapGet(REFUSALS, detail);
  if (code === TRAP.outOfMemory) return mapGet(MEMORY_REFUSALS, detail);
  if (code === TRAP.shadowStack) return mapGet(SHADOW_REFUSALS, detail);
  if (code === TRAP.shadowOverflow) return shadowOverflow(detail);
  if (code === TRAP.stackOverflow && detail === LIMIT.hostStack) return "calls nest too deep on the thread's own stack";
  return code === TRAP.barrier ? mapGet(names.imports, detail) : undefined;
}
