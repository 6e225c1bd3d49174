#!/usr/bin/env node
// The addon inside Node under AddressSanitizer and UndefinedBehaviorSanitizer: the tests of the API, mutants, and random sequences of calls
// with hostile objects. `node scripts/test_asan.mjs [--sequences N] [--seed S] [paths of tests…]`; with paths only those tests. Ends with
// `N passed, N failed`.
//
// Only the addon is instrumented; Node is not, so the sanitizer is loaded before it. Generated code is not either: native/continuation/announce.h
// says which stack is left and which is gone to.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CMAKE_TOOLS, missingTool, run } from './native_tests.mjs';
import { root, Tally } from './tally.mjs';

const { values, positionals } = parseArgs({
  options: { sequences: { type: 'string', default: '12000' }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
});

const compiler = (process.env.CXX ?? 'g++').split(' ');
const lacking = missingTool([...CMAKE_TOOLS, [compiler[0], 'g++']]);
if (lacking !== null) stop(lacking);

function stop(message) {
  console.error(message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const folder = join(root, 'build-asan');
const addon = join(folder, 'RelWithDebInfo/heddle.node');
const prefix = dirname(dirname(process.execPath));
// The headers beside the running Node need no download.
if (existsSync(join(prefix, 'include/node/node.h'))) process.env.npm_config_nodedir = prefix;
const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js');
try {
  const options = ['-O', folder, '--target', 'heddle', '-B', 'RelWithDebInfo', '--CDHEDDLE_SANITIZE=address,undefined'];
  run(process.execPath, [cmakeJs, 'build', ...options]);
} catch (error) {
  stop(error.message);
}

/** A library of the compiler's. */
const library = (name) => execFileSync(compiler[0], [...compiler.slice(1), `-print-file-name=${name}`], { encoding: 'utf8' }).trim();

const OPTIONS = {
  // What V8 keeps until the process ends is no leak of ours; statistics() counts what is.
  detect_leaks: 0,
  // Faults are V8's and Heddle's: traps. Signals have the stacks that these gave them.
  allow_user_segv_handler: 1,
  handle_segv: 0,
  handle_sigbus: 0,
  handle_sigill: 0,
  handle_sigfpe: 0,
  handle_abort: 0,
  use_sigaltstack: 0,
  // Frames lie where the collector looks for references.
  detect_stack_use_after_return: 0,
  // A request that is too large fails, as it does without.
  allocator_may_return_null: 1,
  abort_on_error: 1,
};
const env = {
  ...process.env,
  LD_PRELOAD: `${library('libasan.so')}:${library('libubsan.so')}`,
  ASAN_OPTIONS: Object.entries(OPTIONS)
    .map(([name, value]) => `${name}=${value}`)
    .join(':'),
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1:abort_on_error=1',
  HEDDLE_ADDON: addon,
  HEDDLE_CACHE: 'off',
};

/** Whether a library of this function, loaded by such a Node, ends it with a report that has the words. */
function isSeen(name, sanitizer, body, words) {
  const source = join(folder, `${name}.cc`);
  const built = join(folder, `${name}.so`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(source, `#include <cstdlib>\nvolatile int one = 1;\n__attribute__((constructor)) static void fault() { ${body} }\n`);
  const flags = ['-O1', '-shared', '-fPIC', `-fsanitize=${sanitizer}`, '-fno-sanitize-recover=all', source, '-o', built];
  execFileSync(compiler[0], [...compiler.slice(1), ...flags]);
  const result = spawnSync(process.execPath, ['-e', 'process.dlopen({ exports: {} }, process.argv[1])', built], { env, encoding: 'utf8' });
  return result.status !== 0 && result.stderr.includes(words);
}

const tally = new Tally();
const node = process.execPath;
// Otherwise nothing would be said by the rest.
tally.check(
  'an overrun is seen',
  isSeen('overrun', 'address', 'volatile char* p = (char*)malloc(8); p[8 * one] = 1; free((void*)p);', 'heap-buffer-overflow'),
);
tally.check('an overflow is seen', isSeen('overflow', 'undefined', 'one = 2147483647 * (one + 1);', 'signed integer overflow'));
const paths = positionals.length > 0 ? positionals : ['tests/api', 'tests/inspect'];
await tally.part('tests', node, ['scripts/vitest_count.mjs', ...paths], { env });
if (positionals.length === 0) {
  await tally.part('mutants', node, ['tests/abuse/mutants.mjs', '--count', '500', '--seed', values.seed], { env });
  await tally.part('sequences', node, ['tests/fuzz/api/main.mjs', '--sequences', values.sequences, '--seed', values.seed], { env });
}
process.exit(tally.finish());
