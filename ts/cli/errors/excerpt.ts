/** The line of a text that an error is about, with a caret below. */

/** Columns of a line that are shown: a module's text may be one line. */
const WIDTH = 100;
/** Of them, those in front of the error. */
const BEFORE = 60;

/** `  2 |   (func` and the caret; nothing where there is no such line. Line and column count from 1. */
export function excerpt(text: string, line: number, column: number): readonly string[] {
  const whole = text.split('\n')[line - 1]?.replace(/\r$/, '');
  if (whole === undefined) return [];
  const characters = [...whole];
  const at = Math.min(column - 1, characters.length);
  const from = characters.length <= WIDTH || at <= BEFORE ? 0 : at - BEFORE;
  const shown = characters.slice(from, from + WIDTH);
  const front = from > 0 ? '…' : '';
  const back = from + WIDTH < characters.length ? '…' : '';
  // Tabs stay what they are, so that the caret stands below its character.
  const space = shown.slice(0, at - from).map((c) => (c === '\t' ? '\t' : ' '));
  const number = ` ${line} | `;
  return [`${number}${front}${shown.join('')}${back}`, `${' '.repeat(number.length - 2)}| ${front && ' '}${space.join('')}^`];
}
