// The crates of a lock file as the registry has them, less what a list of patches changes. Cargo checks what it fetches against the lock file; the
// copies stand in the registry's place, so that neither the lock file nor Cargo.toml knows of them.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { output, run } from './rust_toolchain.mjs';

/** A file's text with the patches of it done; throws an Error where a text to replace does not stand there exactly once. */
function patched(text, patches) {
  for (const { crate, file, from, to } of patches) {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`${crate}/${file} has ${parts.length - 1} times what codegen/patches.json replaces: ${from}`);
    text = parts.join(to);
  }
  return text;
}

/** Does the patches of one crate in its folder, and takes the changed files' new hashes into what cargo checks it by. */
function patchCrate(folder, patches) {
  if (!fs.existsSync(folder)) throw new Error(`codegen/patches.json names ${path.basename(folder)}, which codegen/Cargo.lock lacks`);
  const checksums = path.join(folder, '.cargo-checksum.json');
  const known = JSON.parse(fs.readFileSync(checksums, 'utf8'));
  for (const file of new Set(patches.map((patch) => patch.file))) {
    const text = patched(
      fs.readFileSync(path.join(folder, file), 'utf8'),
      patches.filter((patch) => patch.file === file),
    );
    fs.writeFileSync(path.join(folder, file), text);
    known.files[file] = createHash('sha256').update(text).digest('hex');
  }
  fs.writeFileSync(checksums, JSON.stringify(known));
}

/**
 * A folder with the crates that `crate` (a folder with Cargo.lock and patches.json) is built from, patched. It lies in the crate's `target`, by a hash of lock file and
 * patches; cargo compiles anew what comes from another folder. Throws an Error where a patch does not fit.
 */
export function patchedCrates(crate) {
  const inputs = ['Cargo.lock', 'patches.json'].map((name) => fs.readFileSync(path.join(crate, name)));
  const hash = createHash('sha256').update(Buffer.concat(inputs)).digest('hex').slice(0, 16);
  const folder = path.join(crate, 'target', `crates-${hash}`);
  if (fs.existsSync(folder)) return folder;
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  const scratch = fs.mkdtempSync(`${folder}-`);
  try {
    const args = ['vendor', '--quiet', '--locked', '--versioned-dirs', '--manifest-path', path.join(crate, 'Cargo.toml')];
    if (output('cargo', [...args, scratch]) === null) run('cargo', [...args, scratch]);
    const patches = JSON.parse(inputs[1].toString());
    for (const name of new Set(patches.map((patch) => patch.crate))) {
      patchCrate(
        path.join(scratch, name),
        patches.filter((patch) => patch.crate === name),
      );
    }
    fs.renameSync(scratch, folder);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** Arguments of cargo that put a folder of {@link patchedCrates} in the registry's place. */
export function replaceRegistry(folder) {
  const settings = ['source.crates-io.replace-with="patched"', `source.patched.directory=${JSON.stringify(folder)}`];
  return settings.flatMap((setting) => ['--config', setting]);
}
