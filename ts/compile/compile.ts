/**
 * Module to artifact: from the cache, or validated, lowered and compiled on this thread or in workers. The artifact is the same, byte for byte,
 * however many threads made it.
 */
import { changedIntrinsic } from '../base/changes.js';
import { changedBuiltIn } from '../errors/catalog.js';
import { STUB } from '../generated/abi.js';
import { moduleSignatures } from '../lower/module/signatures.js';
import { indexSpaces } from '../lower/module/spaces.js';
import type { StackPointerChoice } from '../lower/module/stack_pointer.js';
import type { ModuleDescription } from '../validate/description.js';
import { FEATURE_BITS } from '../validate/validate.js';
import { type Artifact, deserializeArtifact, hasKey, serializeArtifact } from './artifact.js';
import type { Cache } from './cache.js';
import { compileElsewhere } from './elsewhere.js';
import { lazyModule, lazyVariant, madeModule, requireCompiling } from './lazy.js';
import type { LazyModule, ModuleCode } from './module_code.js';
import { ownCodegenState } from './own_codegen.js';
import { assemble, type Part } from './part.js';
import { type Chunk, canUseWorkers, compileInWorkers, defaultWorkers, prepareInWorker, warmWorkers } from './pool.js';
import { offsetsOf, relocate } from './relocate.js';
import { type ArtifactKey, artifactKey, type CompileSettings, compileSettings, keyHash, type Target } from './settings.js';
import { jumpToSwitches } from './switches.js';
import { FunctionCompiler, type Job, type Prepared, prepare } from './work.js';

/** What a caller says of a compile. */
export interface CompileOptions {
  /** Node's name of the instruction set that will run the code. */
  readonly target: Target;
  /** Cranelift's names of the CPU features that the code may use. */
  readonly cpu: readonly string[];
  readonly checked?: boolean;
  readonly interruptible?: boolean;
  readonly inline?: boolean;
  readonly debugStores?: boolean;
  readonly debugSlots?: boolean;
  readonly stackPointer?: StackPointerChoice;
  readonly stackChecks?: boolean;
  readonly verify?: boolean;
  /** SHA-256 of the module's bytes in hexadecimal, where it is known. */
  readonly hash?: string;
  /** Worker threads: default one for each core where the module is worth it; 0 compiles on this thread. */
  readonly workers?: number;
  /** Where artifacts are kept; none by default. */
  readonly cache?: Cache;
  /** When functions are compiled, where the module is opened: see {@link openModule}. */
  readonly compile?: CompileTime;
  /** Gives back the pages of a memory that nobody uses. With it, the code generator's memory does not stay as large as the largest function made it. */
  readonly discard?: (bytes: Uint8Array) => void;
}

/** `eager`: a module's functions are compiled before it is there; `lazy`: each when it is first called. Where nothing is said a small module is `eager`, and any other `lazy`. */
export type CompileTime = 'lazy' | 'eager';

/**
 * Bytes of function bodies from which a module is compiled lazily where nothing is said. A function by itself costs 0.4 ms more than among others: with less code all of it is there in the time that
 * laziness takes for a third of it.
 */
const LAZY_FROM = 8192;
/** Modules of so many bytes are validated in a worker where the caller does not wait: here that would keep the program from running for 0.1 s. */
const WORTH_ASKING = 4 << 20;

/** Modules with less code than this (bytes of function bodies) compile faster than threads start. */
const WORTH_WORKERS = 24_576;
/**
 * One more worker for each so many bytes of code. Each loads the compiler and has V8 optimise it anew, for 0.3 s of processor time: with 370 kB the
 * second one made the whole no sooner ready, with 600 kB by a fifth, for a fifth more processor time.
 */
const WORTH_ANOTHER = 1_000_000;
/** Chunks for each worker: enough that the last ones end together. */
const CHUNKS_EACH = 16;

/** Compiles a module, or leaves that to the first calls of its functions. Throws a CompileError with a code where it is not valid or not supported. */
export function openModuleSync(bytes: Uint8Array, options: CompileOptions): ModuleCode {
  if (!mayBeLazy(bytes.length, options)) return compileModuleSync(bytes, options);
  const changed = changedIntrinsic();
  if (changed !== undefined) return elsewhere(bytes, options, changed);
  const { settings, key, cached } = begin(bytes, options);
  const found = cached ?? madeModule(bytes, key, options.cache);
  if (found !== undefined) return found;
  const prepared = prepare(bytes, settings);
  if (mayBeLazy(bodiesSize(prepared.job.description), options)) {
    requireCompiling(prepared.job);
    return lazyModule(key, prepared);
  }
  return finish(key, prepared, compileHere(prepared), options.cache);
}

