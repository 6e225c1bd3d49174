/** `heddle compile`: a module to a file of machine code that `heddle run` takes. */
import { closeSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { artifactFile } from '../../compile/artifact.js';
import { compileModule } from '../../compile/compile.js';
import { baselineFeatures, type Target } from '../../compile/settings.js';
import { userKey } from '../../compile/user_key.js';
import { fileFailed, usage } from '../../errors/catalog.js';
import { usableFeatures } from '../../instance/compiling.js';
import { theEngine } from '../../instance/engine.js';
import { located } from '../errors/place.js';
import { loadModule, reason } from '../load.js';
import { withProgress } from '../progress.js';
import { note } from '../report.js';
import { startQuickly } from '../tiering.js';

/** Options of `heddle compile`. */
export interface CompileFileOptions {
  readonly output: string;
  readonly target?: string;
  readonly checked?: boolean;
  readonly interruptible: boolean;
}

const TARGETS: Readonly<Record<string, Target>> = { x86_64: 'x64', aarch64: 'arm64' };

/** Compiles for this machine, or, where a target is named, for any machine of that kind. */
export async function compileFile(file: string, options: CompileFileOptions): Promise<number> {
  startQuickly();
  const { target, cpu } = machine(options.target);
  const source = loadModule(file);
  const { bytes } = source;
  const artifact = await withProgress(source.file, () =>
    compileModule(bytes, { target, cpu, checked: options.checked ?? false, interruptible: options.interruptible }),
  ).catch((error: unknown) => {
    throw located(error, source);
  });
  const user = userKey(true);
  write(options.output, artifactFile(artifact, bytes, 'key' in user ? user.key : undefined));
  if ('reason' in user) note(`${options.output} is not signed, so heddle run asks for --trust-compiled: ${user.reason}`);
  return 0;
}

function machine(name: string | undefined): { readonly target: Target; readonly cpu: readonly string[] } {
  if (name === undefined) {
    const { native } = theEngine();
    return { target: native.arch, cpu: usableFeatures(native) };
  }
  const target = TARGETS[name];
  if (target === undefined) throw usage(`--target ${name}: the targets are ${Object.keys(TARGETS).join(' and ')}`);
  return { target, cpu: baselineFeatures(target) };
}

/** Writes a file whole or not at all. */
function write(path: string, parts: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    const file = openSync(temporary, 'wx');
    try {
      for (const part of parts) for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    try {
      unlinkSync(temporary);
    } catch {
      // It was never made.
    }
    throw fileFailed(`cannot write ${path}: ${reason(error)}`);
  }
}
