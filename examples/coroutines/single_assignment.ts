// Single-assignment variables: coroutines that read too early wait in the variable. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { coroutine, type Step, Tag } from 'heddle/typed';

const reads = new Tag({ parameters: ['i32'], results: ['i32'] });
const assigns = new Tag({ parameters: ['i32', 'i32'] });
const text = await readFile(new URL('single_assignment.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { reads, assigns } });
const add = coroutine(instance.exports['add'], { parameters: ['i32', 'i32', 'i32'], results: [], yields: [reads, assigns] });

class Variable {
  value: number | undefined;
  readonly #readers: ((value: number) => void)[] = [];

  /** Calls `reader` with the value, once there is one. */
  read(reader: (value: number) => void): void {
    if (this.value === undefined) this.#readers.push(reader);
    else reader(this.value);
  }

  assign(value: number): void {
    if (this.value !== undefined) throw new Error('assigned twice');
    this.value = value;
    for (const reader of this.#readers.splice(0)) reader(value);
  }
}

const variables: Variable[] = Array.from({ length: 31 }, () => new Variable());
const at = (index: number): Variable => variables[index] ?? new Variable();

/** Goes on with a coroutine as far as it can. */
function run(step: Step<typeof reads | typeof assigns, undefined>): void {
  if (step.done) return;
  if (step.tag === reads) {
    const { coroutine: reader } = step;
    at(step.values[0]).read((value) => run(reader.resume(value)));
  } else if (step.tag === assigns) {
    const [to, value] = step.values;
    at(to).assign(value);
    run(step.coroutine.resume());
  }
}

// Each variable is the sum of the two before it. The last are computed first: all of them wait.
for (let i = 30; i >= 2; i--) run(add.start(i - 2, i - 1, i).resume());
const waiting = variables.filter(({ value }) => value === undefined).length;
at(0).assign(0);
at(1).assign(1);

let twice: unknown;
try {
  run(add.start(1, 1, 2).resume());
} catch (error) {
  twice = error instanceof Error && error.message;
}
console.log(JSON.stringify({ waiting, values: variables.map(({ value }) => value), twice }));
