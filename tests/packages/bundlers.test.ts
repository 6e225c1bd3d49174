/** docs/bundlers.md: a small server, bundled, answers. The answer is arithmetic. webpack and rollup are no dependencies of the tests; their lines were tried by hand. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SERVER = `import { createServer } from 'node:http';
import { parseWat, WebAssembly } from 'heddle';

const price = new WebAssembly.Suspending(async (n) => n * 2);
const { instance } = await WebAssembly.instantiate(
  parseWat(\`(module (import "env" "price" (func $p (param i32) (result i32)))
    (func (export "total") (param i32) (result i32) (i32.add (call $p (local.get 0)) (i32.const 1))))\`),
  { env: { price } },
);
const total = WebAssembly.promising(instance.exports.total);
const server = createServer(async (_, response) => response.end(String(await total(20))));
server.listen(0, async () => {
  console.log(await (await fetch(\`http://localhost:\${server.address().port}\`)).text());
  server.close();
});
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-bundlers-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(folder, 'node_modules/heddle'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'server.mjs'), SERVER);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
