/**
 * The directives `thread` and `wait` of scripts. The script is the shape of the threads proposal's litmus tests; counts and failures are those of its assertions.
 */
import { expect, test } from 'vitest';
import { runScript } from '../../ts/wast/run.js';

const script = (expected: number): string => `
(module $Mem (memory (export "shared") 1 1 shared))
(thread $T1 (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "shared") 1 1 shared)
    (func (export "run") (result i32)
      (i32.atomic.store (i32.const 4) (i32.const 42))
      (i32.atomic.store (i32.const 0) (i32.const 1))
      (memory.atomic.notify (i32.const 0) (i32.const 1))))
  (assert_trap (invoke "missing") "x")
  (invoke "run"))
(thread $T2 (shared (module $Mem))
  (register "mem" $Mem)
  (module
    (memory (import "mem" "shared") 1 1 shared)
    (func (export "run") (result i32)
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
      (i32.atomic.load (i32.const 4))))
  (assert_return (invoke "run") (i32.const ${expected})))
(wait $T1)
(wait $T2)
(module $Check (import "mem" "none" (func)))`;

test('threads share a memory, and what they count is the script’s', () => {
  const { passed, failures } = runScript(script(42));
  expect(passed).toBe(1);
  expect(failures.map(({ line, directive }) => [line, directive])).toEqual([
    [11, 'assert_trap'],
    [23, 'module'],
  ]);
});

test('an assertion in a thread can fail', () => {
  const { passed, failures } = runScript(script(43));
  expect([passed, failures.map(({ line }) => line)]).toEqual([0, [11, 20, 23]]);
});

test('a thread that is not there cannot be waited for', () => {
  expect(runScript('(module) (wait $T)').failures).toHaveLength(1);
});
