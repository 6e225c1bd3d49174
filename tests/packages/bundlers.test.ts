/** docs/bundlers.md: a small server, bundled, answers. The answer is arithmetic. scripts/test_bundlers.mjs does the same by webpack and rollup. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { bundlerProject } from './server.mjs';

const { folder, remove } = bundlerProject();
afterAll(remove);

function answer(file: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, file)], { encoding: 'utf8' });
  return stdout + stderr;
}

const options = { bundle: true, platform: 'node', format: 'esm', logLevel: 'error' } as const;

test('esbuild, with Heddle left alone', async () => {
  await build({ ...options, entryPoints: [join(folder, 'server.mjs')], outfile: join(folder, 'out/one.mjs'), external: ['heddle'] });
  expect(answer('out/one.mjs')).toBe('41\n');
});

test("esbuild, with Heddle's own file inside", async () => {
  await build({ ...options, entryPoints: [join(folder, 'server.mjs')], outfile: join(folder, 'out/two.mjs') });
  expect(answer('out/two.mjs')).toBe('41\n');
});

test('esbuild, CommonJS, with Heddle left alone', async () => {
  for (const [entry, name] of Object.entries({ 'start.mjs': 'out/three.cjs', 'server.cjs': 'out/four.cjs' })) {
    await build({ ...options, format: 'cjs', entryPoints: [join(folder, entry)], outfile: join(folder, name), external: ['heddle'] });
    expect(answer(name)).toBe('41\n');
  }
});

test("esbuild, CommonJS, with Heddle's own file inside", async () => {
  await build({ ...options, format: 'cjs', entryPoints: [join(folder, 'start.mjs')], outfile: join(folder, 'out/five.cjs') });
  expect(answer('out/five.cjs')).toBe('41\n');
});

test('esbuild, with the other entries inside', async () => {
  const names = ['typed', 'testing', 'register'];
  const lines = names.map((name) => `import * as ${name} from 'heddle/${name}';\n`);
  const program = `${lines.join('')}console.log(typed.coroutine.name, testing.explore.name, register.V8 !== WebAssembly);\n`;
  writeFileSync(join(folder, 'entries.mjs'), program);
  await build({ ...options, entryPoints: [join(folder, 'entries.mjs')], outfile: join(folder, 'out/six.mjs') });
  expect(answer('out/six.mjs')).toBe('coroutine explore true\n');
});

test('vite, for servers', async () => {
  const server = { build: { ssr: 'server.mjs', outDir: 'out/vite', target: 'node20' }, ssr: { external: ['heddle'] } };
  await vite({ root: folder, configFile: false, logLevel: 'error', ...server });
  expect(answer('out/vite/server.js')).toBe('41\n');
});

test('no bundler: require', () => {
  writeFileSync(
    join(folder, 'program.cjs'),
    "console.log(require('heddle').parseWat('(module)').length, require('heddle/typed').coroutine.name);",
  );
  // A module without sections: magic number and version.
  expect(answer('program.cjs')).toBe('8 coroutine\n');
});
