#!/usr/bin/env node
// What README promises to who installs the packages: installs them, offline, without install scripts and without a compiler on the PATH, into an empty project of each Node, and runs README's first example, in
// which calls wait, and its command there. Then what is said where there is no package for the machine, and the build that is said to help. Takes a minute or two.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { saidOutput, snippetsOf } from '../tests/docs/markdown.mjs';
import { have } from './native_tests.mjs';
import { installNode } from './nodes.mjs';
import { root } from './tally.mjs';

const folder = mkdtempSync(join(tmpdir(), 'heddle-package-'));
const TEN = Array.from({ length: 10 }, (_, i) => `${i + 1}\n`).join('');
const [first] = snippetsOf(readFileSync(join(root, 'README.md'), 'utf8')).filter(({ language }) => language === 'js');
const platformPackage = `@heddle/linux-${process.arch}-gnu`;

/** npm's own JavaScript, to run it with any Node. */
const npm = realpathSync(spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim());

/** Programs that a system without a compiler has. */
const bare = join(folder, 'bin');
mkdirSync(bare);
for (const name of ['sh', 'env', 'uname']) symlinkSync(join('/bin', name), join(bare, name));

const environment = {
  ...process.env,
  PATH: bare,
  HEDDLE_CACHE: 'off',
  npm_config_cache: join(folder, 'npm-cache'),
  npm_config_offline: 'true',
  npm_config_ignore_scripts: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
};
for (const name of ['HEDDLE_ADDON', 'HEDDLE_CODEGEN', 'NODE_OPTIONS', 'NODE_PATH', 'CXX']) delete environment[name];

function run(command, args, cwd, env = environment) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26, env });
  return { status, stdout, stderr: `${error?.message ?? ''}${stderr}` };
}

/** The same: what it prints. Ends with what it said where it fails. */
function output(command, args, cwd, env) {
  const { status, stdout, stderr } = run(command, args, cwd, env);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: status ${status}\n${stdout}${stderr}`);
  return stdout;
}

function check(what, holds, shown) {
  if (!holds) throw new Error(`${what} does not hold:\n${shown}`);
  console.log(what);
}

const same = (what, printed, expected) => check(what, printed === expected, `${printed}instead of\n${expected}`);

/** An empty project in which packages are installed. */
function install(node, name, options = []) {
  const project = join(folder, name);
  mkdirSync(project);
  const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  const dependency = (file) => [/^heddle-linux/.test(file) ? `@heddle/${/linux-\w+-gnu/.exec(file)[0]}` : 'heddle', `file:../${file}`];
  const [main, ...machines] = tarballs.map(dependency).sort(([a], [b]) => Number(a !== 'heddle') - Number(b !== 'heddle'));
  const manifest = { private: true, dependencies: Object.fromEntries([main]), optionalDependencies: Object.fromEntries(machines) };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  output(node, [npm, 'install', ...options], project);
  writeFileSync(join(project, 'first.mjs'), first.code);
  return project;
}

const command = 'node_modules/heddle/bin/heddle.cjs';
const odds = [command, 'run', 'node_modules/heddle/examples/odds.wat'];

/** A row of `heddle doctor`. */
const row = (text, name) => new RegExp(`^${name} {2,}(.*)$`, 'm').exec(text)?.[1] ?? '';

function installed(node, version) {
  const project = install(node, `node-${version}`);
  const has = readdirSync(join(project, 'node_modules/@heddle'));
  same(`${version}: the package for this machine and no other`, `${has.join()}\n`, `${basename(platformPackage)}\n`);
  const doctor = output(node, [command, 'doctor'], project);
  const addon = join(realpathSync(project), 'node_modules', platformPackage, 'heddle.node');
  same(`${version}: doctor, addon`, row(doctor, 'addon'), addon);
  same(`${version}: doctor, code generator`, row(doctor, 'code generator'), "Heddle's own code");
  same(`${version}: README's first example`, output(node, ['first.mjs'], project), saidOutput(first.code).join(''));
  same(`${version}: heddle run`, output(node, odds, project), TEN);
}

/** Where there is no package for the machine. */
function alone() {
  const node = process.execPath;
  const project = install(node, 'alone', ['--omit=optional']);
  const home = join(project, 'node_modules/heddle');
  const { scripts, dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  check('no install scripts, no dependencies', scripts === undefined && dependencies === undefined, JSON.stringify(scripts));
  check('no binding.gyp, for which npm would build', !existsSync(join(home, 'binding.gyp')));
  const advice = `install ${platformPackage}, an optional dependency of heddle, or run \`npx heddle build\``;
  const doctor = run(node, [command, 'doctor'], project);
  same('doctor says what to do', `${doctor.status} ${row(doctor.stdout, 'addon')}`, `1 none: the addon is not there: ${advice}`);
  const asked =
    "import('heddle').then((heddle) => new heddle.WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))).catch((error) => console.log(error.code, error.message))";
  same('so does a program', output(node, ['-e', asked], project), `HEDDLE_PLATFORM the addon is not there: ${advice}\n`);
  const fake = join(folder, 'mac.cjs');
  writeFileSync(fake, "Object.defineProperty(process, 'platform', { value: 'darwin' });\n");
  const mac = run(node, ['--require', fake, command, 'doctor'], project);
  const sentence = `none: Heddle runs on linux-x64 and linux-arm64, not on darwin-${process.arch}`;
  same('another system is told so', `${mac.status} ${row(mac.stdout, 'addon')}`, `1 ${sentence}`);

  const tools = run(node, [command, 'build'], project);
  check(
    'a build without a compiler names it',
    tools.status === 1 && /needs g\+\+, make, python3: apt-get/.test(tools.stderr),
    tools.stderr,
  );
  if (!have('g++')) throw new Error('building needs g++');
  // Not optimised across files, which takes most of the time.
  const building = { ...environment, PATH: process.env.PATH, HEDDLE_LTO: '-O1' };
  output(node, [command, 'build'], project, building);
  const built = join(home, 'build/Release/heddle.node');
  const { mtimeMs } = statSync(built);
  const after = output(node, [command, 'doctor'], project);
  same(
    'doctor finds what was built',
    `${row(after, 'addon')}, ${row(after, 'code generator')}`,
    `${realpathSync(built)}, Heddle's own code`,
  );
  same('heddle run with it', output(node, odds, project), TEN);
  output(node, [command, 'build'], project, building);
  check('a build that is up to date is not made again', statSync(built).mtimeMs === mtimeMs);
  same('nothing else is left of the build', `${readdirSync(join(home, 'build')).join()}\n`, 'Release\n');
}

try {
  const packed = spawnSync('npm', ['run', '--silent', 'package', '--', folder], { cwd: root, stdio: 'inherit' });
  if (packed.status !== 0) throw new Error('the packages were not made');
  installed(process.execPath, process.versions.node);
  for (const version of ['20', '22', '24', '26']) {
    if (process.versions.node.startsWith(`${version}.`)) continue;
    installed(process.env[`HEDDLE_NODE_${version}`] ?? installNode(version), version);
  }
  alone();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
