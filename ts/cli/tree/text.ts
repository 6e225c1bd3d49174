/** A picture of fibers as text. */
import type { Picture } from './picture.js';
import { drawnRows } from './rows.js';
import { detailsOf, headlineOf, nameOf } from './words.js';

const STEP = '  ';

/** The picture, ending with a newline. A fiber stands below the one that waits for it, farther to the right. */
export function textOf(picture: Picture): string {
  const rows = drawnRows(picture);
  const lines = [headlineOf(picture, rows)];
  for (const row of rows) {
    const indent = STEP.repeat(row.depth);
    lines.push('', `${indent}${row.depth > 0 ? '-> ' : ''}${nameOf(row)}`);
    for (const detail of detailsOf(row)) lines.push(`${indent}${STEP}${STEP}${detail}`);
  }
  return `${lines.join('\n')}\n`;
}
