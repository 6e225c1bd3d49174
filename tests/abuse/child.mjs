// Takes mutants from seed to seed; tells the parent each seed before it is tried, so that a crash has a name.
import { call, WebAssembly as Heddle } from '../../dist/heddle.mjs';
import { corpus } from './corpus.mjs';
import { mutant } from './mutate.mjs';

const DEADLINE = 20;
const STAGES = ['rejected', 'validated', 'compiled', 'instantiated', 'called'];
const entries = corpus();

/** Imports of any shape; functions return what converts to every type but i64, which is then a TypeError and fine. */
function importsFor(module) {
  const imports = {};
  for (const { module: from, name, kind } of Heddle.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = {
      function: () => 1,
      memory: new Heddle.Memory({ initial: 1, maximum: 2 }),
      table: new Heddle.Table({ element: 'anyfunc', initial: 10, maximum: 20 }),
      global: 1,
      tag: new Heddle.Tag({ parameters: [] }),
    }[kind];
  }
  return imports;
}

/** How far a mutant comes; errors with a code, or of V8's own classes, are the right answer at every stage. */
function attempt(bytes) {
  let stage = 0;
  try {
    if (!Heddle.validate(bytes)) return 0;
    stage = 1;
    const module = new Heddle.Module(bytes);
    stage = 2;
    const instance = new Heddle.Instance(module, importsFor(module));
    stage = 3;
    for (const value of Object.values(instance.exports)) {
      if (typeof value !== 'function') continue;
      stage = 4;
      try {
        call(value, [1, 2, 3, 4].slice(0, value.length), { deadline: DEADLINE });
      } catch (error) {
        check(error);
      }
    }
  } catch (error) {
    check(error);
  }
  return stage;
}

function check(error) {
  const fine =
    typeof error?.code === 'string' ? error.code !== 'HEDDLE_INTERNAL' : error instanceof TypeError || error instanceof SyntaxError;
  if (!fine) throw error;
}

process.on('message', ({ from, to }) => {
  const counts = Object.fromEntries(STAGES.map((stage) => [stage, 0]));
  const wrong = [];
  for (let seed = from; seed < to; seed++) {
    if (seed % 64 === from % 64) process.send({ at: seed });
    try {
      counts[STAGES[attempt(mutant(seed, entries))]]++;
    } catch (error) {
      wrong.push(`seed ${seed}: ${error?.stack ?? error}`);
    }
  }
  process.send({ counts, wrong });
});
