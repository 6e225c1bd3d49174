#!/usr/bin/env node
// docs/bundlers.md: a small server, bundled by webpack and by rollup with the lines of the page, answers. (esbuild and vite are development dependencies: tests/packages/bundlers.test.ts has them.)
// Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundlerProject } from '../tests/packages/server.mjs';
import { installPackages, packagesFolder } from './install_packages.mjs';
import { Tally } from './tally.mjs';

/** By arithmetic: what the server answers. */
const ANSWER = '41\n';

installPackages('bundlers');
const require = createRequire(join(packagesFolder, 'bundlers/package.json'));
const webpack = require('webpack');
const { rollup } = require('rollup');
const { folder, remove } = bundlerProject();
const output = (name) => join(folder, 'out', name);

/** Runs webpack; throws what it has against the program. */
async function withWebpack(entry, name, options) {
  const config = {
    context: folder,
    mode: 'production',
    target: 'node20',
    entry: `./${entry}`,
    output: { path: output('.'), filename: name, ...options.output },
    ...options.more,
  };
  const stats = await new Promise((resolve, reject) =>
    webpack(config, (error, result) => (error === null ? resolve(result) : reject(error))),
  );
  if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
}

async function withRollup(entry, name, format) {
  const bundle = await rollup({ input: join(folder, entry), external: [/^node:/, 'heddle'] });
  await bundle.write({ file: output(name), format });
}

const bundles = {
  'webpack.mjs': () =>
    withWebpack('server.mjs', 'webpack.mjs', {
      output: { module: true },
      more: { externals: { heddle: 'module heddle' }, experiments: { outputModule: true } },
    }),
  'webpack.cjs': () => withWebpack('server.cjs', 'webpack.cjs', { more: { externals: { heddle: 'commonjs heddle' } } }),
  'rollup.mjs': () => withRollup('server.mjs', 'rollup.mjs', 'es'),
  'rollup.cjs': () => withRollup('start.mjs', 'rollup.cjs', 'cjs'),
};

const tally = new Tally();
for (const [name, build] of Object.entries(bundles)) {
  try {
    await build();
    const { stdout, stderr } = spawnSync(process.execPath, [output(name)], { encoding: 'utf8', timeout: 60_000 });
    const holds = `${stdout}${stderr}` === ANSWER;
    if (!holds) console.error(`${name} printed ${stdout}${stderr}`);
    tally.check(name, holds);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    tally.check(name, false);
  }
}
remove();
process.exit(tally.finish());
