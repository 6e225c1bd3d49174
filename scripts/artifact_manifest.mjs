// A committed artifact's manifest: hashes of what it was made from, and of itself.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { output, root } from './rust_toolchain.mjs';

/** The hash of a file. */
export const sha256 = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** Hashes of what an artifact is made from and of the artifact itself, by path relative to the repository. `crate` is a folder of the repository, `sources` names what it is made from besides `src` and cargo's files. */
function hashes({ crate, sources: more = [], artifacts }) {
  const sources = fs
    .readdirSync(path.join(root, crate, 'src'))
    .map((name) => `${crate}/src/${name}`)
    .concat(...['Cargo.toml', 'Cargo.lock', ...more].map((name) => `${crate}/${name}`))
    .sort();
  const entries = (files) => Object.fromEntries(files.map((file) => [file, sha256(path.join(root, file))]));
  return { sources: entries(sources), artifacts: entries(artifacts.map((name) => `${crate}/dist/${name}`)) };
}

/** The first way in which the manifest and the files differ, or null. */
function difference(artifact) {
  const { crate, artifacts } = artifact;
  const dist = path.join(root, crate, 'dist');
  const file = path.join(dist, 'manifest.json');
  if (!fs.existsSync(file)) return `${crate}/dist/manifest.json is missing`;
  const missing = artifacts.find((name) => !fs.existsSync(path.join(dist, name)));
  if (missing) return `${crate}/dist/${missing} is missing`;
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  const now = hashes(artifact);
  for (const part of ['sources', 'artifacts']) {
    for (const name of new Set([...Object.keys(manifest[part]), ...Object.keys(now[part])])) {
      if (manifest[part][name] !== now[part][name])
        return `${name} is not what ${crate}/dist was built ${part === 'sources' ? 'from' : 'as'}`;
    }
  }
  return null;
}

/** Status 0 where the artifact is the build of these sources; needs no Rust. */
export function checkManifest(artifact, script) {
  const problem = difference(artifact);
  if (problem === null) return 0;
  console.error(`${problem}: run node ${script}`);
  return 1;
}

/** Writes the manifest of what was just built. */
export function writeManifest(artifact) {
  const { sources, artifacts } = hashes(artifact);
  const manifest = { rustc: output('rustc', ['--version']), sources, artifacts };
  fs.writeFileSync(path.join(root, artifact.crate, 'dist', 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const file of Object.keys(artifacts)) console.log(`${file} ${fs.statSync(path.join(root, file)).size} bytes`);
}

/** Status 0 where `build(folder)` makes the committed bytes again. */
export function compareRebuilt({ crate, artifacts }, out, build) {
  build(out);
  const dist = path.join(root, crate, 'dist');
  const other = artifacts.filter((name) => sha256(path.join(out, name)) !== sha256(path.join(dist, name)));
  if (other.length === 0) {
    fs.rmSync(out, { recursive: true, force: true });
    console.log(`${crate}/dist is what the sources build, byte for byte`);
    return 0;
  }
  console.error(`the rebuilt ${other.join(' and ')} differ from ${crate}/dist; they are in ${out}`);
  return 1;
}
