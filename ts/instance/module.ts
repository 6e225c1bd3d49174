/**
 * A module as the engine holds it: its bytes, its machine code in the variants that were asked for, and where that code lies.
 */

import { changedIntrinsic } from '../base/changes.js';
import { copied, Dictionary, each, env, mapEach, mapGet, mapHas, mapSet, sliced, typedLength, WrongRange } from '../base/intrinsics.js';
import type { Artifact } from '../compile/artifact.js';
import type { Cache } from '../compile/cache.js';
import { type CompileOptions, openModule, openModuleSync, openVariantSync, wholeModuleSync } from '../compile/compile.js';
import { isLazy, type LazyModule, type ModuleCode } from '../compile/module_code.js';
import { tellPerf } from '../compile/perf_map.js';
import { type ModuleLayout, moduleLayout } from '../lower/module/layout.js';
import { type ModuleSignatures, moduleSignatures } from '../lower/module/signatures.js';
import { type IndexSpaces, indexSpaces } from '../lower/module/spaces.js';
import { alwaysChecksStack, type StackPointer } from '../lower/module/stack_pointer.js';
import type { MemoryDescription, ModuleDescription } from '../validate/description.js';
import { requireRunnable } from './artifact_check.js';
import { requireProvidable } from './builtins.js';
import type { CodeVariant, ReadModuleOptions } from './compiling.js';
import { LazyCode } from './lazy_code.js';
import { hold } from './objects.js';
import type { Thread } from './thread.js';

function variantKey({ checked, stackChecks }: CodeVariant): string {
  return `${checked} ${stackChecks}`;
}

/** Ids of types, which live as long as this object does. */
interface TypeIds {
  readonly address: number;
  readonly ids: Uint32Array;
}

/** Machine code in this process. */
export interface LoadedCode {
  readonly id: number;
  /** Where it begins. */
  readonly address: number;
  /** By function number: where its code begins, from the address on; -1 for an imported function, which has none. */
  readonly offsets: Int32Array;
  /** Address of a function number's code. */
  entry(number: number): number;
}

/** Names for messages. */
export interface NameMaps {
  readonly functions: ReadonlyMap<number, string>;
  readonly tags: ReadonlyMap<number, string>;
}

/** A tag's name, or what stands for it. */
export function nameOfTag(names: NameMaps, index: number): string {
  return mapGet(names.tags, index) ?? `tag ${index}`;
}

/** A compiled module. */
export class CompiledModule {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly hash: string;
  readonly description: ModuleDescription;
  readonly names: NameMaps;
  readonly layout: ModuleLayout;
  readonly signatures: ModuleSignatures;
  /** All memories' types, imported first. */
  readonly memories: readonly MemoryDescription[];

  readonly #thread: Thread;
  readonly #types: TypeIds;
  /** How it was asked to be compiled. */
  readonly options: ReadModuleOptions;
  /** Which global is its shadow stack's pointer. */
  readonly stackPointer: StackPointer;
  readonly #artifacts = new Dictionary<string, ModuleCode>();
  readonly #codes = new Dictionary<ModuleCode, LoadedCode>();
  readonly #name: string | null;
  /** What stands for the name in messages: the same in each run. */
  #label: string;

  private constructor(thread: Thread, bytes: Uint8Array, options: ReadModuleOptions, artifact: ModuleCode) {
    requireProvidable(artifact.description, options);
    this.#thread = thread;
    this.options = options;
    this.bytes = bytes;
    this.hash = artifact.key.module;
    this.description = artifact.description;
    const spaces: IndexSpaces = indexSpaces(artifact.description);
    this.memories = spaces.memories;
    this.layout = moduleLayout(artifact.description, artifact.handlers, spaces);
    this.signatures = moduleSignatures(artifact.description, spaces);
    this.#types = holdTypes(thread, artifact.description);
    this.names = namesWhenAsked(artifact.description, artifact.names);
    this.#name = artifact.names.module;
    this.#label = artifact.names.module ?? `module-${sliced(this.hash, 0, 8)}`;
    this.stackPointer = artifact.stackPointer;
    this.#add(artifact);
  }

