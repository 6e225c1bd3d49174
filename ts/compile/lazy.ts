/**
 * Modules whose functions are compiled when they are first called (docs/decisions/0037). What a compile would refuse is refused at once: a first call finds nothing out about the module.
 */
import type { ModuleDescription } from '../validate/description.js';
import type { Artifact } from './artifact.js';
import { functionsToCheck } from './limits.js';
import { FunctionCompiler, type Job, type Prepared } from './work.js';

/** All that an artifact says of a module but its code, and how to compile that. */
export interface LazyModule extends Pick<Artifact, 'key' | 'description' | 'names' | 'handlers' | 'stackPointer'> {
  readonly job: Job;
}

/** A module with its code, or with what makes it. */
export type ModuleCode = Artifact | LazyModule;

/** Whether a module has no code yet. */
export function isLazy(code: ModuleCode): code is LazyModule {
  return 'job' in code;
}

/** A module that was found valid. Throws a CompileError with code and offset where a function could not be compiled. */
export function lazyModule(key: Artifact['key'], { job, names }: Prepared): LazyModule {
  const { description, handlers, stackPointer } = job;
  requireCompiling(job, description);
  return { key, description, names, handlers, stackPointer, job };
}

/** The same module with other settings: nothing in it need be looked at again. */
export function lazyVariant(module: LazyModule, key: Artifact['key']): LazyModule {
  return { ...module, key, job: { ...module.job, settings: key.settings } };
}

/** Functions that could have an operator which is not lowered are lowered once: few modules have any. */
function requireCompiling(job: Job, description: ModuleDescription): void {
  const suspects = functionsToCheck(job.bytes, description);
  if (suspects.length === 0) return;
  const compiler = new FunctionCompiler(job);
  try {
    for (const index of suspects) compiler.requireLowered(index);
  } finally {
    if (compiler.isUsable) compiler.free();
  }
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
