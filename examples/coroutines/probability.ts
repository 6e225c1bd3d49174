// Probabilistic programs: all outcomes, each with its weight, are a distribution. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { explore } from 'heddle/testing';
import { Tag } from 'heddle/typed';

const chooses = new Tag({ parameters: ['i32'], results: ['i32'] });
const text = await readFile(new URL('probability.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { chooses } });
const { weight, dice, first, sent } = instance.exports;

/** How probable each result of a program is. */
function distribution(program: typeof dice, ...args: number[]): Record<number, number> {
  const weights: Record<number, number> = {};
  let sum = 0;
  const visit = (value: number): void => {
    weights[value] = (weights[value] ?? 0) + weight.value;
    sum += weight.value;
  };
  explore(program, { choices: chooses, args, globals: [weight], visit });
  // What was not seen is out of question: the rest is everything.
  return Object.fromEntries(Object.entries(weights).map(([value, its]) => [value, its / sum]));
}

console.log(JSON.stringify({ dice: distribution(dice), first: distribution(first, 9), sent: distribution(sent, 0b101) }));