  /** What it is called: its own name, or what messages have in its place. */
  get label(): string {
    return this.#label;
  }

  /** Ids of its types, by type index. */
  get typeIds(): Uint32Array {
    return this.#types.ids;
  }

  /** Compiles on this thread. `bytes` must not change afterwards; `given` are a caller's options. */
  static compileSync(thread: Thread, bytes: Uint8Array, given: unknown): CompiledModule {
    return CompiledModule.compileAgain(thread, bytes, thread.compiling.read(given));
  }

  /** The same with options that were read before; `hash` is the SHA-256 of the bytes where it is known. */
  static compileAgain(thread: Thread, bytes: Uint8Array, options: ReadModuleOptions, hash?: string): CompiledModule {
    const artifact = thread.compiling.timed(() => openModuleSync(bytes, thread.compiling.options(options, hash)));
    return new CompiledModule(thread, bytes, options, artifact);
  }

  /** Compiles with worker threads; the variant for calls that may wait where `waits`. */
  static async compile(thread: Thread, bytes: Uint8Array, given: unknown, waits = false): Promise<CompiledModule> {
    const options = thread.compiling.read(given);
    const settings = thread.compiling.options(options, undefined, { stackChecks: waits });
    const artifact = await thread.compiling.timedAsync(() => openModule(bytes, settings));
    return new CompiledModule(thread, bytes, options, artifact);
  }

  /** A module whose code is already there. */
  static fromArtifact(thread: Thread, bytes: Uint8Array, artifact: Artifact): CompiledModule {
    const { interruptible } = artifact.key.settings;
    return new CompiledModule(thread, bytes, { interruptible }, artifact);
  }

  /** Where it has no name, messages call it this. Comes before its first instance. */
  call(file: string): void {
    this.#label = this.#name ?? file;
  }

  /** Compiles a variant, where it is not there yet. */
  async prepare(variant: CodeVariant): Promise<void> {
    if (mapHas(this.#artifacts, variantKey(variant))) return;
    const opened = this.#opened();
    const options = this.#compileOptions(variant);
    const { compiling } = this.#thread;
    this.#add(
      opened === undefined
        ? await compiling.timedAsync(() => openModule(this.bytes, options))
        : compiling.timed(() => openVariantSync(opened, options)),
    );
  }

  /** The code in this process, compiled now where needed. */
  code(variant: CodeVariant): LoadedCode {
    const artifact = this.#artifact(variant);
    let code = mapGet(this.#codes, artifact);
    if (code === undefined) {
      code = this.#load(artifact);
      mapSet(this.#codes, artifact, code);
    }
    return code;
  }

  #artifact(variant: CodeVariant): ModuleCode {
    const known = mapGet(this.#artifacts, variantKey(variant));
    if (known !== undefined) return known;
    const opened = this.#opened();
    const options = this.#compileOptions(variant);
    return this.#add(
      this.#thread.compiling.timed(() => (opened === undefined ? openModuleSync(this.bytes, options) : openVariantSync(opened, options))),
    );
  }

  /** A variant that has no code yet, and was found valid. */
  #opened(): LazyModule | undefined {
    let found: LazyModule | undefined;
    mapEach(this.#artifacts, (code) => {
      if (isLazy(code)) found = code;
    });
    return found;
  }

