// Sudoku: a program that writes to memory, which each branch finds as it was. Prints the solutions, as JSON.
import { readFile } from 'node:fs/promises';
import { parseWat, WebAssembly } from 'heddle';
import { explore } from 'heddle/testing';
import { Tag } from 'heddle/typed';

const chooses = new Tag({ parameters: ['i32'], results: ['i32'] });
const text = await readFile(new URL('sudoku.wat', import.meta.url), 'utf8');
const { instance } = await WebAssembly.instantiate(parseWat(text), { host: { chooses } });
const { solve, board } = instance.exports;

/** All solutions of a puzzle: 81 digits, 0 for what is empty. */
function solutions(puzzle: string): string[] {
  const cells = new Uint8Array(board.buffer, 0, 81);
  cells.set([...puzzle].map(Number));
  const found: string[] = [];
  explore(solve, { choices: chooses, memories: [board], visit: () => found.push(cells.join('')) });
  return found;
}

const EASY = '530070000600195000098000060800060003400803001700020006060000280000419005000080079';
console.log(JSON.stringify((process.argv.length > 2 ? process.argv.slice(2) : [EASY]).map(solutions)));
