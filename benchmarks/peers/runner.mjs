// One trial in Node: `runner.mjs ENGINE FILE N [PACKAGE]` instantiates a module, calls `run(N)` and prints its result and the time that took.
// Engines: `heddle` (of the built package in the folder PACKAGE), `v8`, and `jspi`, V8's promise integration as fibers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [engine, file, n, folder] = process.argv.slice(2);
const bytes = readFileSync(file);

async function heddle() {
  // As the package itself says: an older commit's is elsewhere.
  const { exports: entries } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const entry = entries['.'].default;
  const { WebAssembly } = await import(pathToFileURL(join(folder, entry.default ?? entry)).href);
  return (await WebAssembly.instantiate(bytes, {})).instance.exports.run;
}

// At once: the promise of some modules is never settled where V8 is told to optimize everything before it runs.
const instantiate = (imports) => new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;

const v8 = () => instantiate({}).run;

/**
 * include/heddle/fiber.h by calls that wait for promises: a fiber is a promising call of its function. Who resumes one waits until it yields or is
 * over, and a fiber that yields waits for the next resume.
 */
function jspi() {
  const { Suspending, promising } = WebAssembly;
  const fibers = new Map();
  const active = [];
  let made = 0;
  let exports;
  const settle = (value) => active.pop().answer(value);
  const imports = {
    fiber_new(index) {
      made++;
      fibers.set(made, { start: promising(exports.__indirect_function_table.get(index)) });
      return made;
    },
    fiber_resume: new Suspending(
      (number, value) =>
        new Promise((answer, fail) => {
          const fiber = fibers.get(number);
          fiber.answer = answer;
          active.push(fiber);
          if (fiber.next === undefined) fiber.start(value).then(settle, fail);
          else fiber.next(value);
        }),
    ),
    fiber_yield: new Suspending(
      (value) =>
        new Promise((next) => {
          active.at(-1).next = next;
          settle(value);
        }),
    ),
    fiber_free: (number) => fibers.delete(number),
  };
  exports = instantiate({ heddle: imports });
  return promising(exports.run);
}

const run = await { heddle, v8, jspi }[engine]();
const start = performance.now();
const result = await run(Number(n));
const milliseconds = performance.now() - start;
process.stdout.write(`\nRESULT ${JSON.stringify({ result: String(result), milliseconds })}\n`);