/** The same. Worker threads validate what is large, and compile what is compiled now. */
export async function openModule(bytes: Uint8Array, options: CompileOptions): Promise<ModuleCode> {
  if (!mayBeLazy(bytes.length, options)) return compileModule(bytes, options);
  const asks = bytes.length >= WORTH_ASKING && options.workers !== 0 && canUseWorkers() && ownCodegenState() === 'there';
  return asks ? orElsewhere(bytes, options, () => openWithWorker(bytes, options)) : openModuleSync(bytes, options);
}

async function openWithWorker(bytes: Uint8Array, options: CompileOptions): Promise<ModuleCode> {
  requireUnchanged();
  const { settings, key, cached } = begin(bytes, options);
  const found = cached ?? madeModule(bytes, key, options.cache);
  if (found !== undefined) return found;
  const prepared = await prepareInWorker(bytes, settings, true);
  requireUnchanged();
  if (mayBeLazy(bodiesSize(prepared.job.description), options)) return lazyModule(key, prepared);
  return finish(key, prepared, compileHere(prepared), options.cache);
}

/** A module that was opened, with other settings. */
export function openVariantSync(module: LazyModule, options: CompileOptions): ModuleCode {
  const changed = changedIntrinsic();
  if (changed !== undefined) return elsewhere(module.job.bytes, options, changed);
  const { key, cached } = begin(module.job.bytes, options);
  return cached ?? madeModule(module.job.bytes, key, options.cache) ?? lazyVariant(module, key);
}

/** The artifact of a module that was opened: compiled now, where the cache has it not. */
export function wholeModuleSync({ job, key }: LazyModule, cache: Cache | undefined): Artifact {
  const changed = changedIntrinsic();
  if (changed !== undefined) return compileElsewhere(job.bytes, job.settings, key.module, cache, changed);
  const prepared = { job, names: { module: null, functions: new Map(), tags: new Map() } };
  return cachedArtifact(key, cache) ?? finish(key, prepared, compileHere(prepared), undefined);
}

/** Whether functions are to be made at their first calls, in a module with so many bytes of them. */
function mayBeLazy(size: number, { compile }: CompileOptions): boolean {
  return compile === undefined ? size >= LAZY_FROM : compile === 'lazy';
}

/** Compiles a module. Throws a CompileError with a code where it is not valid or not supported. */
export function compileModuleSync(bytes: Uint8Array, options: CompileOptions): Artifact {
  const changed = changedIntrinsic();
  if (changed !== undefined) return elsewhere(bytes, options, changed);
  const { settings, key, cached } = begin(bytes, options);
  if (cached !== undefined) return cached;
  const prepared = prepare(bytes, settings);
  return finish(key, prepared, compileHere(prepared, options.discard), options.cache);
}

/** Compiles a module, in worker threads where that is faster. */
export function compileModule(bytes: Uint8Array, options: CompileOptions): Promise<Artifact> {
  return orElsewhere(bytes, options, () => compileWithWorkers(bytes, options));
}

/** What compiles a module while the program runs; where the program has changed built-in objects, the module is compiled in another thread. */
async function orElsewhere<T>(bytes: Uint8Array, options: CompileOptions, compile: () => Promise<T>): Promise<T | Artifact> {
  try {
    return await compile();
  } catch (error) {
    const changed = changedIntrinsic();
    if (changed === undefined) throw error;
    return elsewhere(bytes, options, changed);
  }
}

/** As {@link compileModule}. The program runs meanwhile; where it changes built-in objects, this throws. */
async function compileWithWorkers(bytes: Uint8Array, options: CompileOptions): Promise<Artifact> {
  requireUnchanged();
  const { settings, key, cached } = begin(bytes, options);
  if (cached !== undefined) return cached;
  // As many as the module's size lets expect; the code alone is less.
  const count = workerCount(bytes.length, options);
  // Workers load while this thread, or the first of them, validates.
  if (count > 0) warmWorkers(count);
  const prepared = count > 0 && ownCodegenState() === 'there' ? await prepareInWorker(bytes, settings) : prepare(bytes, settings);
  requireUnchanged();
  const { description } = prepared.job;
  const size = bodiesSize(description);
  const parts =
    workerCount(size, options) > 0
      ? await compileInWorkers(
          { ...prepared.job, bytes: onlyCode(prepared.job) },
          chunksOf(description, size / (count * CHUNKS_EACH)),
          count,
        )
      : compileHere(prepared);
  requireUnchanged();
  return finish(key, prepared, parts, options.cache);
}

const DATA_SECTION = 11;
const PASSIVE = 1;

