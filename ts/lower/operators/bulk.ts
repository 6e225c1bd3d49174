/**
 * Operators of many bytes or elements at once, which memories and tables have alike. All are library calls.
 */
import { OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handler } from '../function/function.js';
import type { Libcall } from '../function/libcalls.js';
import type { Value } from '../program/program.js';

/** What the operators work on: memories, or tables. */
interface Space {
  /** Whether one has 64-bit indices. */
  isWide(f: FunctionLowering, index: number): boolean;
  /** The `VMMemory*` or `VMTable*` of one. */
  pointer(f: FunctionLowering, index: number): Value;
  /** The library calls. */
  readonly copy: Libcall;
  readonly init: Libcall;
  readonly drop: Libcall;
}

/** Pushes what a library call returned as an index of a table or memory. */
export function pushIndex(f: FunctionLowering, value: Value, wide: boolean): void {
  f.push(wide ? value : f.program.unary(OPCODE.ireduce, TYPE.I32, value));
}

/** How the operators of a space are lowered. */
export function bulkOf({ isWide, pointer, copy, init, drop }: Space): Readonly<Record<'copy' | 'init' | 'drop', Handler>> {
  return {
    copy(f) {
      const to = f.immediate();
      const from = f.immediate();
      const length = f.popIndex(isWide(f, to) && isWide(f, from));
      const source = f.popIndex(isWide(f, from));
      const destination = f.popIndex(isWide(f, to));
      f.scratch([pointer(f, from)]);
      f.hostCall(copy, [pointer(f, to), destination, source, length]);
    },
    init(f) {
      const segment = f.immediate();
      const index = f.immediate();
      const length = f.popIndex(false);
      const source = f.popIndex(false);
      const destination = f.popIndex(isWide(f, index));
      f.scratch([f.instance, f.program.address(segment)]);
      f.hostCall(init, [pointer(f, index), destination, source, length]);
    },
    drop(f) {
      f.hostCall(drop, [f.instance, f.program.address(f.immediate())]);
    },
  };
}
