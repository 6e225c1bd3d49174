#!/usr/bin/env node
// The tests of continuations, and of structures and arrays, with a collection at every safepoint, and after each a look for addresses inside suspended frames (native/heap/snapshot_check.h):
// `node scripts/test_snapshots.mjs`. Ends with `N passed, N failed`.
import { LAZY } from './compile_times.mjs';
import { Tally } from './tally.mjs';

const tally = new Tally();
const node = process.execPath;
const env = { ...process.env, HEDDLE_COLLECT: 'always', HEDDLE_DEBUG_SNAPSHOT: '1' };
const objectTests = ['border', 'collection', 'threads'].map((name) => `tests/gc/${name}`);
await tally.part('vitest', node, ['scripts/vitest_count.mjs', 'tests/control', 'tests/schedule', 'tests/inspect', ...objectTests], { env });
// With kotlinx-coroutines it would take minutes.
const producers = ['scripts/vitest_count.mjs', 'tests/gc/producers', '-t', 'generators|TeaVM|MoonBit'];
await tally.part('programs of compilers', node, producers, { env });
const objects = ['core/array', 'core/br_on_cast', 'core/extern.', 'core/i31.', 'core/ref_', 'core/struct.', 'core/type-'];
const types = { ...env, HEDDLE_DEBUG_TYPES: '1' };
await tally.part('specification', node, ['tests/spec/run.mjs', 'stack-switching', ...objects], { env: types });
await tally.part('control fuzzer', node, ['--import', 'tsx', 'tests/fuzz/control/main.ts', '--programs', '300', '--engine', 'heddle'], {
  env,
});
// What is hibernated is cloned and put back by other ways than what lies on its stack.
const hibernating = ['--import', 'tsx', 'tests/fuzz/control/main.ts', '--programs', '1000', '--engine', 'heddle', '--seed', '2'];
await tally.part('control fuzzer, hibernating', node, hibernating, { env: { ...process.env, HEDDLE_HIBERNATE: 'always' } });
// Functions that are made in the middle of a program, at calls on any stack.
const lazily = ['--import', 'tsx', 'tests/fuzz/control/main.ts', '--programs', '1000', '--engine', 'heddle', '--seed', '3'];
await tally.part(`control fuzzer, ${LAZY.name}`, node, lazily, { env: { ...process.env, ...LAZY.env } });
process.exit(tally.finish());
