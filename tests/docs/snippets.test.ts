/**
 * The snippets of README and docs, and the examples of docstrings, taken out of the Markdown and run. JavaScript is a whole program that prints what
 * its comments say, and so is TypeScript; `console` is a session: commands and what they print; `wat` is a module, or fields of one. What
 * cannot run says why in front of it (markdown.mjs).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseWat, WebAssembly } from '../../ts/index.js';
import { root } from '../cli/command.js';
import { docstringsOf, type Snippet, saidOutput, snippetsOf } from './markdown.mjs';

// In the repository, so that `import 'heddle'` finds the package itself.
mkdirSync(join(root, 'tmp'), { recursive: true });
const folder = mkdtempSync(join(root, 'tmp/snippets-'));
const bin = join(folder, 'bin');
mkdirSync(bin);
writeFileSync(join(bin, 'heddle'), `#!/bin/sh\nexec '${process.execPath}' '${root}bin/heddle.cjs' "$@"\n`);
chmodSync(join(bin, 'heddle'), 0o755);
symlinkSync(join(root, 'examples'), join(folder, 'examples'));
// README's module of a reader's own.
writeFileSync(join(folder, 'sum.wasm'), parseWat(readFileSync(join(root, 'examples/generator.wat'), 'utf8')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program in that folder: its output, with what it says of an error where there is one. */
function output(file: string, args: readonly string[]): string {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}`, HEDDLE_VERIFY: '' };
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: folder, encoding: 'utf8', env });
  return status === 0 ? stdout : `${stdout}${stderr}status ${status}\n`;
}

/** V8 does not optimise the code generator, which takes ten times as long as a snippet does. */
const QUICK = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];

function runJavaScript({ code, line }: Snippet): void {
  const file = join(folder, `line${line}.mjs`);
  writeFileSync(file, code);
  expect(output(process.execPath, [...QUICK, file])).toBe(saidOutput(code).join(''));
}

/** The same in TypeScript, which must find nothing wrong with it. */
function runTypeScript({ code, line }: Snippet): void {
  const file = join(folder, `line${line}.mts`);
  writeFileSync(file, code);
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  const lib = ['--lib', 'es2023,dom,esnext.disposable'];
  expect(output(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...lib, file])).toBe('');
  expect(output(process.execPath, [...QUICK, '--import', 'tsx', file])).toBe(saidOutput(code).join(''));
}

/** Each line behind `$ ` is a command; the lines up to the next one are what it prints. */
function runSession({ code }: Snippet): void {
  const commands = code.split(/^\$ /m).slice(1);
  expect(commands.length).toBeGreaterThan(0);
  for (const command of commands) {
    const end = command.indexOf('\n');
    expect(`$ ${command.slice(0, end)}\n${output('/bin/sh', ['-c', command.slice(0, end)])}`).toBe(`$ ${command}`);
  }
}

function validate({ code }: Snippet): void {
  const text = code.startsWith('(module') ? code : `(module ${code})`;
  expect(WebAssembly.validate(parseWat(text))).toBe(true);
}

const runners: Readonly<Record<string, (snippet: Snippet) => void>> = {
  js: runJavaScript,
  ts: runTypeScript,
  console: runSession,
  wat: validate,
};
/** tests/examples compares the C++ of cpp.md with the program that is built. C needs a compiler for WebAssembly. */
const FOREIGN = ['c', 'cpp'];

const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) => name.endsWith('.md'));
/** Files with examples in docstrings, which become pages by `npm run docs:api`. */
const sources = readdirSync(join(root, 'ts'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && readFileSync(join(root, 'ts', name), 'utf8').includes('* @example'))
  .map((name) => `ts/${name}`);

describe.each([...pages, ...sources])('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const snippets = snippetsOf(page.endsWith('.md') ? text : docstringsOf(text));
  const run = snippets.filter(({ language, reason }) => reason === undefined && !FOREIGN.includes(language));
  test.each(run.map((snippet) => [snippet.line, snippet.language, snippet] as const))('line %i, %s', (_line, language, snippet) => {
    const runner = runners[language];
    if (runner === undefined) throw new Error(`a snippet in "${language}" can neither be run nor says why not`);
    runner(snippet);
  });
  test.runIf(page.endsWith('.ts'))('each example is a program', () => {
    expect(run).toHaveLength(text.split('* @example').length - 1);
  });
  test('what is not run says why, and parts of files are in them', () => {
    const words = (text: string): string => text.split(/\s+/).join(' ').trim();
    for (const { reason, code } of snippets) {
      expect(reason).not.toBe('');
      const file = reason?.match(/^part of (\S+)$/)?.[1];
      if (file !== undefined) expect(words(readFileSync(join(root, file), 'utf8'))).toContain(words(code));
    }
  });
});
