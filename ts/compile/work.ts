/** Compiles functions of one module on this thread: operator stream, lowering, code generator, function by function, so that no whole program exists. */
import { codegenFailed, unsupported, wrongArgument } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import { LIMIT } from '../generated/abi.js';
import { Scopes } from '../lower/function/scopes.js';
import { type LoweredFunctions, ModuleLowering, UnsupportedOperator } from '../lower/lower.js';
import { AsyncifyPlan, MixedRoles, usesAsyncify } from '../lower/module/asyncify.js';
import { InlineCandidates } from '../lower/module/candidates.js';
import type { LoweringContext } from '../lower/module/context.js';
import { loweringContext } from '../lower/module/context.js';
import { extraHandlers, type HandlerList, moduleHandlers } from '../lower/module/handlers.js';
import { findStackPointer, type StackPointer, shadowCode, WrongStackPointer } from '../lower/module/stack_pointer.js';
import { hasContinuations } from '../lower/program/types.js';
import { lowerTrampolines } from '../lower/stubs/trampolines.js';
import { crateSize, isDropped, renewCrate, withCrate } from '../source/crate.js';
import type { ModuleDescription } from '../validate/description.js';
import { type ModuleNames, validateModule } from '../validate/validate.js';
import { refusedOperator, requireLimits } from './limits.js';
import { Assembly, type Part, word } from './part.js';
import { type CompileSettings, compilerArguments, loweringOptions } from './settings.js';

/** A valid module and how to compile it. Survives structured cloning: it is what worker threads get. */
export interface Job {
  readonly bytes: Uint8Array;
  readonly description: ModuleDescription;
  readonly handlers: readonly HandlerList[];
  readonly stackPointer: StackPointer;
  readonly settings: CompileSettings;
}

/** A module that was found valid. */
export interface Prepared {
  readonly job: Job;
  readonly names: ModuleNames;
}

/** A module's job: validated, and its handler lists collected. Throws a CompileError with code and offset. */
export function prepare(bytes: Uint8Array, settings: CompileSettings): Prepared {
  const { description, names } = validateModule(bytes);
  requireLimits(bytes, description);
  const handlers = handlersOf(bytes, description, settings);
  return { job: { bytes, description, handlers, stackPointer: stackPointerOf(bytes, description, settings), settings }, names };
}

/** The shadow stack's pointer. Throws a TypeError where the setting names no global that can be one. */
export function stackPointerOf(
  bytes: Uint8Array,
  description: ModuleDescription,
  { stackPointer, features }: Pick<CompileSettings, 'stackPointer' | 'features'>,
): StackPointer {
  return withCrate((crate) => {
    const info = new crate.ModuleInfo(bytes, features, false);
    try {
      return findStackPointer(description, bytes, (index) => info.ops(index), stackPointer);
    } catch (error) {
      throw error instanceof WrongStackPointer ? wrongArgument(error.message) : error;
    } finally {
      info.free();
    }
  });
}

function handlersOf(bytes: Uint8Array, description: ModuleDescription, settings: CompileSettings): HandlerList[] {
  if (!hasContinuations(description)) return extraHandlers(description);
  return withCrate((crate) => {
    const info = new crate.ModuleInfo(bytes, settings.features, false);
    const handlers = moduleHandlers(description, bytes, (index) => info.ops(index));
    info.free();
    return handlers;
  });
}

const NO_WORDS = new Int32Array(0);

type Crate = Parameters<Parameters<typeof withCrate>[0]>[0];

/** So many functions go to the code generator at a time, of so many words of CLIF: asking costs, and so does what is kept. */
const AT_ONCE = 64;
const WORDS_AT_ONCE = 1 << 16;

/** What functions may make the code generator's memory grow by: most need a tenth of it, a few in large modules three times as much. */
const MEMORY_FOR_FUNCTIONS = 16 << 20;

/** What prints for one function. */
export type Listing = 'clif' | 'asm';

/** The compiler of one job on this thread. To be freed. */
export class FunctionCompiler {
  readonly context: LoweringContext;
  readonly #lowering: ModuleLowering;
  readonly #job: Job;
  readonly #discard: ((bytes: Uint8Array) => void) | undefined;
  #crate: Crate | undefined;
  #isBusy = false;
  #info: InstanceType<Crate['ModuleInfo']>;
  #compiler: InstanceType<Crate['Compiler']>;
  /** Bytes that the code generator's memory may have before it is given up for a fresh one. */
  #enough: number;
  /** One for all parts: V8 would keep the memory of many for long. */
  readonly #assembly = new Assembly();

