// The report as one HTML file with SVG plots, which asks no network and runs no script.
import { digits, sections } from './report.mjs';
import { median } from './statistics.mjs';

const WIDTH = 460;
const BAR = 20;
const LABEL = 130;
const VALUE = 84;
const COLOURS = { switching: '#0072b2', import: '#56b4e9', asyncify: '#e69f00', native: '#009e73' };

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Bars of one program, a line each; the whiskers reach from the least to the largest. Zero is at the left: lengths are ratios. */
function bars(title, unit, rows) {
  const most = Math.max(...rows.flatMap(({ values }) => values));
  const scale = (WIDTH - LABEL - VALUE) / (most || 1);
  const height = 34 + rows.length * BAR;
  const parts = rows.map(({ name, build, values, failure }, i) => {
    const y = 30 + i * BAR;
    const label = `<text x="${LABEL - 6}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`;
    if (values.length === 0) return `${label}<text x="${LABEL + 4}" y="${y + 13}" fill="#b00">${escaped(failure)}</text>`;
    const middle = median(values);
    const at = (value) => (LABEL + value * scale).toFixed(1);
    return [
      label,
      `<rect x="${LABEL}" y="${y + 2}" width="${(middle * scale).toFixed(1)}" height="${BAR - 5}" fill="${COLOURS[build]}"/>`,
      `<line x1="${at(Math.min(...values))}" x2="${at(Math.max(...values))}" y1="${y + 9.5}" y2="${y + 9.5}" stroke="#000"/>`,
      `<text x="${WIDTH - VALUE + 6}" y="${y + 13}">${digits(middle)} ${unit}</text>`,
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title><text x="0" y="16" font-weight="bold">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
  ].join('\n');
}

/** A plot for each program of one number of its runs. */
function plots(results, heading, unit, key, factor) {
  const engines = results.engines.filter(({ missing }) => missing === undefined);
  const all = Object.entries(results.programs).map(([name, program]) => {
    const rows = engines
      .filter(({ key: engine }) => program.results[engine]?.missing === undefined)
      .map(({ key: engine, name: label, build }) => {
        const { runs, failure } = program.results[engine];
        return { name: label, build, values: failure === undefined ? runs.map((run) => run[key] * factor) : [], failure: 'fails' };
      });
    return bars(`${name}, n = ${program.n}`, unit, rows);
  });
  return `<h2>${heading}</h2><div class="plots">${all.join('\n')}</div>`;
}

function tableOf({ title, note, head, rows }) {
  const cells = (tag, row) => `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return [
    `<h2>${escaped(title)}</h2>`,
    note === undefined ? '' : `<p>${escaped(note).replaceAll('\n', '<br>')}</p>`,
    `<div class="wide"><table><thead>${cells('th', head)}</thead><tbody>${rows.map((row) => cells('td', row)).join('\n')}</tbody></table></div>`,
  ].join('\n');
}

const STYLE = `
body { font: 15px/1.4 sans-serif; margin: 2em auto; max-width: 1440px; padding: 0 1em; color: #222; background: #fff }
svg { font: 12px sans-serif } .plots { display: flex; flex-wrap: wrap; gap: 1.5em } .wide { overflow-x: auto }
table { border-collapse: collapse } th, td { padding: .2em .7em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th:first-child, td:first-child { text-align: left }`;

/** The report: a whole document. */
export function html(results) {
  const [about, ...rest] = sections(results);
  const legend = Object.entries(COLOURS).map(([build, colour]) => `<span style="color:${colour}">■</span> ${build}`);
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${escaped(about.title)}</title><style>${STYLE}</style></head><body>`,
    tableOf(about),
    `<p>${legend.join(' &nbsp; ')}</p>`,
    plots(results, 'Time', 'ms', 'milliseconds', 1),
    plots(results, 'Peak memory', 'MB', 'peak', 1e-6),
    ...rest.map(tableOf),
    '</body></html>',
    '',
  ].join('\n');
}
