// A parser with choice: the first way to read a text as a list of numbers and ranges. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { explore } from 'heddle/testing';
import { Tag } from 'heddle/typed';

const chooses = new Tag({ parameters: ['i32'], results: ['i32'] });
const source = await readFile(new URL('parser.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(source), { host: { chooses } });
const { parse, text } = instance.exports;

/** The sum of all numbers that a text names; undefined where it is no list of numbers and ranges. */
function sumOf(list: string): number | undefined {
  const bytes = new Uint8Array(text.buffer);
  const { written } = new TextEncoder().encodeInto(list, bytes);
  bytes[written] = 0;
  return explore<number>(parse, { choices: chooses, outcomes: 1 }).outcomes[0]?.value;
}

const lists = process.argv.length > 2 ? process.argv.slice(2) : ['7', '1-10', '1,3-5,20', '1,,2', '3-'];
console.log(JSON.stringify(lists.map((list) => sumOf(list) ?? 'no list')));
