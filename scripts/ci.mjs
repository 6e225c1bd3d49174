// What .ci/run runs once the machine has what it needs. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { root, Tally } from './tally.mjs';

const node = process.execPath;
const tally = new Tally();

/** The README's own commands. */
await tally.run('npm ci', 'npm', ['ci']);
const odds = spawnSync('npx', ['heddle', 'run', 'examples/odds.wat'], { cwd: root, encoding: 'utf8' });
console.log(odds.stdout, odds.stderr);
tally.check('npx heddle run examples/odds.wat', odds.stdout === Array.from({ length: 10 }, (_, i) => `${i + 1}\n`).join(''));
await tally.part('npm test', 'npm', ['test']);

await tally.run('generated files', node, ['scripts/check_generated.mjs']);
await tally.run('format and lint', node, ['scripts/ok.mjs', '--static']);

// The committed artifact is the build of its sources, by their hashes. Only where it is not is it built here, which needs Rust.
const same = spawnSync(node, ['scripts/build_codegen.mjs', '--check'], { cwd: root, stdio: 'inherit' }).status === 0;
if (same) tally.check('codegen artifact', true);
else await tally.run('codegen artifact', node, ['scripts/build_codegen.mjs', '--compare']);

await tally.part('C++', node, ['scripts/test_cpp.mjs']);
await tally.part('C++ with sanitizers', node, ['scripts/test_cpp.mjs', '--sanitize']);
await tally.part('mutants', node, ['tests/abuse/mutants.mjs', '--count', '20000', '--seed', '7']);
await tally.part('aarch64', node, ['scripts/test_aarch64.mjs']);
process.exit(tally.finish());
