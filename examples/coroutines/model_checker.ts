// A model checker: every schedule of a concurrent program is tried. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { type Exploration, explore, replay } from 'heddle/testing';
import { Tag } from 'heddle/typed';

const chooses = new Tag({ parameters: ['i32'], results: ['i32'] });
const text = await readFile(new URL('model_checker.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { chooses } });
const { racy, locked, memory } = instance.exports;

const options = { choices: chooses, memories: [memory], check: (counter: number) => counter === 2 };
const summary = ({ runs, outcomes, failures, complete }: Exploration<number>): object => {
  return { schedules: runs, right: outcomes.length, wrong: failures.map(({ path }) => path.join('')), complete };
};

const found = explore<number>(racy, { ...options, order: 'breadth' });
const [shortest] = found.failures;
/** The same schedule again, without the check: what the counter was. */
const again = replay<number>(racy, shortest?.path ?? [], { choices: chooses, memories: [memory] });
console.log(JSON.stringify({ racy: summary(found), again: again.value, locked: summary(explore<number>(locked, options)) }));
