/** A picture of fibers as text. */
import { type Picture, rowsOf } from './rows.js';
import { detailsOf, headlineOf, nameOf } from './words.js';

const STEP = '  ';

/** The picture, ending with a newline. A fiber stands below the one that waits for it, farther to the right. */
export function textOf(picture: Picture): string {
  const lines = [headlineOf(picture)];
  for (const { fiber, depth } of rowsOf(picture.tree)) {
    const indent = STEP.repeat(depth);
    lines.push('', `${indent}${depth > 0 ? '-> ' : ''}${nameOf(fiber)}`);
    for (const detail of detailsOf(fiber)) lines.push(`${indent}${STEP}${STEP}${detail}`);
  }
  return `${lines.join('\n')}\n`;
}
