// Patches each of JavaScript's built-in objects in turn, does all that tour.mjs has, and says where something else came of it: `node patched.mjs PART PARTS [PATCH]`. The cache's folder (HEDDLE_CACHE) is
// emptied before each module, and what is in it then must be what was there without a patch.
import { readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { patches } from './patches.mjs';
import { compiling, prepare, renew, running } from './tour.mjs';

const [part, parts] = process.argv.slice(2).map(Number);
const only = process.argv[4];
const folder = process.env.HEDDLE_CACHE;

/** The files of the cache's folder, which is empty then. */
function takeCache() {
  const files = new Map();
  for (const name of readdirSync(folder)) {
    if (/^[0-9a-f]{64}$/.test(name)) files.set(name, readFileSync(join(folder, name)));
    rmSync(join(folder, name));
  }
  return files;
}

const patched = [...patches()].filter(({ name }, i) => (only === undefined ? i % parts === part : name === only));
const things = prepare();
takeCache();

let settle;
process.on('uncaughtException', (error) => settle({ error }));

/** What comes of a step; an error as such. The patch is there for as long as it runs: calls, and what follows in microtasks. */
async function outcome(step, apply, undo) {
  renew();
  // A round of a scheduler begins with each turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  const result = new Promise((resolve) => {
    settle = resolve;
  });
  const done = settle;
  const late = setImmediate(() => done({ error: new Error('it waits for ever') }));
  const run = async () => {
    try {
      done(await step(things));
    } catch (error) {
      done({ error });
    }
  };
  apply();
  run();
  try {
    return await result;
  } finally {
    undo();
    clearImmediate(late);
  }
}

const expected = {};
const code = new Map();
for (const [name, step] of Object.entries({ ...running, ...compiling })) {
  expected[name] = await outcome(
    step,
    () => {},
    () => {},
  );
  if (typeof expected[name] !== 'string') {
    console.log(`without a patch: ${name}: ${expected[name].error?.stack}`);
    process.exit(1);
  }
  for (const [file, bytes] of takeCache()) code.set(file, bytes);
}

let differences = 0;
let errors = 0;
let count = 0;
function differs(patch, step, what) {
  differences++;
  console.log(`${patch}: ${step}: ${what}`);
}

for (const { name, apply, undo } of patched) {
  count++;
  // Where the process dies, this is the last that it says.
  writeSync(2, `${name}\n`);
  for (const kind of [running, compiling]) {
    for (const step of Object.keys(kind)) {
      const found = await outcome(kind[step], apply, undo);
      if (typeof found !== 'string' && kind === compiling) errors++;
      else if (found !== expected[step]) differs(name, step, found?.error?.stack ?? found);
      for (const [file, bytes] of takeCache()) {
        if (code.get(file)?.equals(bytes) !== true) differs(name, step, `other code, ${file}`);
      }
    }
  }
}
console.log(`${count} patches, ${differences} differences, ${errors} errors of compiling`);
process.exitCode = differences === 0 ? 0 : 1;