/** What compiler threads need of a module, in memory that they share: all up to the end of its code, and as many data segments as it has, which are empty. */
function onlyCode({ bytes, description }: Job): Uint8Array {
  const { bodies, data } = description;
  // Without code there is nothing to gain, and the end is where the module's is.
  const end = bodies.length === 0 ? bytes.length : (bodies[bodies.length - 1] ?? 0);
  if (end === bytes.length) return shared(bytes, bytes.length);
  let segments = 0;
  // [mode, memory, words of the offset expression, …, start, length] each (contract/formats.md, section 2)
  for (let i = 0; i < data.length; i += 5 + (data[i + 2] ?? 0)) segments++;
  const count = leb(segments);
  const section = segments === 0 ? [] : [DATA_SECTION, ...leb(count.length + 2 * segments), ...count];
  const code = shared(bytes.subarray(0, end), end + section.length + 2 * segments);
  code.set(section, end);
  for (let i = end + section.length; i < code.length; i += 2) code[i] = PASSIVE;
  return code;
}

function shared(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(size));
  copy.set(bytes);
  return copy;
}

/** An unsigned number as WebAssembly writes it. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

function requireUnchanged(): void {
  const changed = changedIntrinsic();
  if (changed !== undefined) throw changedBuiltIn(changed);
}

/** Where a program has changed JavaScript's built-in objects all this would make other code of a module, or look for it under another name. */
function elsewhere(bytes: Uint8Array, options: CompileOptions, changed: string): Artifact {
  return compileElsewhere(bytes, settingsOf(options), options.hash, options.cache, changed);
}

interface Begun {
  readonly settings: CompileSettings;
  readonly key: ArtifactKey;
  readonly cached: Artifact | undefined;
}

function settingsOf(options: CompileOptions): CompileSettings {
  return compileSettings(options.target, options.cpu, { ...options, features: FEATURE_BITS });
}

function begin(bytes: Uint8Array, options: CompileOptions): Begun {
  const settings = settingsOf(options);
  const key = artifactKey(bytes, settings, options.hash);
  return { settings, key, cached: cachedArtifact(key, options.cache) };
}

/** The artifact that the cache has under a key, where it says of itself that it is that one. */
function cachedArtifact(key: ArtifactKey, cache: Cache | undefined): Artifact | undefined {
  const name = keyHash(key);
  const payload = cache?.read(name);
  const artifact = payload && deserializeArtifact(payload);
  return artifact !== undefined && hasKey(artifact, name) ? artifact : undefined;
}

function compileHere({ job }: Prepared, discard?: CompileOptions['discard']): Part[] {
  const compiler = new FunctionCompiler(job, discard);
  const parts = [compiler.functions(0, job.description.functions.length), compiler.trampolines()];
  compiler.free();
  return parts;
}

/** Takes the parts out of their list. */
function finish(key: ArtifactKey, prepared: Prepared, parts: Part[], cache: Cache | undefined): Artifact {
  const { description, handlers, stackPointer } = prepared.job;
  const assembled = assemble(STUB.size, parts);
  const { functionSignatures, switchStub, hostCallStub } = moduleSignatures(description, indexSpaces(description));
  const { relocations, ...whole } = { ...assembled, ...jumpToSwitches(assembled, switchStub) };
  const stubs = new Map([
    [switchStub, STUB.switch],
    [hostCallStub, STUB.hostCall],
  ]);
  const offsets = offsetsOf(whole.functions, functionSignatures.length, stubs);
  relocate(whole.code, relocations, offsets);
  const artifact: Artifact = { key, description, names: prepared.names, handlers, stackPointer, offsets, ...whole };
  // What was written may be mapped now, and need not stay in memory.
  return (cache?.write(keyHash(key), serializeArtifact(artifact)) === true && cachedArtifact(key, cache)) || artifact;
}

/** How many workers to use for this many bytes of code; 0 for none. */
function workerCount(bytes: number, { workers }: CompileOptions): number {
  if (workers === 0 || !canUseWorkers()) return 0;
  if (workers !== undefined) return workers;
  return bytes < WORTH_WORKERS ? 0 : Math.min(defaultWorkers(), 1 + Math.floor(bytes / WORTH_ANOTHER));
}

function bodiesSize({ bodies }: ModuleDescription): number {
  let size = 0;
  for (let i = 0; i + 1 < bodies.length; i += 2) size += (bodies[i + 1] ?? 0) - (bodies[i] ?? 0);
  return size;
}

/** The defined functions in ranges of about `size` bytes of bodies. */
function chunksOf({ bodies }: ModuleDescription, size: number): Chunk[] {
  const chunks: Chunk[] = [];
  const count = bodies.length / 2;
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    bytes += (bodies[2 * i + 1] ?? 0) - (bodies[2 * i] ?? 0);
    if (bytes < size && i < count - 1) continue;
    chunks.push({ start, end: i + 1 });
    start = i + 1;
    bytes = 0;
  }
  return chunks;
}
