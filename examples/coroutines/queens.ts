// Queens: all is done in WebAssembly. Prints how many solutions boards of 4 to 8 rows have, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';

const text = await readFile(new URL('queens.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), {});
console.log(JSON.stringify([4, 5, 6, 7, 8].map((n) => instance.exports['queens'](n))));
