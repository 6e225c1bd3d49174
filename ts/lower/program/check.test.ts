import { describe, expect, test } from 'vitest';
import { lowerText } from '../support.test-helper.js';
import { checkProgram } from './check.js';
import { NONE, Program } from './program.js';

const { signatures } = lowerText('(module (func (param i32) (result i32) (local.get 0)))').context;

/** Checks a function that takes a context (value 0) and an i32 (value 1). */
function check(write: (program: Program) => void): void {
  const program = new Program();
  program.begin(0, signatures.functionSignatures[0] ?? 0, 2);
  write(program);
  program.end();
  checkProgram(program.take(), signatures);
}

describe('checkProgram()', () => {
  test('accepts a sound function', () => {
    check((p) => {
      const block = p.block([3]);
      p.jump(block, [1]);
      p.seal(block);
      p.return([p.switchTo(block, 1)]);
    });
  });

  test.each<[string, RegExp, (program: Program) => void]>([
    [
      'a branch to a sealed block',
      /branch to block 1, which is sealed/,
      (p) => {
        const block = p.block(NONE);
        p.seal(block);
        p.jump(block);
      },
    ],
    ['a value that is not defined', /value 2 of 2/, (p) => p.return([2])],
    ['arguments that do not fit the params', /0 arguments for the 1 params of block 1/, (p) => p.jump(p.block([3]))],
    [
      'an instruction behind the end of a block',
      /behind the block's end/,
      (p) => {
        p.return(NONE);
        p.iconst(3, 1);
      },
    ],
    [
      'a block that goes on while another is not ended',
      /the block before is not ended/,
      (p) => {
        p.switchTo(p.block(NONE), 0);
      },
    ],
    [
      'a block that is placed twice',
      /placed twice/,
      (p) => {
        const block = p.block(NONE);
        p.jump(block);
        p.switchTo(block, 0);
        p.jump(block);
        p.switchTo(block, 0);
      },
    ],
    [
      'a block that is never sealed',
      /block 1 is never sealed/,
      (p) => {
        const block = p.block(NONE);
        p.jump(block);
        p.switchTo(block, 0);
        p.return(NONE);
      },
    ],
    ['a block that is branched to but nowhere', /never placed/, (p) => p.jump(p.block(NONE))],
    ['a function that does not end', /the last block is not ended/, (p) => p.iconst(3, 1)],
    ['a variable that is not declared', /variable 0 of 0/, (p) => p.useVariable(0)],
    ['a function number that is not known', /function 99 of/, (p) => p.call(99, NONE, 0)],
  ])('refuses %s', (_, message, write) => expect(() => check(write)).toThrow(message));

  test('names the function and the word', () => {
    expect(() => check((p) => p.return([7]))).toThrow(/^CLIF program of function 0, word 4: /);
  });
});
