/** A picture of fibers as a page: a line for each row, which opens. It has no script, and loads nothing. */
import { COLOURS, escapeXml } from './marks.js';
import type { Picture, Row } from './picture.js';
import { drawnRows } from './rows.js';
import { detailsOf, headlineOf, nameOf } from './words.js';

/** Pixels. */
const STEP = 24;
/** Longer chains than this go straight down. */
const DEEPEST = 40;
const STYLE = `body{font:14px ui-monospace,monospace;color:#222;background:#fff}
summary{display:inline-block;border:1px solid #888;border-radius:4px;padding:2px 8px;margin:2px 0}
pre{margin:2px 0 8px 24px}`;

/** All of them, which a line of other pictures has no room for. */
function allOf({ fibers }: Row): readonly string[] {
  if (fibers.length === 1) return [];
  return ['', ...fibers.map(({ id, task, stack }) => `${task === undefined ? '' : `task ${task}: `}#${id}, ${stack.used} bytes used`)];
}

function rowElement(row: Row): string {
  const [{ state }] = row.fibers;
  const [what = '', ...rest] = detailsOf(row);
  const text = escapeXml([...rest, ...(state === 'fresh' ? [] : allOf(row))].join('\n'));
  const margin = STEP * Math.min(row.depth, DEEPEST);
  const line = `<b>${escapeXml(nameOf(row))}</b> ${escapeXml(what)}`;
  return `<details class="${state}" style="margin-left:${margin}px"><summary style="background:${COLOURS[state]}">${line}</summary><pre>${text}</pre></details>`;
}

/** The picture, an HTML document. A fiber stands below the one that waits for it, farther to the right. */
export function htmlOf(picture: Picture): string {
  const rows = drawnRows(picture);
  const headline = escapeXml(headlineOf(picture, rows));
  return `${[
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"/><title>${headline}</title><style>${STYLE}</style></head><body>`,
    `<h1>${headline}</h1>`,
    ...rows.map(rowElement),
    '</body></html>',
  ].join('\n')}\n`;
}
