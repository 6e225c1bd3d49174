#!/usr/bin/env node
// Writes THIRD_PARTY.md: the licenses of what the packages contain of others. `--check` compares it with what is there, and with what the bundles have, where they are built. What is known of the
// crates is codegen/licenses.json, which `--crates` writes anew by cargo: after each change of codegen/Cargo.lock.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './tally.mjs';

const PAGE = 'THIRD_PARTY.md';
const CRATES = 'codegen/licenses.json';
/** Of npm's packages: which, and where of Heddle's it is. */
const PACKAGES = [
  ['commander', 'in the command line (`dist/bundle`)'],
  ['node-addon-api', 'headers, for who builds the addon (`native/node-addon-api`), and in the addon that was built with them'],
];
/** What is not a crate of the lock file. */
const STANDARD_LIBRARY = '| Rust’s standard library | | MIT OR Apache-2.0 | https://github.com/rust-lang/rust |';

const read = (path) => readFileSync(join(root, path), 'utf8');
const readJson = (path) => JSON.parse(read(path));
const isLicense = (name) => /^(LICEN[CS]E|COPYING|NOTICE|UNLICENSE)/i.test(name);
/** Where there is a choice it is MIT, whose texts name who holds the copyright. */
const OTHER_CHOICES = /^(LICENSE-APACHE|LICENSE-Apache|UNLICENSE$|COPYING$)/;

/** The texts of a folder that are chosen. */
function textsIn(folder) {
  const names = readdirSync(folder).filter(isLicense).sort();
  const chosen = names.includes('LICENSE-MIT') ? names.filter((name) => !OTHER_CHOICES.test(name)) : names;
  return chosen.map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r', '').trim());
}

/** The crates that are linked, as cargo has them. */
function askCargo() {
  const args = ['metadata', '--locked', '--format-version', '1', '--filter-platform', 'wasm32-unknown-unknown'];
  const { status, stdout, stderr, error } = spawnSync('cargo', args, { cwd: join(root, 'codegen'), encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`cargo metadata: ${error?.message ?? stderr}`);
  const { packages, resolve } = JSON.parse(stdout);
  const byId = new Map(packages.map((one) => [one.id, one]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const isMacro = (id) => byId.get(id).targets.some(({ kind }) => kind.includes('proc-macro'));
  const linked = new Set();
  const open = [resolve.root];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (linked.has(id)) continue;
    linked.add(id);
    for (const { pkg, dep_kinds } of nodes.get(id).deps) if (dep_kinds.some(({ kind }) => kind === null) && !isMacro(pkg)) open.push(pkg);
  }
  return packages.filter(({ id }) => id !== resolve.root && linked.has(id));
}

/** The crates of the lock file that are others'. */
const locked = () =>
  [...read('codegen/Cargo.lock').matchAll(/^name = "(.*)"\nversion = "(.*)"\nsource = /gm)].map(
    ([, name, version]) => `${name} ${version}`,
  );

/** Writes codegen/licenses.json. */
function writeCrates() {
  const linked = askCargo().sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
  const texts = [];
  const place = (text) => (texts.includes(text) ? texts.indexOf(text) : texts.push(text) - 1);
  const crates = linked.map(({ name, version, license, repository, manifest_path }) => ({
    name,
    version,
    license,
    repository,
    texts: textsIn(dirname(manifest_path)).map(place),
  }));
  for (const crate of crates.filter((one) => one.texts.length === 0)) {
    // Parts of Wasmtime: the text of its other parts, which names nobody.
    const other = crates.find(({ name, license }) => license === crate.license && name === 'cranelift-codegen');
    if (other === undefined) throw new Error(`${crate.name} has no text of its license`);
    crate.texts = other.texts;
    crate.repository ??= other.repository;
  }
  const onlyForTheBuild = locked().filter((one) => !crates.some(({ name, version }) => one === `${name} ${version}`));
  writeFileSync(join(root, CRATES), `${JSON.stringify({ crates, onlyForTheBuild, texts }, null, 2)}\n`);
}

/** What the lock file has and codegen/licenses.json has not, and the other way round. */
function staleCrates({ crates, onlyForTheBuild }) {
  const wanted = locked();
  const known = [...crates.map(({ name, version }) => `${name} ${version}`), ...onlyForTheBuild];
  return [...wanted.filter((one) => !known.includes(one)), ...known.filter((one) => !wanted.includes(one))];
}

/** Packages that are in the bundles and not in the list. */
function missingPackages() {
  const folder = join(root, 'dist/bundle');
  const maps = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.map')) : [];
  const sources = maps.flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).sources);
  const found = sources.map((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]).filter((name) => name !== undefined);
  return [...new Set(found)].filter((name) => !PACKAGES.some(([known]) => known === name));
}

const fenced = (text) => `\`\`\`text\n${text}\n\`\`\``;

function page({ crates, texts }) {
  const packages = PACKAGES.map(([name, where]) => {
    const { version, license } = readJson(`node_modules/${name}/package.json`);
    const [text] = textsIn(join(root, 'node_modules', name));
    if (text === undefined) throw new Error(`${name} has no text of its license`);
    return `## ${name} ${version}\n\n${license}; ${where}.\n\n${fenced(text)}`;
  });
  const rows = crates.map(({ name, version, license, repository }) => `| ${name} | ${version} | ${license} | ${repository ?? ''} |`);
  const all = texts.map((text, i) => {
    const whose = crates.filter((crate) => crate.texts.includes(i)).map(({ name, version }) => `${name} ${version}`);
    return `### ${whose.join(', ')}\n\n${fenced(text)}`;
  });
  return `# What Heddle's packages contain of others

<!-- Written by scripts/third_party.mjs: change that, not this. -->

Heddle's own license is in [LICENSE](LICENSE). Where there is a choice, the text below is the one that was chosen.

${packages.join('\n\n')}

## Crates in the code generator

The code generator (\`codegen/dist\`) is compiled from these crates, and the packages for kinds of machines have machine code
that is made of it. Where \`codegen/patches.json\` names a crate, lines of it are changed as that says.

| crate | version | license | source |
| --- | --- | --- | --- |
${[...rows, STANDARD_LIBRARY].join('\n')}

${all.join('\n\n')}
`;
}

try {
  if (process.argv.includes('--crates')) writeCrates();
  const crates = readJson(CRATES);
  const faults = [
    ...staleCrates(crates).map((one) => `${CRATES} and codegen/Cargo.lock differ in ${one}: node scripts/third_party.mjs --crates`),
    ...missingPackages().map((name) => `the bundle has ${name}, which scripts/third_party.mjs does not list`),
  ];
  const text = page(crates);
  if (!process.argv.includes('--check')) writeFileSync(join(root, PAGE), text);
  else if (!existsSync(join(root, PAGE)) || read(PAGE) !== text) faults.push(`${PAGE} is stale: node scripts/third_party.mjs`);
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
