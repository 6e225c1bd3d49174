/** A picture of fibers as SVG: a box for each, below and to the right of the one that waits for it, and a line between. */
import { COLOURS, escapeXml } from './marks.js';
import type { Picture, Row } from './picture.js';
import { drawnRows } from './rows.js';
import { detailsOf, headlineOf, nameOf } from './words.js';

/** Pixels. */
const MARGIN = 16;
const LINE = 16;
const PADDING = 8;
const GAP = 10;
const STEP = 28;
/** Longer chains than this go straight down. */
const DEEPEST = 40;
/** At least what a character of the font below takes: 0.6 of its size, or a little more. */
const CHARACTER = 7.5;

/** A box and what is in it. */
interface Box {
  readonly row: Row;
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The greatest of numbers, 0 of none. */
function greatest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

function boxesOf(rows: readonly Row[]): readonly Box[] {
  let y = MARGIN + LINE + GAP;
  return rows.map((row) => {
    const lines = [nameOf(row), ...detailsOf(row)];
    const box = {
      row,
      lines,
      x: MARGIN + STEP * Math.min(row.depth, DEEPEST),
      y,
      width: PADDING * 2 + Math.ceil(CHARACTER * greatest(lines.map((line) => line.length))),
      height: PADDING * 2 + LINE * lines.length,
    };
    y += box.height + GAP;
    return box;
  });
}

function boxElement({ row, lines, x, y, width, height }: Box): string {
  const texts = lines.map(
    (line, i) => `<text x="${x + PADDING}" y="${y + PADDING + LINE * i + 12}"${i === 0 ? ' class="name"' : ''}>${escapeXml(line)}</text>`,
  );
  const [{ state }] = row.fibers;
  const box = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="${COLOURS[state]}"/>`;
  return `<g class="${state}">${box}${texts.join('')}</g>`;
}

/** From the box of who waits, down its left side, to the box of what it waits for. */
function lineElement(above: Box, box: Box): string {
  const x = above.x + STEP / 2;
  return `<path d="M${x} ${above.y + above.height}V${box.y + LINE}H${Math.max(box.x, x)}"/>`;
}

/** The picture, an SVG document. */
export function svgOf(picture: Picture): string {
  const rows = drawnRows(picture);
  const boxes = boxesOf(rows);
  const headline = headlineOf(picture, rows);
  const last = boxes.at(-1);
  const width = MARGIN * 2 + Math.max(Math.ceil(CHARACTER * headline.length), greatest(boxes.map((box) => box.x + box.width - MARGIN)));
  const height = MARGIN + (last === undefined ? MARGIN + LINE : last.y + last.height);
  const lines = boxes.flatMap((box) => {
    const above = box.row.above === undefined ? undefined : boxes[box.row.above];
    return above === undefined ? [] : [lineElement(above, box)];
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(headline)}</title>`,
    '<style>text{font:12px ui-monospace,monospace;fill:#222}.name,.headline{font-weight:bold}rect{stroke:#888}path{fill:none;stroke:#888}</style>',
    '<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>',
    `<text class="headline" x="${MARGIN}" y="${MARGIN + 12}">${escapeXml(headline)}</text>`,
    ...lines,
    ...boxes.map(boxElement),
    '</svg>',
  ].join('\n')}\n`;
}
