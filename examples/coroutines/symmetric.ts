// Symmetric coroutines: two that pass control to each other are one to the host. Prints what it finds, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { coroutine, Tag } from 'heddle/typed';

const gets = new Tag({ parameters: [], results: ['i32'] });
const puts = new Tag({ parameters: ['i32'] });
const text = await readFile(new URL('symmetric.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { gets, puts } });
const copy = coroutine(instance.exports['copy'], { parameters: [], results: [], yields: [gets, puts] });

/** What comes out for a text, letter by letter. */
function* copied(input: string): Generator<string, void, undefined> {
  const letters = [...input].map((letter) => letter.charCodeAt(0)).values();
  const answered = copy.start().handle(gets, () => letters.next().value ?? -1);
  for (const letter of answered) yield String.fromCharCode(letter);
}

const inputs = process.argv.length > 2 ? process.argv.slice(2) : ['aa', 'aaaa', 'xabaaay', 'aaabbbb', ''];
console.log(JSON.stringify(inputs.map((input) => [...copied(input)].join(''))));
