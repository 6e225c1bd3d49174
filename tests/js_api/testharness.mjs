// The functions of testharness.js that the JS API suite calls, as globals of a context in which its files are scripts. Subtests run one after another, promise tests once the file has run.
import { isDeepStrictEqual } from 'node:util';

/** What a failed assertion throws. */
class AssertionFailed extends Error {}

function fail(message, description) {
  throw new AssertionFailed(description === undefined ? message : `${description}: ${message}`);
}

function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  try {
    return typeof value === 'object' && value !== null ? `object ${Object.prototype.toString.call(value)}` : String(value);
  } catch {
    return typeof value;
  }
}

/** Subtests of a file: what was found out about them. */
const results = [];
const later = [];

function record(name, error) {
  results.push({ name, ok: error === undefined, message: error === undefined ? '' : messageOf(error.thrown) });
}

function messageOf(thrown) {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `threw ${shown(thrown)}`;
}

/** What a subtest is given. */
class Subtest {
  cleanups = [];

  add_cleanup(run) {
    this.cleanups.push(run);
  }

  unreached_func(what) {
    return () => fail(`reached: ${what}`);
  }

  step(run, self, ...args) {
    return run.call(self ?? this, ...args);
  }

  end() {
    for (const run of this.cleanups) run();
  }
}

function test(run, name = 'without a name') {
  const subtest = new Subtest();
  let error;
  try {
    run.call(subtest, subtest);
  } catch (thrown) {
    error = { thrown };
  }
  subtest.end();
  record(name, error);
}

function promise_test(run, name = 'without a name') {
  later.push(async () => {
    const subtest = new Subtest();
    let error;
    try {
      await run.call(subtest, subtest);
    } catch (thrown) {
      error = { thrown };
    }
    subtest.end();
    record(name, error);
  });
}

function requireThrown(type, thrown, description) {
  if (typeof thrown !== 'object' || thrown === null) fail(`threw ${shown(thrown)}, no object`, description);
  if (thrown.constructor !== type) fail(`threw ${messageOf(thrown)}, not a ${type.name}`, description);
}

/** The older form, where an error is given: its name is looked at. */
function requireNamed(wanted, thrown, description) {
  if (thrown?.name !== wanted.name) fail(`threw ${messageOf(thrown)}, not a ${wanted.name}`, description);
}

function thrownBy(run, description) {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return fail('nothing was thrown', description);
}

async function rejectedWith(promise, description) {
  let value;
  try {
    value = await promise;
  } catch (reason) {
    return reason;
  }
  return fail(`the promise was fulfilled with ${shown(value)}`, description);
}

function requireArray(actual, expected, description) {
  if (typeof actual !== 'object' || actual === null || !('length' in actual)) fail(`${shown(actual)} has no length`, description);
  if (actual.length !== expected.length) fail(`length ${actual.length}, not ${expected.length}`, description);
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(actual[i], expected[i])) fail(`element ${i} is ${shown(actual[i])}, not ${shown(expected[i])}`, description);
}

/** Globals of the suite's scripts. */
export const globals = {
  self: globalThis,
  setup(first, second) {
    if (typeof first === 'function') first();
    else if (typeof second === 'function') second();
  },
  done() {},
  format_value: shown,
  test,
  promise_test,
  async promise_rejects_js(_, type, promise, description) {
    requireThrown(type, await rejectedWith(promise, description), description);
  },
  async promise_rejects_exactly(_, wanted, promise, description) {
    if (!Object.is(await rejectedWith(promise, description), wanted)) fail('rejected with something else', description);
  },
  async promise_rejects(_, wanted, promise, description) {
    requireNamed(wanted, await rejectedWith(promise, description), description);
  },
  assert_true(value, description) {
    if (value !== true) fail(`${shown(value)}, not true`, description);
  },
  assert_false(value, description) {
    if (value !== false) fail(`${shown(value)}, not false`, description);
  },
  assert_equals(actual, expected, description) {
    if (!Object.is(actual, expected)) fail(`${shown(actual)}, not ${shown(expected)}`, description);
  },
  assert_not_equals(actual, expected, description) {
    if (Object.is(actual, expected)) fail(`is ${shown(actual)}`, description);
  },
  assert_array_equals: requireArray,
  assert_object_equals(actual, expected, description) {
    if (!isDeepStrictEqual(actual, expected)) fail('the objects differ', description);
  },
  assert_own_property(object, name, description) {
    if (!Object.hasOwn(object, name)) fail(`no property ${String(name)}`, description);
  },
  assert_not_own_property(object, name, description) {
    if (Object.hasOwn(object, name)) fail(`has a property ${String(name)}`, description);
  },
  assert_class_string(object, name, description) {
    const found = Object.prototype.toString.call(object);
    if (found !== `[object ${name}]`) fail(`${found}, not [object ${name}]`, description);
  },
  assert_unreached(description) {
    fail('reached', description);
  },
  assert_throws_js(type, run, description) {
    requireThrown(type, thrownBy(run, description), description);
  },
  assert_throws_exactly(wanted, run, description) {
    const thrown = thrownBy(run, description);
    if (!Object.is(thrown, wanted)) fail(`threw ${messageOf(thrown)}, something else`, description);
  },
  assert_throws(wanted, run, description) {
    requireNamed(wanted, thrownBy(run, description), description);
  },
};

/** Runs the promise tests that were noted; then what came out of all subtests. A name that comes again gets its number. */
export async function finish() {
  for (const run of later) await run();
  const seen = new Map();
  return results.map(({ name, ok, message }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count === 1 ? name : `${name} (${count})`, ok, message };
  });
}
