/**
 * Errors of JavaScript that WebAssembly does not catch: V8 marks its own traps and the overflow of the stack so, where no program can see
 * it. So V8 is asked: a module that it runs catches everything, and is thrown the error.
 */
import { isError, isInstance, WrongRange } from '../base/intrinsics.js';
import { V8 } from '../errors/v8.js';

// (import "" "" (func $throw)) (func (export "") (result i32) (try (result i32) (do (call $throw) (i32.const 0)) (catch_all (i32.const 1))))
const CATCHES_ALL = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f, 2, 5, 1, 0, 0, 0, 0, 3, 2, 1, 1, 7, 4, 1, 0, 0, 1, 10, 14, 1, 12,
  0, 0x06, 0x7f, 0x10, 0, 0x41, 0, 0x19, 0x41, 1, 0x0b, 0x0b,
]);

let thrown: unknown;
let caught: (() => number) | undefined;

function make(): () => number {
  const imports = {
    '': {
      '': () => {
        throw thrown;
      },
    },
  };
  // asks: an instance of V8's that was just made
  return new V8.Instance(new V8.Module(CATCHES_ALL), imports).exports[''] as () => number;
}

/** Whether V8's WebAssembly lets a thrown value through its handlers. Asks V8 about few kinds of errors only. */
export function isUncatchable(value: unknown): boolean {
  if (!isError(value) || !(isInstance(value, WrongRange) || isInstance(value, V8.RuntimeError))) return false;
  thrown = value;
  try {
    caught ??= make();
    return caught() === 0;
  } catch {
    // It came through; or there is no room left on the stack to ask, which is what it says itself.
    return true;
  } finally {
    thrown = undefined;
  }
}
