/**
 * Modules whose functions are compiled when they are first called (docs/decisions/0037). What a compile would refuse is refused at once: a first call finds nothing out about the module.
 */

import { equalBytes, sha256 } from '../base/digest.js';
import { mayBeRefused } from '../lower/lower.js';
import { AsyncifyPlan, usesAsyncify } from '../lower/module/asyncify.js';
import { withCrate } from '../source/crate.js';
import { deserializeArtifact, serializeArtifact } from './artifact.js';
import type { Cache } from './cache.js';
import { functionsToCheck } from './limits.js';
import type { LazyModule } from './module_code.js';
import { assemble, type Part } from './part.js';
import { type ArtifactKey, keyHash } from './settings.js';
import { FunctionCompiler, type Job, type Prepared } from './work.js';

/** A module that was found valid. Requires: {@link requireCompiling} has let it pass. */
export function lazyModule(key: ArtifactKey, { job, names }: Prepared): LazyModule {
  const { description, handlers, stackPointer } = job;
  return { key, description, names, handlers, stackPointer, job };
}

/** The same module with other settings: nothing in it need be looked at again. */
export function lazyVariant({ made: _, ...module }: LazyModule, key: ArtifactKey): LazyModule {
  return { ...module, key, job: { ...module.job, settings: key.settings } };
}

/** The name under which the cache has what was made of a module. */
function madeName(key: ArtifactKey): Uint8Array {
  return sha256('made\n', keyHash(key));
}

/** A module as an earlier process has left it in the cache: that found it valid, and made what it called of it. */
export function madeModule(bytes: Uint8Array, key: ArtifactKey, cache: Cache | undefined): LazyModule | undefined {
  const payload = cache?.read(madeName(key));
  const found = payload && deserializeArtifact(payload);
  if (found === undefined || !equalBytes(madeName(found.key), madeName(key))) return undefined;
  const { description, names, handlers, stackPointer, offsets: relocations, ...tables } = found;
  const made = { ...tables, relocations, code: found.code.slice() };
  return {
    key,
    description,
    names,
    handlers,
    stackPointer,
    job: { bytes, description, handlers, stackPointer, settings: key.settings },
    made,
  };
}

/** Writes what was made of a module for the next process: the parts, the trampolines' first. An artifact in form, with relocations in the place of offsets. */
export function keepMade({ key, description, names, handlers, stackPointer }: LazyModule, parts: readonly Part[], cache: Cache): void {
  const { relocations, ...whole } = assemble(0, [...parts]);
  cache.write(madeName(key), serializeArtifact({ key, description, names, handlers, stackPointer, offsets: relocations, ...whole }));
}

/** Throws a CompileError with code and offset where a function of a valid module could not be compiled. Few modules have one that is lowered to know it. */
export function requireCompiling(job: Job): void {
  const suspects = suspectsOf(job);
  if (suspects.length === 0) return;
  const compiler = new FunctionCompiler(job);
  try {
    for (const index of suspects) compiler.requireLowered(index);
  } finally {
    if (compiler.isUsable) compiler.free();
  }
}

/** The defined functions whose operators let doubt that they can be lowered. */
function suspectsOf({ bytes, description, settings }: Job): readonly number[] {
  const suspects = functionsToCheck(bytes, description);
  const asyncify = usesAsyncify(description);
  if (suspects.length === 0 && !asyncify) return suspects;
  return withCrate((crate) => {
    const info = new crate.ModuleInfo(bytes, settings.features, false);
    try {
      const mixes = asyncify && new AsyncifyPlan(description, (index) => info.ops(index)).mixesRoles();
      // Whoever calls such a function may be refused for it.
      return mixes ? Array.from({ length: description.functions.length }, (_, i) => i) : suspects.filter((i) => mayBeRefused(info.ops(i)));
    } finally {
      info.free();
    }
  });
}

/** How many modules keep their compiler, the last used ones. Each has the module's bytes, and what the code generator knows of its functions. */
const MOST_COMPILERS = 8;
const compilers: { readonly job: Job; readonly compiler: FunctionCompiler }[] = [];

/** This thread's compiler of a job. */
export function compilerOf(job: Job): FunctionCompiler {
  const at = compilers.findIndex((kept) => kept.job === job);
  const [found] = at < 0 ? [] : compilers.splice(at, 1);
  const kept = found?.compiler.isUsable === true ? found : { job, compiler: new FunctionCompiler(job) };
  compilers.push(kept);
  if (compilers.length > MOST_COMPILERS) release(compilers.shift()?.compiler);
  return kept.compiler;
}

/** Nothing of a job will be compiled any more. */
export function forgetCompiler(job: Job): void {
  const at = compilers.findIndex((kept) => kept.job === job);
  if (at >= 0) release(compilers.splice(at, 1)[0]?.compiler);
}

/** After a panic there is nothing to free. */
function release(compiler: FunctionCompiler | undefined): void {
  if (compiler?.isUsable === true) compiler.free();
}
