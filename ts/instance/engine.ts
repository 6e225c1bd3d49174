/**
 * One thread's engine: composes what its modules and instances share, and answers the addon's questions.
 */
import { getPrototypeOf } from '../base/intrinsics.js';
import { trap } from '../errors/catalog.js';
import { addon, codegenAddon } from '../link/addon.js';
import type { Native, NativeStatistics, StackUsage } from '../link/native.js';
import { type NativeOptions, nativeOptions } from '../link/native_options.js';
import { TypeRegistry } from '../validate/registry.js';
import { notify, wait } from './atomics.js';
import { Compiling } from './compiling.js';
import { ExceptionObjects } from './exceptions.js';
import type { Conversions } from './functions/conversions.js';
import { ExportedFunctions } from './functions/exports.js';
import { ExternTable } from './functions/externs.js';
import type { FunctionCache } from './functions/function_cache.js';
import { HostValues } from './functions/host_values.js';
import { ImportedFunctions } from './functions/imports.js';
import { Mailbox } from './functions/mailbox.js';
import { coerce } from './functions/numbers.js';
import { type FiberTree, fiberTree } from './inspect.js';
import { LazyCodes } from './lazy_code.js';
import { amend, backtrace } from './messages/backtrace.js';
import { Names } from './messages/names.js';
import { trapDetail } from './messages/refusals.js';
import { Tags } from './tags.js';
import type { Thread } from './thread.js';
import { HeapWindows } from './windows.js';

/** Counters of a thread's engine. */
export interface EngineStatistics extends NativeStatistics {
  /** JavaScript values that WebAssembly refers to. */
  readonly externrefs: number;
  /** Types that differ. */
  readonly types: number;
  /** Milliseconds spent compiling on this thread. */
  readonly compileMilliseconds: number;
}

/** One thread's engine. @internal */
export class Engine implements Thread {
  readonly native: Native;
  readonly types: TypeRegistry;
  readonly names = new Names();
  readonly tags: Tags;
  readonly mailbox = new Mailbox();
  readonly externs: ExternTable;
  readonly values: HostValues;
  readonly exports: ExportedFunctions;
  readonly convert: Conversions;
  readonly imports: ImportedFunctions;
  readonly exceptions: ExceptionObjects;
  readonly compiling: Compiling;
  readonly lazyCodes = new LazyCodes();
  readonly windows: HeapWindows;
  #onInterrupt: (() => void) | undefined;

  constructor(native: Native) {
    const { mailbox, names } = this;
    this.native = native;
    this.types = new TypeRegistry({
      define: (words) => native.defineTypes(words),
      forget: (ids) => native.forgetTypes(ids),
      reclaim: () => native.reclaim(),
    });
    this.windows = new HeapWindows(native);
    native.shareTypes(this.types.marks);
    this.tags = new Tags(native, names);
    this.externs = new ExternTable(native);
    this.values = new HostValues(native, this.externs);
    this.exports = new ExportedFunctions(native, this.types, this.values, mailbox);
    this.convert = this.exports.convert;
    this.imports = new ImportedFunctions(native, this.types, names, this.convert, mailbox);
    this.exceptions = new ExceptionObjects(native, this.types, this.tags, this.values);
    native.cancelWith(this.exceptions.cancellationTag.address);
    this.compiling = new Compiling(native);
    native.hooks(
      {
        trap: (code, frames, detail) => this.#trap(code, frames, detail),
        coerce,
        poll: () => this.#onInterrupt?.(),
        thrown: (exception) => this.exceptions.thrown(exception),
        keepThrown: (thrown, isException) => this.exceptions.keepThrown(thrown, isException),
        throwKept: () => this.exceptions.throwKept(),
        caught: (value) => this.exceptions.caught(value),
        collected: (tags, codes, imports, calls) => this.#collected(tags, codes, imports, calls),
        uncache: (cache) => (cache as FunctionCache).empty(),
        suspendError: (fn, way) => this.imports.suspendError(fn, way),
        passed: (error) => amend(error, () => native.callFrames(), this.names.codes),
        wait,
        notify,
        makeFunction: (code, fn, ran) => this.compiling.timed(() => this.lazyCodes.make(code, fn, ran)),
      },
      mailbox.words,
    );
  }

  /** Sets options; they hold from the first call on, so this comes before any instance. */
  configure(options: NativeOptions): void {
    this.native.configure(nativeOptions(options));
  }

  statistics(): EngineStatistics {
    const { externs, types, compiling } = this;
    return { ...this.native.statistics(), externrefs: externs.size, types: types.size, compileMilliseconds: compiling.time };
  }

  /** What the stacks take; asks the kernel about each. */
  stackUsage(): StackUsage {
    return this.native.stackUsage();
  }

  /** The fibers of now, at most `limit` of them. */
  inspect(limit: number): FiberTree {
    return fiberTree(this.native.inspect(limit), this.names);
  }

  /** From now on {@link trapFibers} has them. */
  keepTrapFibers(): void {
    this.native.keepTrapFibers();
  }

  /** The fibers of the last trap, as they were then; undefined where there was none. */
  trapFibers(): FiberTree | undefined {
    const tree = this.native.trapFibers();
    return tree === undefined ? undefined : fiberTree(tree, this.names);
  }

  /**
   * From now on `action` runs when the process gets the signal, given by its number, and this thread is in a long stretch of
   * WebAssembly. {@link takeSignal} says whether it came in the meantime; JavaScript's own listeners are called as ever.
   */
  onSignalInside(signal: number, action: () => void): void {
    this.native.noteSignal(signal);
    this.#onInterrupt = () => {
      if (this.takeSignal()) action();
    };
  }

  /** Whether the signal came since this was last asked. */
  takeSignal(): boolean {
    return this.native.takeSignal();
  }

  #collected(tags: readonly number[], codes: readonly number[], imports: readonly number[], calls: readonly number[]): void {
    this.externs.sweep();
    this.types.sweep();
    this.names.forget(tags, codes, imports);
    this.lazyCodes.forget(codes);
    this.imports.forget(imports, calls);
  }

  #trap(code: number, frames: Float64Array, detail: number): Error {
    const error = trap(code, detail < 0 ? undefined : trapDetail(code, detail, this.names));
    backtrace(error, frames, this.names.codes);
    return error;
  }
}

let engine: Engine | undefined;
let codegen: Engine | undefined;

/**
 * Where the addon's exports keep the engine. Several copies of this TypeScript on one thread, as bundlers and test runners make them, share the addon, and with it types, the
 * mailbox and handles: so they share the engine as well.
 */
const SHARED = Symbol.for('heddle.engine');

/** This thread's engine, made when first needed. @internal */
export function theEngine(): Engine {
  if (engine === undefined) {
    const native = addon();
    const exports = getPrototypeOf(native) as { [SHARED]?: Engine };
    exports[SHARED] ??= new Engine(native);
    engine = exports[SHARED];
  }
  return engine;
}

/**
 * The engine that this thread's code generator runs in, made when first needed. Nothing of a program comes here: neither its options, its counters nor its calls' deadlines
 * (docs/decisions/0022). The program's own engine need not be there.
 * @internal
 */
export function codegenEngine(): Engine {
  codegen ??= new Engine(codegenAddon());
  return codegen;
}

/** Whether this thread has that engine. @internal */
export function hasCodegenEngine(): boolean {
  return codegen !== undefined;
}
