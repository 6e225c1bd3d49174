#!/usr/bin/env node
// The runs that take too long for every change: `npm run test:long [-- [--seed N] [--count N] [part…]]`. Ends with
// `N passed, N failed`; date and seed are printed.
// A part is a command that ends its output with that line too: a new one is a row of `PARTS`.
import { root, Tally } from './tally.mjs';

const argv = process.argv.slice(2);

/** Takes `--name N` out of the arguments. */
function option(name, otherwise) {
  const at = argv.indexOf(`--${name}`);
  if (at < 0) return otherwise;
  const [, value] = argv.splice(at, 2);
  if (!/^\d+$/.test(value ?? '')) {
    console.error('usage: npm run test:long [-- [--seed N] [--count N] [part…]]');
    process.exit(2);
  }
  return Number(value);
}

const now = new Date();
const seed = option('seed', now.getUTCFullYear() * 10_000 + (now.getUTCMonth() + 1) * 100 + now.getUTCDate());
const count = option('count', 100_000);

/** Name, arguments of Node, and what is added to the environment. */
const PARTS = [
  ['mutants', ['tests/abuse/mutants.mjs', '--count', count, '--seed', seed]],
  ['modules', ['tests/fuzz/run.mjs', '--modules', count, '--seed', seed]],
  ['objects', ['tests/fuzz/run.mjs', '--objects', '--modules', count, '--seed', seed]],
  ['sequences', ['tests/fuzz/api/main.mjs', '--sequences', count, '--seed', seed]],
  ['frames', ['tests/stacks/frames/main.mjs', '--part', 'all', '--seed', seed]],
  ['packages', ['scripts/test_packages.mjs', '--all']],
  ['control', ['--import', 'tsx', 'tests/fuzz/control/main.ts', '--programs', count, '--seed', seed]],
  [
    'control, always collecting',
    ['--import', 'tsx', 'tests/fuzz/control/main.ts', '--engine', 'heddle', '--programs', Math.ceil(count / 100), '--seed', seed + 1],
    { HEDDLE_COLLECT: 'always' },
  ],
];

const unknown = argv.filter((name) => !PARTS.some(([part]) => part === name));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(' ')}; there are ${PARTS.map(([part]) => part).join(' ')}`);
  process.exit(2);
}
console.log(`${now.toISOString()}, seed ${seed}, ${count} of each, Node ${process.version}`);
const tally = new Tally();
for (const [name, args, env = {}] of PARTS) {
  if (argv.length > 0 && !argv.includes(name)) continue;
  await tally.part(name, process.execPath, args.map(String), { cwd: root, env: { ...process.env, ...env } });
}
process.exit(tally.finish());