  /** `discard` gives back the pages of a memory that nobody uses: with it, this one's memory does not stay as large as the largest function made it. */
  constructor(job: Job, discard?: (bytes: Uint8Array) => void) {
    const { settings, description } = job;
    this.#job = job;
    this.#discard = discard;
    const candidates = settings.inline ? new InlineCandidates(description, job.bytes, (index) => this.operators(index)) : undefined;
    const asyncify = usesAsyncify(description) ? new AsyncifyPlan(description, (index) => this.operators(index)) : undefined;
    const shadow = shadowCode(description, job.stackPointer, settings.stackChecks);
    this.context = loweringContext(description, loweringOptions(settings), job.handlers, candidates, shadow, asyncify);
    this.#lowering = new ModuleLowering(this.context);
    [this.#info, this.#compiler] = this.#make();
    this.#enough = crateSize() + MEMORY_FOR_FUNCTIONS;
  }

  #make(): [InstanceType<Crate['ModuleInfo']>, InstanceType<Crate['Compiler']>] {
    const { bytes, settings } = this.#job;
    const { signatures, functionSignatures } = this.context.signatures;
    const { triple, settings: flags } = compilerArguments(settings);
    return withCrate((crate) => {
      this.#crate = crate;
      return [
        // The bytes were validated on the main thread: bodies are not checked a second time.
        new crate.ModuleInfo(bytes, settings.features, false),
        refusable(() => new crate.Compiler(triple, flags, signatures, functionSignatures)),
      ];
    });
  }

  #renew(discard: (bytes: Uint8Array) => void): void {
    this.free();
    renewCrate(discard);
    [this.#info, this.#compiler] = this.#make();
    this.#enough = crateSize() + MEMORY_FOR_FUNCTIONS;
  }

  /** The operator stream of a defined function. */
  operators(index: number): Uint32Array {
    return withCrate(() => this.#info.ops(index));
  }

  /** Whether it is whole: it was not left in the middle, by a termination or an error, and the code generator's instance is the one that it was made with. */
  get isUsable(): boolean {
    return !this.#isBusy && this.#crate !== undefined && !isDropped(this.#crate);
  }

  /** Some defined functions, in that order. After an error it is not usable any more. */
  these(indices: readonly number[]): Part {
    this.#isBusy = true;
    for (const index of indices) this.#lower(index);
    this.#compile(this.#lowering.take());
    const part = this.#assembly.finish();
    this.#isBusy = false;
    return part;
  }

  /** Refuses a defined function that cannot be compiled, as its compile would. */
  requireLowered(index: number): void {
    this.#lower(index);
    this.#lowering.drop();
  }

  /** The defined functions from `start` up to `end`. */
  functions(start: number, end: number): Part {
    for (let index = start; index < end; ) {
      const last = Math.min(index + AT_ONCE, end);
      while (index < last && this.#lowering.length < WORDS_AT_ONCE) this.#lower(index++);
      this.#compile(this.#lowering.take());
      if (this.#discard !== undefined && crateSize() > this.#enough) this.#renew(this.#discard);
    }
    return this.#assembly.finish();
  }

  /** The module's trampolines. */
  trampolines(): Part {
    const scopes = new Scopes();
    this.#compile({ program: lowerTrampolines(this.context, scopes), inlined: NO_WORDS, scopes: scopes.table() });
    return this.#assembly.finish();
  }

  /** A defined function in text. */
  list(index: number, listing: Listing): string {
    this.#lower(index);
    const { program } = this.#lowering.take();
    return withCrate(() => refusable(() => this.#compiler[listing](program)));
  }

  free(): void {
    this.#info.free();
    this.#compiler.free();
  }

  #lower(index: number): void {
    try {
      this.#lowering.add(index, this.operators(index));
    } catch (error) {
      this.#lowering.drop();
      if (error instanceof UnsupportedOperator) throw refusedOperator(error);
      if (error instanceof MixedRoles) throw unsupported(error.message, this.#job.description.bodies[2 * index] ?? 0);
      throw error;
    }
  }

  #compile(lowered: LoweredFunctions): void {
    const output = withCrate(() => refusable(() => this.#compiler.compile(lowered.program)));
    requireStackChecks(output.frames);
    this.#assembly.add(output, lowered);
    output.free();
  }
}

/**
 * The one place where machine code comes in: it makes no frame that nobody found room for. Nothing here is taken from
 * how the code was asked for: the sizes are Cranelift's, and whether a function checks the limit is read from its code.
 * @param frames [number, bytes, 1 where the code checks the limit]*
 */
export function requireStackChecks(frames: Int32Array): void {
  for (let i = 0; i < frames.length; i += 3) {
    const bytes = word(frames, i + 1);
    if (word(frames, i + 2) === 0 && bytes > LIMIT.uncheckedFrame)
      throw codegenFailed(`function ${word(frames, i)} makes a frame of ${bytes} bytes without a check of the stack's limit`);
  }
}

/** The code generator's own errors become typed ones. */
function refusable<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof V8.RuntimeError || !(error instanceof Error)) throw error;
    throw codegenFailed(error.message);
  }
}
