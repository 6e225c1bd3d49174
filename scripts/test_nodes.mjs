#!/usr/bin/env node
// A part of the tests under other versions of Node, installed from npm outside the repository's own packages:
// `node scripts/test_nodes.mjs [22 24 26 little-address-space]`. The last is the tests of memories, those of every version, where address space is short. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { installNode, VERSIONS } from './nodes.mjs';
import { root, Tally } from './tally.mjs';

const LITTLE = 'little-address-space';
const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : [...VERSIONS, LITTLE];
const versions = wanted.filter((name) => name !== LITTLE);
const PART = [
  'stack-switching',
  'core/traps.',
  'core/call_indirect.',
  'core/memory_grow.',
  'core/memory_grow64.',
  'core/address64.',
  'threads/',
  'legacy/',
  'core/linking.',
];
/** Tests of what depends on V8: promises, collections, references, buffers, glue of npm's. */
const TESTS = ['schedule', 'continuations', 'heap', 'memory', 'modules', 'api', 'threads'].map((folder) => `tests/${folder}`);
const TEN = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n';

const tally = new Tally();
/** Where tests that need such a Node look for it. */
const named = {};
for (const version of wanted.includes(LITTLE) ? new Set([...versions, ...VERSIONS]) : versions) {
  let node;
  try {
    node = installNode(version);
  } catch (error) {
    console.error(error.message);
    tally.check(`node ${version}`, false);
    continue;
  }
  named[`HEDDLE_NODE_${version}`] = node;
  if (!versions.includes(version)) continue;
  const env = { ...process.env, HEDDLE_CACHE: 'off', HEDDLE_SPEC_NODE: node };
  const { stdout } = spawnSync(node, ['bin/heddle.cjs', 'run', 'examples/odds.wat'], { cwd: root, encoding: 'utf8', env });
  tally.check(`node ${version}, odds.wat`, stdout === TEN);
  await tally.part(`node ${version}, specification`, process.execPath, ['tests/spec/run.mjs', ...PART], { env });
  await tally.part(`node ${version}, JS API suite`, process.execPath, ['tests/js_api/run.mjs'], { env });
  await tally.part(`node ${version}, tests`, node, ['scripts/vitest_count.mjs', ...TESTS], { env });
  // Their V8 has what the one of Node 20 has not: exceptions with references, several memories, 64-bit tables.
  if (Number(version) >= 24)
    await tally.part(`node ${version}, fuzzer`, node, ['tests/fuzz/run.mjs', '--modules', '4000', '--seed', version], { env });
}
// V8 of Node 24 and 26 makes memories without guards where address space is short.
if (wanted.includes(LITTLE)) {
  const env = { ...process.env, ...named };
  await tally.part('little address space', process.execPath, ['scripts/vitest_count.mjs', 'tests/memory'], { env });
}
process.exit(tally.finish());
