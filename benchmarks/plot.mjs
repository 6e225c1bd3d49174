// A small writer of plots: lines in panels side by side, both axes logarithmic, as SVG.
const WIDTH = 340;
const HEIGHT = 300;
const LEFT = 62;
const TOP = 58;
const BOTTOM = 50;
const LEGEND = 26;
const COLOURS = ['#0072b2', '#56b4e9', '#d55e00', '#e69f00', '#009e73', '#cc79a7'];

/** Pixels of the last line. Each line before is wider, so that where lines lie on each other all are seen. */
const THINNEST = 1.5;
const WIDER = 1.5;

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const text = (x, y, words, more = '') => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(words)}</text>`;
const line = (x1, y1, x2, y2) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd"/>`;

/** A power of ten as people write it. */
function power(exponent) {
  if (exponent < 0) return `1e${exponent}`;
  const [unit, rest] = exponent >= 9 ? ['G', 9] : exponent >= 6 ? ['M', 6] : exponent >= 3 ? ['k', 3] : ['', 0];
  return `${10 ** (exponent - rest)}${unit}`;
}

/** Maps [least, most], widened to whole powers of ten, to [from, to]. */
function axis(values, from, to) {
  const logs = values.map((value) => Math.log10(value));
  const low = Math.floor(Math.min(...logs));
  const high = Math.max(Math.ceil(Math.max(...logs)), low + 1);
  const place = (log) => from + ((log - low) / (high - low)) * (to - from);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return { of: (value) => place(Math.log10(value)), ticks: ticks.map((exponent) => ({ at: place(exponent), label: power(exponent) })) };
}

function panel({ y: label, series }, x, index) {
  const right = WIDTH - 14;
  const bottom = HEIGHT - BOTTOM;
  // A logarithm has no place for zero and less (memory of few fibers is lost in the noise).
  const visible = series.map(({ name, points }) => ({ name, points: points.filter(([a, b]) => a > 0 && b > 0) }));
  const all = visible.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const across = axis(
    all.map(([a]) => a),
    LEFT,
    right,
  );
  const up = axis(
    all.map(([, b]) => b),
    bottom,
    TOP,
  );
  const parts = [text(LEFT, TOP - 10, label, 'font-weight="bold"')];
  for (const { at, label: tick } of across.ticks)
    parts.push(line(at, TOP, at, bottom), text(at, bottom + 16, tick, 'text-anchor="middle"'));
  for (const { at, label: tick } of up.ticks) parts.push(line(LEFT, at, right, at), text(LEFT - 6, at + 4, tick, 'text-anchor="end"'));
  parts.push(text((LEFT + right) / 2, bottom + 34, x, 'text-anchor="middle"'));
  visible.forEach(({ points }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const thick = THINNEST + WIDER * (visible.length - 1 - i);
    const places = points.map(([a, b]) => [across.of(a).toFixed(1), up.of(b).toFixed(1)]);
    parts.push(
      `<polyline points="${places.map((place) => place.join()).join(' ')}" fill="none" stroke="${colour}" stroke-width="${thick}"/>`,
    );
    for (const [a, b] of places) parts.push(`<circle cx="${a}" cy="${b}" r="${1.5 + thick / 2}" fill="${colour}"/>`);
  });
  return `<g transform="translate(${index * WIDTH} 0)">${parts.join('\n')}</g>`;
}

/**
 * An SVG document. `panels` is `[{ y, series: [{ name, points: [[x, y]…] }…] }…]`: all panels have the same series in the same order. Points that are not positive
 * are left out.
 */
export function plot({ title, note, x, panels }) {
  const width = WIDTH * panels.length;
  const legend = panels[0].series.map(({ name }, i) => {
    const at = LEFT + (i * (width - LEFT)) / panels[0].series.length;
    return `<rect x="${at.toFixed(1)}" y="${HEIGHT}" width="12" height="12" fill="${COLOURS[i % COLOURS.length]}"/>${text(at + 18, HEIGHT + 10, name)}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT + LEGEND}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(LEFT, 20, title, 'font-size="15" font-weight="bold"'),
    text(width - 14, 20, note, 'text-anchor="end" fill="#666"'),
    ...panels.map((each, i) => panel(each, x, i)),
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}
