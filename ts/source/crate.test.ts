import { expect, test } from 'vitest';
import { parseWat } from './bytes.js';
import { crate, withCrate } from './crate.js';

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

test('a panic becomes an internal error, and the next use has a fresh instance', () => {
  const before = crate();
  const panic = new WebAssembly.RuntimeError('unreachable');
  const error = thrown(() =>
    withCrate(() => {
      throw panic;
    }),
  );
  expect(error).toMatchObject({ code: 'HEDDLE_INTERNAL', message: 'the code generator failed: unreachable', cause: panic });
  expect(crate()).not.toBe(before);
  expect(parseWat('(module)').length).toBe(8);
});

test("the crate's own errors cost no instance", () => {
  const before = crate();
  expect(thrown(() => parseWat('(module'))).toMatchObject({ code: 'HEDDLE_INVALID_TEXT' });
  expect(crate()).toBe(before);
});

test('an overrun stack is a typed error and costs the instance', () => {
  const before = crate();
  const overrun = (): number => overrun() + 1;
  const error = thrown(() => withCrate(overrun));
  expect(error).toBeInstanceOf(WebAssembly.CompileError);
  expect(error).toMatchObject({ code: 'HEDDLE_UNSUPPORTED' });
  expect(crate()).not.toBe(before);
});
