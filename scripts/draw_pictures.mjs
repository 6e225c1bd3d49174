#!/usr/bin/env node
// Draws the pictures of docs/architecture.md. `--check` compares them with what is there (scripts/check_generated.mjs).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layers } from './layers.mjs';
import { root } from './tally.mjs';

const JAVASCRIPT = '#f9e8c4';
const CPP = '#d7e4f3';
const WASM = '#e3dcf5';
const PLAIN = '#eef0f2';
const INK = '#1f2933';
const SOFT = '#5c6773';

const quote = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** An SVG file. It has a background of its own, for pages that are dark. */
function picture(title, width, height, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${quote(title)}</title>
<!-- Drawn by scripts/draw_pictures.mjs: change that, not this. -->
<style>text { font: 14px sans-serif; fill: ${INK} } .soft { fill: ${SOFT}; font-size: 13px } .head { font-weight: bold } .code { font-family: monospace }</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="${SOFT}"/></marker></defs>
<rect width="${width}" height="${height}" rx="8" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

const text = (x, y, words, { kind = '', anchor = 'start' } = {}) =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${quote(words)}</text>`;
const box = (x, y, width, height, fill) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="3" fill="${fill}" stroke="${SOFT}"/>`;
const arrow = (points, bothWays = false) =>
  `<polyline points="${points.map((point) => point.join()).join(' ')}" fill="none" stroke="${SOFT}" stroke-width="1.5" marker-end="url(#tip)"${bothWays ? ' marker-start="url(#tip)"' : ''}/>`;

/** One thread in the middle of an import that a second fiber called. */
function twoStacks() {
  const [top, height, width] = [64, 40, 190];
  const column = (x, name, about, frames) => [
    text(x, 28, name, { kind: 'head' }),
    text(x, 48, about, { kind: 'soft' }),
    ...frames.flatMap(([words, fill, kind], i) => [
      box(x, top + i * height, width, height, fill),
      text(x + width / 2, top + i * height + 25, words, { anchor: 'middle', kind }),
    ]),
  ];
  const [host, first, second] = [24, 344, 664];
  const middle = (row) => top + row * height + height / 2;
  const foot = top + 5 * height + 56;
  const key = [
    ['JavaScript', JAVASCRIPT],
    ['C++', CPP],
    ['WebAssembly', WASM],
  ];
  const parts = [
    ...column(host, 'the thread’s own stack', 'the host stack: JavaScript, Node, C++', [
      ['Node’s event loop', CPP],
      ['your code: total(7)', JAVASCRIPT],
      ['the addon', CPP],
      ['the addon', CPP],
      ['the import: price(7)', JAVASCRIPT],
    ]),
    ...column(first, 'a fiber', 'made for the call from JavaScript', [
      ['total', WASM],
      ['resume', WASM, 'code'],
    ]),
    ...column(second, 'another fiber', 'a continuation: cont.new made it', [
      ['work', WASM],
      ['ask', WASM],
      ['call $price', WASM, 'code'],
    ]),
    arrow([
      [host + width, middle(2)],
      [host + width + 50, middle(2)],
      [host + width + 50, middle(0)],
      [first, middle(0)],
    ]),
    text(host + width + 60, middle(2) + 5, 'enter', { kind: 'code' }),
    arrow(
      [
        [first + width, middle(1)],
        [second, middle(1)],
      ],
      true,
    ),
    text((first + width + second) / 2, middle(1) - 8, 'switch', { anchor: 'middle', kind: 'code' }),
    arrow(
      [
        [second + width / 2, top + 3 * height],
        [second + width / 2, middle(3)],
        [host + width, middle(3)],
      ],
      true,
    ),
    text(first + width / 2, middle(3) - 8, 'host_call, and back', { anchor: 'middle', kind: 'code' }),
    text(host, top + 5 * height + 22, 'Stacks grow downwards. A suspend goes back along the switch.', { kind: 'soft' }),
    ...key.flatMap(([name, fill], i) => [box(host + i * 150, foot - 14, 18, 18, fill), text(host + 26 + i * 150, foot, name)]),
  ];
  return picture('JavaScript and C++ run on the thread’s own stack, WebAssembly on fibers', 904, foot + 24, parts);
}

/** What each folder of ts/ makes of a module, what it hands on, and what does the work where that is not TypeScript. */
const FOLDERS = {
  source: ['reads bytes, or text', 'bytes', 'the crate: wat'],
  validate: ['checks the module, and describes it', 'a description; the operators of each function', 'the crate: wasmparser'],
  lower: ['turns WebAssembly’s operators into Cranelift’s', 'CLIF programs', ''],
  compile: ['makes machine code, in worker threads', 'an artifact, which is also kept on disk', 'the crate: Cranelift'],
  link: ['puts the code into memory', 'addresses', 'the addon'],
  instance: ['gives it memories, tables, globals and imports', 'exports', 'the addon'],
  schedule: ['lets calls wait for promises, and take turns', 'promises', 'the addon'],
  api: ['is what users import', '', ''],
  typed: ['gives coroutines types', '', ''],
  testing: ['tries all outcomes of choices', '', ''],
  wast: ['runs the specification’s scripts', '', ''],
  cli: ['is the command line', '', ''],
};
/** Folders that are on nobody's way: everything uses them. */
const BELOW = { base: 'built-in objects', generated: 'numbers of contract/', errors: 'all errors' };

function moduleWay() {
  const way = layers.ts.filter((name) => !(name in BELOW));
  const lost = [
    ...way.filter((name) => !(name in FOLDERS)),
    ...Object.keys({ ...FOLDERS, ...BELOW }).filter((name) => !layers.ts.includes(name)),
  ];
  if (lost.length > 0) throw new Error(`scripts/draw_pictures.mjs and scripts/layers.mjs do not have the same folders: ${lost.join(', ')}`);
  const [left, width, height, step, top] = [24, 110, 34, 62, 84];
  const parts = [
    text(left, 28, 'ts/: each folder uses those above it', { kind: 'head' }),
    ...Object.entries(BELOW).flatMap(([name, what], i) => [
      box(left + i * 258, 40, width, height - 8, PLAIN),
      text(left + i * 258 + width / 2, 58, name, { kind: 'code', anchor: 'middle' }),
      text(left + i * 258 + width + 12, 58, what, { kind: 'soft' }),
    ]),
    ...way.flatMap((name, i) => {
      const [what, gives, by] = FOLDERS[name];
      const y = top + i * step;
      const row = [
        box(left, y, width, height, by === '' ? JAVASCRIPT : CPP),
        text(left + width / 2, y + 22, name, { kind: 'code', anchor: 'middle' }),
        text(left + width + 12, y + 22, what),
        text(736, y + 22, by, { kind: 'soft', anchor: 'end' }),
      ];
      if (gives !== '') {
        row.push(
          arrow([
            [left + width / 2, y + height],
            [left + width / 2, y + step],
          ]),
        );
        row.push(text(left + width / 2 + 12, y + height + 19, gives, { kind: 'soft' }));
      }
      return row;
    }),
  ];
  return picture('The way of a module through the folders of ts/', 760, top + way.length * step, parts);
}

const pictures = { 'docs/two_stacks.svg': twoStacks(), 'docs/module_way.svg': moduleWay() };
const check = process.argv.includes('--check');
for (const [path, svg] of Object.entries(pictures)) {
  if (!check) writeFileSync(join(root, path), svg);
  else if (readFileSync(join(root, path), 'utf8') !== svg) {
    console.error(`${path} is not what scripts/draw_pictures.mjs draws: npm run generate`);
    process.exitCode = 1;
  }
}