  #compileOptions(variant: CodeVariant): CompileOptions {
    return this.#thread.compiling.options(this.options, this.hash, variant);
  }

  /** Keeps an artifact as each variant that it does for. */
  #add(artifact: ModuleCode): ModuleCode {
    requireRunnable(artifact.key, this.#thread.native);
    const { checked, stackChecks } = artifact.key.settings;
    mapSet(this.#artifacts, variantKey({ checked, stackChecks }), artifact);
    const other = variantKey({ checked, stackChecks: !stackChecks });
    // Without a pointer there is nothing to check.
    const does = stackChecks || this.stackPointer.kind !== 'found' || alwaysChecksStack(this.description);
    if (does && !mapHas(this.#artifacts, other)) mapSet(this.#artifacts, other, artifact);
    return artifact;
  }

  #load(code: ModuleCode): LoadedCode {
    if (!isLazy(code)) return this.#loadArtifact(code);
    const { compiling, lazyCodes } = this.#thread;
    const lazy = compiling.timed(() => this.#reserve(code));
    if (lazy === undefined) return this.#loadArtifact(wholeOf(compiling, code, compiling.options(this.options).cache)());
    lazyCodes.add(lazy);
    return this.#named(lazy.id, lazy.base, lazy.offsets, lazy);
  }

  #reserve(module: LazyModule): LazyCode | undefined {
    // A thread of its own compiles all of it then.
    if (changedIntrinsic() !== undefined) return undefined;
    const { native, compiling } = this.#thread;
    const { cache } = compiling.options(this.options);
    const imported = this.layout.importedFunctions.count;
    const whole = wholeOf(compiling, module, cache);
    return LazyCode.load({ native, module, signatures: this.signatures, imported, types: this.#types.address, cache, whole });
  }

  #loadArtifact(artifact: Artifact): LoadedCode {
    const { codeFile, functions, traps, sources, calls, inlined, scopes } = artifact;
    const forPerf = env['HEDDLE_PERF_MAP'] === '1';
    const { id, base } = this.#thread.native.loadCode(
      // Of code in a file of the cache perf would ask the file for names.
      codeFile?.path ?? (forPerf ? copied(artifact.code) : artifact.code),
      functions,
      codeFile?.traps ?? traps,
      sources,
      calls,
      inlined,
      scopes,
      this.#types.address,
    );
    if (forPerf) tellPerf({ base, functions, ...this.#forNames() });
    return this.#named(id, base, artifact.offsets, { inlined });
  }

  /** What names functions. Only names: were the module itself kept by them, it would keep its code, and that would keep the names. */
  #forNames(): { readonly module: string; readonly count: number; functionName(index: number): string | undefined } {
    const { names } = this;
    const count = this.layout.importedFunctions.count + typedLength(this.description.functions);
    return { module: this.#label, count, functionName: (index) => mapGet(names.functions, index) };
  }

  #named(id: number, base: number, offsets: Int32Array, made: { readonly inlined: Int32Array }): LoadedCode {
    const { names } = this;
    const { module, count, functionName } = this.#forNames();
    this.#thread.names.nameCode(id, {
      module,
      functions: count,
      functionName,
      tagName: (index) => nameOfTag(names, index),
      get inlined() {
        return made.inlined;
      },
      bytes: this.bytes,
    });
    return hold(this.#thread.native, {
      id,
      address: base,
      offsets,
      entry(number) {
        const offset = offsets[number];
        if (offset === undefined || offset < 0) throw new WrongRange(`function number ${number} has no code`);
        return base + offset;
      },
    });
  }
}

/** What compiles all of a lazy module, in another thread where it must. It does not keep the module's object, which would keep the code for ever. */
function wholeOf(compiling: Thread['compiling'], module: LazyModule, cache: Cache | undefined): () => Artifact {
  return () => compiling.timed(() => wholeModuleSync(module, cache));
}

/** The names of a module. Most programs never ask for one. */
function namesWhenAsked(description: ModuleDescription, given: NameMaps): NameMaps {
  let functions: ReadonlyMap<number, string> | undefined;
  let tags: ReadonlyMap<number, string> | undefined;
  return {
    get functions() {
      functions ??= namesOf(description, 'func', given.functions);
      return functions;
    },
    get tags() {
      tags ??= namesOf(description, 'tag', given.tags);
      return tags;
    },
  };
}

/** Names from the name section, and for what has none its export's. */
function namesOf(description: ModuleDescription, kind: 'func' | 'tag', given: ReadonlyMap<number, string>): ReadonlyMap<number, string> {
  const names = new Dictionary<number, string>();
  each(description.exports, (entry) => {
    if (entry.kind === kind) mapSet(names, entry.index, entry.name);
  });
  mapEach(given, (name, index) => mapSet(names, index, name));
  return names;
}

function holdTypes({ native, types }: Thread, description: ModuleDescription): TypeIds {
  const ids = types.register(description.types);
  return hold(native, { address: native.createTypes(ids), ids });
}
