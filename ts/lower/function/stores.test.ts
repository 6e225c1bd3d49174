/**
 * With `debugStores` every raw store into a record or exception stands behind a check of its size; without it there is none.
 */
import { expect, test } from 'vitest';
import { TRAP } from '../../generated/abi.js';
import { clifText, compileAll, lowerText } from '../support.test-helper.js';

const MODULE = `(module (rec (type $f (func (param i32 i64 (ref null $k)) (result i32))) (type $k (cont $f)))
  (type $g (func (param (ref null $k)) (result i32))) (type $kg (cont $g))
  (tag $t (param f64 i64) (result i32)) (tag $s (result i32)) (tag $e (param i32 i32))
  (func (export "bind") (param (ref $k)) (result (ref $kg)) (cont.bind $k $kg (i32.const 1) (i64.const 2) (local.get 0)))
  (func (export "resume") (param (ref $k)) (result i32) (resume $k (i32.const 1) (i64.const 2) (ref.null $k) (local.get 0)))
  (func (export "suspend") (result i32) (suspend $t (f64.const 1) (i64.const 2)))
  (func (export "switch") (param (ref $k)) (switch $k $s (i32.const 1) (i64.const 2) (local.get 0)) (drop) (drop) (drop))
  (func (export "throw") (throw $e (i32.const 1) (i32.const 2)))
  (func (export "throwInto") (param (ref $k)) (result i32) (resume_throw $k $e (i32.const 1) (i32.const 2) (local.get 0))))`;
/** How many groups of stores each function makes. */
const GROUPS = [1, 1, 1, 1, 1, 1];

const check = new RegExp(`trapnz v\\d+, user${TRAP.storeBounds}\\b`, 'g');

test.each([true, false])('debugStores: %s', (debugStores) => {
  const lowered = lowerText(MODULE, { debugStores });
  expect(compileAll(lowered).length).toBe(2);
  const groups = lowered.programs.map((program) => (clifText(lowered, program).match(check) ?? []).length);
  expect(groups).toEqual(GROUPS.map((count) => (debugStores ? count : 0)));
  // One for each enter trampoline of a type with results.
  const trampolines = clifText(lowered, lowered.trampolines).match(check) ?? [];
  const withResults = lowered.context.signatures.enterTrampolines.filter(({ shape }) => shape.results.length > 0);
  expect(withResults.length).toBeGreaterThan(2);
  expect(trampolines.length).toBe(debugStores ? withResults.length : 0);
});
