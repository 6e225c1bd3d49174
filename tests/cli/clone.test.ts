/**
 * What README says to type in a clone.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withFolder } from '../traps/child.js';
import { root } from './command.js';

describe('npm start', () => {
  const start = (args: readonly string[], cwd = root) => {
    const { status, stdout } = spawnSync('npm', ['start', '--silent', ...args], { cwd, encoding: 'utf8' });
    return { status, stdout };
  };

  test('runs the example', () => expect(start([])).toEqual({ status: 0, stdout: '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n' }));

  test('is the command line with arguments; files are named from where the user is', () => {
    const run = ['--', 'run', '--invoke', 'sum'];
    expect(start([...run, 'examples/generator.wat', '10'])).toEqual({ status: 0, stdout: '55\n' });
    expect(start([...run, 'generator.wat', '10'], join(root, 'examples'))).toEqual({ status: 0, stdout: '55\n' });
    expect(start(['--', 'run', 'no_such_file.wat']).status).toBe(1);
  });
});

describe('a build without', () => {
  const tools = ['g++', 'make', 'python3'];
  test.each([...tools.map((tool) => [[tool]]), [tools]])('%j says which package is missing', async (missing) => {
    await withFolder(async (folder) => {
      const path = join(folder, 'bin');
      mkdirSync(path);
      for (const tool of tools) if (!missing.includes(tool)) symlinkSync('/bin/true', join(path, tool));
      const { CXX: _, ...env } = process.env;
      // It must stop at the missing tool: in this folder there is nothing to build.
      const args = [join(root, 'scripts/build_native.mjs'), '--in', folder];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...env, PATH: path } });
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      const fedora = missing.includes('g++') ? ' (Fedora: gcc-c++ for g++)' : '';
      const install = `apt-get install ${missing.join(' ')}`;
      expect(stderr).toBe(`heddle: building the addon needs ${missing.join(', ')}: ${install}${fedora}\n`);
    });
  });
});
