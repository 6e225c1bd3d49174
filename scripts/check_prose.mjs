#!/usr/bin/env node
// Checks the Markdown files: lines of prose have at most 120 characters (code, tables and the targets of links apart),
// links within the repository lead to files, and a README in a folder of ts/ or native/ names each file of the folder.
// `--fix` breaks paragraphs with long lines anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './tally.mjs';

const WIDTH = 120;
const FOLDERS = ['asm', 'benchmarks', 'codegen', 'contract', 'docs', 'examples', 'fuzz', 'include', 'native', 'scripts', 'tests', 'ts'];
const NOT_OURS = /(^|\/)(node_modules|target|pkg)\//;

/** The Markdown files of the repository: not what its user put beside them. */
function pages() {
  const inside = (folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((name) => `${folder}/${name}`)
      .filter((path) => path.endsWith('.md') && !NOT_OURS.test(path));
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...FOLDERS.flatMap(inside)].sort();
}

/** What an item of a list begins with. */
const MARK = /^(\s*)((?:[-*]|\d+\.) +)?/;

const withoutTargets = (line) => line.replace(/\]\([^)]*\)/g, ']');
const isLong = (line) => withoutTargets(line).length > WIDTH && wordsOf(line.replace(MARK, '')).length > 1;

/** A text in parts: paragraphs and items of lists (`prose`), and lines that stay as they are. */
function partsOf(text) {
  const parts = [];
  let paragraph;
  let inCode = false;
  text.split('\n').forEach((line, i) => {
    const fence = /^\s*```/.test(line);
    if (fence || inCode || /^\s*(\||#|<|>|!\[|$)/.test(line)) {
      paragraph = undefined;
      parts.push({ prose: false, code: fence || inCode, line: i + 1, lines: [line] });
      if (fence) inCode = !inCode;
    } else if (paragraph === undefined || /^\s*([-*]|\d+\.) /.test(line)) {
      paragraph = { prose: true, line: i + 1, lines: [line] };
      parts.push(paragraph);
    } else paragraph.lines.push(line);
  });
  return parts;
}

/** Code in backquotes that is no longer than this is not torn. */
const SHORT = 60;

/**
 * Words, none of which may be torn. What would begin a list or a heading at the beginning of a line stays behind the
 * word before it.
 */
function wordsOf(text) {
  const words = (text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []).flatMap((word) => (word.length > SHORT ? word.split(/\s+/) : [word]));
  return words.reduce((kept, word) => {
    if (kept.length > 0 && /^([-+*#>|=<]+|\d+[.)])$/.test(word)) kept.push(`${kept.pop()} ${word}`);
    else kept.push(word);
    return kept;
  }, []);
}

function fill(lines) {
  const [, indent, mark = ''] = MARK.exec(lines[0]);
  const filled = [];
  let line = `${indent}${mark}`;
  let isEmpty = true;
  for (const word of wordsOf(
    lines
      .map((each) => each.trim())
      .join(' ')
      .slice(mark.length),
  )) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      filled.push(line);
      line = indent + ' '.repeat(mark.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...filled, line];
}

function lengths(page, text) {
  return partsOf(text).flatMap(({ prose, line, lines }) =>
    prose ? lines.flatMap((each, i) => (isLong(each) ? [`${page}:${line + i}: the line has more than ${WIDTH} characters`] : [])) : [],
  );
}

function links(page, text) {
  const prose = partsOf(text).flatMap(({ code, lines }) => (code ? [] : lines));
  const targets = prose.flatMap((line) => [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1]));
  return targets
    .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(page), target)))
    .map((target) => `${page}: there is no ${target}`);
}

function files(page, text) {
  if (!/^(ts|native)\/.*README\.md$/.test(page)) return [];
  const names = readdirSync(join(root, dirname(page)), { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|cc|h)$/.test(entry.name) && !/\.test(-helper)?\.ts$/.test(entry.name))
    .map((entry) => entry.name.replace(/\.\w+$/, ''));
  return [...new Set(names)]
    .filter((name) => !new RegExp(`\`${name}(\\.ts)?\``).test(text))
    .map((name) => `${page}: says nothing of ${name}`);
}

const problems = [];
for (const page of pages()) {
  const path = join(root, page);
  let text = readFileSync(path, 'utf8');
  if (process.argv.includes('--fix')) {
    const filled = partsOf(text).flatMap(({ prose, lines }) => (prose && lines.some(isLong) ? fill(lines) : lines));
    if (filled.join('\n') !== text) writeFileSync(path, filled.join('\n'));
    text = filled.join('\n');
  }
  problems.push(...lengths(page, text), ...links(page, text), ...files(page, text));
}
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log('prose: every line is short enough, every link leads somewhere');
process.exit(problems.length > 0 ? 1 : 0);
