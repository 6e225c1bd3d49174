/**
 * A picture of all fibers of the thread: what each does, and who waits for whom. Plain data, fit for JSON.
 */
import { mapGet, mapped } from '../base/intrinsics.js';
import type { FiberState, NativeFiber, NativeFiberTree } from '../link/native.js';
import { type FrameNames, omittedFrames, type ProgramFrame, programFrames } from './messages/backtrace.js';

export type { FiberState } from '../link/native.js';

/** Bytes of a fiber's stack. */
export interface FiberStack {
  /** What frames may take. */
  readonly size: number;
  /** What they take. */
  readonly used: number;
  /** How deep the stack has been since it last gave its pages back, in whole pages. */
  readonly highWater: number;
  /** What of it is in memory, in whole pages. */
  readonly resident: number;
}

/** One fiber. */
export interface FiberInfo {
  /** Its number on this thread, in the order of first resumes; 0 for a fresh one. A number comes but once. */
  readonly id: number;
  /** Number of its continuation, 0 for a call from JavaScript. A later continuation may have it again. */
  readonly continuation: number;
  /** What it does now. */
  readonly state: FiberState;
  /** The id of the fiber that waits for this one, 0 where none does. */
  readonly parent: number;
  /** Whether that one waits in an import whose JavaScript called this; otherwise it has resumed it. */
  readonly entered: boolean;
  /** Whether what is on its stack has been put aside (hibernate). */
  readonly hibernated: boolean;
  /** How many continuations go on from the state that it is in: 1 where it has no snapshots. */
  readonly versions: number;
  /** Of one that was made by a snapshot and not resumed since: the id of the fiber that it is a copy of. Its own is given when it is resumed. */
  readonly copyOf?: number;
  /** Of one that its program has suspended by the imports of asyncify (docs/go.md): the buffer, an address in its memory. */
  readonly buffer?: number;
  /** The function that it began with: its name, or `wasm-function[index]`. */
  readonly function: string;
  /** The tag that it is suspended with; absent where the instruction does not say. */
  readonly tag?: string;
  /** The import that it is in, of one that is calling or parked. */
  readonly import?: string;
  /** The task that it is part of, of one that is parked. */
  readonly task?: string;
  /** All zero for a fresh one. */
  readonly stack: FiberStack;
  /** What it is in, innermost first. */
  readonly frames: readonly ProgramFrame[];
  /** Frames in the middle of a long list that are left out. */
  readonly framesOmitted: number;
}

/** What inspect gives. */
export interface FiberTree {
  /** Those that run or wait for each other first, innermost first; then the others. */
  readonly fibers: readonly FiberInfo[];
  /** How many there are: more than are listed where a limit was reached. */
  readonly total: number;
}

/** Names that the engine knows. @internal */
export interface InspectionNames {
  readonly codes: ReadonlyMap<number, FrameNames>;
  readonly imports: ReadonlyMap<number, string>;
}

/** Opcodes of instructions that suspend, and how many immediates stand in front of their tag. */
const SUSPENDING: ReadonlyMap<number, number> = new Map([
  [0xe2, 0],
  [0xe6, 1],
]);

/** Reads an unsigned LEB128 number: its value and where the next byte is. */
function readUnsigned(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let at = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
  }
}

/** The name of the tag that the instruction at `offset` suspends with; undefined where it is none that does. */
function suspensionTag({ bytes, tagName }: FrameNames, offset: number): string | undefined {
  const before = mapGet(SUSPENDING, bytes[offset] ?? 0);
  if (before === undefined) return undefined;
  let at = offset + 1;
  for (let i = 0; i < before; i++) at = readUnsigned(bytes, at).next;
  return tagName(readUnsigned(bytes, at).value);
}

/** A function's name in messages. */
function functionName(fiber: NativeFiber, { codes, imports }: InspectionNames): string {
  if (fiber.importedStart >= 0) return mapGet(imports, fiber.importedStart) ?? 'an import';
  const names = mapGet(codes, fiber.code);
  if (names === undefined || fiber.function < 0) return 'a function';
  if (fiber.function >= names.functions) return 'an import';
  return names.functionName(fiber.function) ?? `wasm-function[${fiber.function}]`;
}

/** The tag that a fiber is suspended with. */
function tagOf(fiber: NativeFiber, frames: readonly ProgramFrame[], { codes }: InspectionNames): string | undefined {
  const names = mapGet(codes, fiber.frames[0] ?? -1);
  const offset = frames[0]?.offset ?? -1;
  return fiber.state !== 'suspended' || names === undefined || offset < 0 ? undefined : suspensionTag(names, offset);
}

function fiberInfo(fiber: NativeFiber, names: InspectionNames): FiberInfo {
  const frames = programFrames(fiber.frames, names.codes);
  const tag = tagOf(fiber, frames, names);
  const called = mapGet(names.imports, fiber.import);
  return {
    id: fiber.id,
    continuation: fiber.continuation,
    state: fiber.state,
    parent: fiber.parent,
    entered: fiber.entered,
    hibernated: fiber.hibernated,
    versions: fiber.versions,
    ...(fiber.buffer < 0 ? {} : { buffer: fiber.buffer }),
    ...(fiber.copyOf === 0 ? {} : { copyOf: fiber.copyOf }),
    function: functionName(fiber, names),
    ...(tag === undefined ? {} : { tag }),
    ...(called === undefined ? {} : { import: called }),
    stack: { size: fiber.stackSize, used: fiber.stackUsed, highWater: fiber.stackHighWater, resident: fiber.stackResident },
    frames,
    framesOmitted: omittedFrames(fiber.frames),
  };
}

/** What the addon saw, with names. @internal */
export function fiberTree({ fibers, total }: NativeFiberTree, names: InspectionNames): FiberTree {
  return { fibers: mapped(fibers, (fiber) => fiberInfo(fiber, names)), total };
}
