// The Rust tools that build the committed WebAssembly artifacts, and how they are called so that the same sources make the same bytes anywhere.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const target = 'wasm32-unknown-unknown';
/** Debian's packages: its rustup-free toolchain is the newest one that ships std's sources with their dependencies vendored. */
const debianPackages = ['rustc-web', 'rust-web-src', 'cargo-web', 'lld-19'];
/** Everything that Rust installs for us lands here, beside no other toolchain's files. */
const tools = process.env.HEDDLE_CODEGEN_TOOLS ?? path.join(os.homedir(), '.cache', 'heddle-codegen');
const jobs = process.env.HEDDLE_CODEGEN_JOBS ?? '2';

/** The environment of every Rust command: Debian's rustc first on PATH, unstable options (-Zbuild-std) allowed. */
export const rustEnvironment = {
  ...process.env,
  PATH: ['/usr/bin', path.join(tools, 'bin'), process.env.PATH].join(path.delimiter),
  RUSTC_BOOTSTRAP: '1',
  CARGO_INCREMENTAL: '0',
  CARGO_BUILD_JOBS: jobs,
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: 'wasm-ld-19',
};

/** Runs a command with its output shown; throws an Error that names the command when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', env: rustEnvironment, ...options });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${result.status ?? result.signal}`);
}

/** A command's standard output, trimmed, or null if it cannot run. */
export function output(command, args, env = rustEnvironment) {
  try {
    return execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

/**
 * Flags of every crate, std included. Paths of this machine (panic messages carry source paths) become fixed names,
 * so that the artifact depends on the sources and the compiler only. `more` has further pairs of a path and its name.
 */
export function rustFlags(more = []) {
  const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo');
  const registry = path.join(cargoHome, 'registry', 'src');
  const remap = [[root, '/heddle'], [cargoHome, '/cargo'], ...more];
  for (const index of fs.existsSync(registry) ? fs.readdirSync(registry) : []) remap.push([path.join(registry, index), '/crates']);
  const sysroot = output('rustc', ['--print', 'sysroot']);
  const sources = path.join(sysroot, 'lib', 'rustlib', 'src', 'rust');
  if (fs.existsSync(sources)) remap.push([sources, '/rust'], [fs.realpathSync(sources), '/rust']);
  // The last matching prefix wins, so the longest comes last.
  remap.sort((a, b) => a[0].length - b[0].length);
  return ['-Cembed-bitcode=yes', ...remap.map(([from, to]) => `--remap-path-prefix=${from}=${to}`)].join(' ');
}

function installDebianPackages() {
  const missing = debianPackages.filter((name) => !output('dpkg-query', ['-W', '-f=${Version}', name]));
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(' ')}`);
  const apt = process.getuid?.() === 0 ? [] : ['sudo'];
  const [command, ...rest] = [...apt, 'apt-get'];
  run(command, [...rest, 'update', '-q']);
  run(command, [...rest, 'install', '-y', '-q', '--no-install-recommends', ...missing]);
}

/** Debian has no std for wasm32: build it from the packaged sources and put it where rustc looks for it. */
function installStandardLibrary() {
  const sysroot = output('rustc', ['--print', 'sysroot']);
  const library = path.join(sysroot, 'lib', 'rustlib', target, 'lib');
  const stamp = path.join(library, 'heddle-std');
  const version = output('rustc', ['--version']);
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === version) return;
  console.log(`building std for ${target}`);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'heddle-std-'));
  fs.mkdirSync(path.join(scratch, 'src'));
  fs.mkdirSync(path.join(scratch, '.cargo'));
  fs.writeFileSync(
    path.join(scratch, 'Cargo.toml'),
    '[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2021"\n[lib]\ncrate-type = ["rlib"]\n',
  );
  fs.writeFileSync(path.join(scratch, 'src', 'lib.rs'), '');
  const vendor = path.join(sysroot, 'lib', 'rustlib', 'src', 'rust', 'library', 'vendor');
  fs.writeFileSync(
    path.join(scratch, '.cargo', 'config.toml'),
    `[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "${vendor}"\n`,
  );
  const env = { ...rustEnvironment, RUSTFLAGS: rustFlags(), CARGO_TARGET_DIR: path.join(scratch, 'target') };
  run('cargo', ['build', '--release', '--target', target, '-Zbuild-std=std,panic_abort', '--offline'], { cwd: scratch, env });
  const built = path.join(scratch, 'target', target, 'release', 'deps');
  const sudo = process.getuid?.() === 0 ? [] : ['sudo'];
  const place = ([command, ...args]) => run(command, args);
  // Two builds of one library side by side are an error of every later compile.
  place([...sudo, 'rm', '-rf', library]);
  place([...sudo, 'mkdir', '-p', library]);
  const rlibs = fs.readdirSync(built).filter((name) => /^lib.*\.rlib$/.test(name) && !name.startsWith('libscratch'));
  place([...sudo, 'cp', ...rlibs.map((name) => path.join(built, name)), library]);
  fs.writeFileSync(path.join(scratch, 'heddle-std'), version);
  place([...sudo, 'cp', path.join(scratch, 'heddle-std'), stamp]);
  fs.rmSync(scratch, { recursive: true, force: true });
}

/** The wanted version of a tool, from `tools` or from anywhere on PATH; builds it where there is none. */
function installTool(name, binary, version) {
  if (output(binary, ['--version'])?.split(' ')[1] === version) return;
  console.log(`installing ${name} ${version}`);
  run('cargo', ['install', '--root', tools, '--force', '--version', version, name]);
}

/** Makes `cargo build` for wasm32 work, and installs further tools: pairs of package and binary with the exact version. */
export function installToolchain(wanted = []) {
  installDebianPackages();
  installStandardLibrary();
  for (const [name, binary, version] of wanted) installTool(name, binary, version);
}

/** The module without its custom sections: names and producers are 40% of the bytes and nothing reads them. */
export function strip(bytes) {
  const parts = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const start = at;
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += size;
    if (id !== 0) parts.push(bytes.subarray(start, at));
  }
  return Buffer.concat(parts);
}
