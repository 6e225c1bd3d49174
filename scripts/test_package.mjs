#!/usr/bin/env node
// What README promises to who installs the packed package: makes it, installs it into an empty project, where it builds
// itself, and runs README's first example and its command there. Takes a minute.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saidOutput, snippetsOf } from '../tests/docs/markdown.mjs';
import { root } from './tally.mjs';

const folder = mkdtempSync(join(tmpdir(), 'heddle-package-'));
const project = join(folder, 'project');

/** Runs a command: what it prints. Ends with what it said where it fails. */
function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `status ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

function same(what, printed, expected) {
  if (printed !== expected) throw new Error(`${what} printed\n${printed}instead of\n${expected}`);
  console.log(`${what}: as README says`);
}

try {
  const packed = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], root).trim().split('\n').at(-1);
  mkdirSync(project);
  run('npm', ['init', '-y'], project);
  run('npm', ['install', '--no-audit', '--no-fund', join(folder, packed)], project);

  const [first] = snippetsOf(readFileSync(join(root, 'README.md'), 'utf8')).filter(({ language }) => language === 'js');
  writeFileSync(join(project, 'first.mjs'), first.code);
  same('first.mjs', run(process.execPath, ['first.mjs'], project), saidOutput(first.code).join(''));
  const ten = Array.from({ length: 10 }, (_, i) => `${i + 1}\n`).join('');
  same('npx heddle run', run('npx', ['heddle', 'run', 'node_modules/heddle/examples/odds.wat'], project), ten);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
