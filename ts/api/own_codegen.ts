/**
 * The code generator compiled by itself. Run by V8 it is slow until V8 has optimised it, which takes longer than compiling most programs and takes a
 * core as well; as Heddle's own code it is as fast in its first millisecond as it will ever be (docs/decisions/0007).
 *
 * It runs in an engine of its own (docs/decisions/0022), so that neither a program's stack options nor its statistics have to do with it.
 */

import { closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Codegen } from '#codegen';
import { equalBytes } from '../base/digest.js';
import type { V8WebAssembly, WebAssembly } from '../base/v8_types.js';
import { type Artifact, deserializeArtifact, hasKey, serializeArtifact } from '../compile/artifact.js';
import { compileModule } from '../compile/compile.js';
import {
  builtOwnCodegen,
  foundOwnCodegen,
  type OwnCodegen,
  type OwnCodegenFiles,
  ownCodegenFiles,
  ownCodegenState,
} from '../compile/own_codegen.js';
import { artifactKey, baselineFeatures, type CompileSettings, compileSettings, keyHash, type Target } from '../compile/settings.js';
import { codegenEngine, type Engine } from '../instance/engine.js';
import { type ExportedObject, instanceMemories, instantiate, type NamedExport, neededVariant, tableElement } from '../instance/instance.js';
import { CompiledModule } from '../instance/module.js';
import type { TableObject } from '../instance/objects.js';
import { resolveImports, type Unwrap } from '../instance/resolve.js';
import { addon } from '../link/addon.js';
import type { Native } from '../link/native.js';
import { codegenBytes, codegenHash, instantiateCodegen, isOverrun } from '../source/crate.js';
import { FEATURE_BITS } from '../validate/validate.js';

const KEY_BYTES = 32;
const HEAD_BYTES = KEY_BYTES + 4;
/** Of the kernels of both instruction sets. */
const LARGEST_PAGE = 65_536;

/** How the code generator is compiled. The environment's settings are for the user's modules: whatever they are, all threads mean the same file. */
function ownSettings(target: Target, cpu: readonly string[]): CompileSettings {
  return compileSettings(target, cpu, {
    features: FEATURE_BITS,
    inline: true,
    debugStores: false,
    debugSlots: false,
    verify: false,
  });
}

/** The hash of the key that a file must have to be of this build, for a CPU. */
function keyFor(target: Target, cpu: readonly string[]): Uint8Array {
  return keyHash(artifactKey(new Uint8Array(0), ownSettings(target, cpu), codegenHash()));
}

/** The CPU features that a file for this machine is compiled with; undefined where this CPU lacks one of them. */
function featuresOf({ portable }: OwnCodegenFiles, native: Native): readonly string[] | undefined {
  const own = native.cpuFeatures();
  if (!portable) return own;
  const baseline = baselineFeatures(native.arch);
  return baseline.every((feature) => own.includes(feature)) ? baseline : undefined;
}

function load(native: Native, files = foundOwnCodegen()): (Artifact & { readonly module: Uint8Array }) | undefined {
  const cpu = files && featuresOf(files, native);
  return files && cpu && loadKeyed(files, keyFor(native.arch, cpu));
}

/** The files' artifact, where they are whole and their key is this one. */
function loadKeyed(files: OwnCodegenFiles, key: Uint8Array): (Artifact & { readonly module: Uint8Array }) | undefined {
  try {
    const artifact = deserializeArtifact(readFileSync(files.artifact));
    if (artifact?.module === undefined || !hasKey(artifact, key)) return undefined;
    const path = files.code;
    const head = headOf(path);
    const traps = head.readUInt32LE(KEY_BYTES);
    if (!equalBytes(head.subarray(0, KEY_BYTES), key) || traps === 0) return undefined;
    return { ...artifact, module: artifact.module, codeFile: { path, traps } };
  } catch {
    return undefined;
  }
}

/** What stands in front of the code, in the room for the stubs: the key's hash, for files of two builds do not go together, and where the traps are. */
function headOf(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    readSync(file, head, 0, HEAD_BYTES, 0);
    return head;
  } finally {
    closeSync(file);
  }
}

/** The file that is mapped: code, and the traps at a page of their own, which nobody reads before there is one. */
function codeFileOf({ key, code, traps }: Artifact): Uint8Array[] {
  const gap = Buffer.alloc(-code.length & (LARGEST_PAGE - 1));
  code.set(keyHash(key));
  new DataView(code.buffer, code.byteOffset).setUint32(KEY_BYTES, code.length + gap.length, true);
  const rows = new Uint8Array(Uint32Array.of(traps.length / 2, 0).buffer);
  return [code, gap, rows, new Uint8Array(traps.buffer, traps.byteOffset, traps.byteLength)];
}

/** Writes a file anew: whoever has mapped the old one keeps it. */
function replaceFile(path: string, pieces: readonly Uint8Array[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, Buffer.concat(pieces));
  renameSync(temporary, path);
}

/** A table of JavaScript values, as the code generator's glue has it. */
class References {
  constructor(
    readonly engine: Engine,
    readonly table: TableObject,
  ) {}

  get(index: number): unknown {
    const { convert, native } = this.engine;
    return convert.fromWasm(this.table.type, native.load(tableElement(this.engine, this.table, index), 'u64'));
  }

  set(index: number, value: unknown): void {
    const { convert, native } = this.engine;
    const word = Number(convert.toWasm(this.table.type, value));
    native.store(tableElement(this.engine, this.table, index), 'u64', word);
  }
}

/** Nothing is imported but functions. */
const NOTHING: Unwrap = { table: nothing, global: nothing, tag: nothing, suspending: nothing };

function nothing(): undefined {}

/**
 * An export as the glue uses it. A function is the addon's own, which takes and gives numbers: were TypeScript's around it called for the code generator, V8 would know less of what a program's call
 * there, and call those more slowly.
 */
function plain(engine: Engine, name: string, { kind, value }: ExportedObject): unknown {
  if (kind === 'table') return new References(engine, value);
  const address = kind === 'func' ? engine.exports.addressOf(value) : undefined;
  return address === undefined ? value : engine.native.createExport(address, name);
}

/** What the glue needs of a namespace `WebAssembly`, in the code generator's engine: the module is a compiled one, and its instances have functions, a memory and a table. */
const namespace = {
  Module: CompiledModule,
  Instance: class {
    readonly exports: Readonly<Record<string, unknown>>;
    /** They keep the instance. */
    readonly kept: readonly NamedExport[];

    /** Throws where memories have no guards here: the code would have to be compiled anew, with checks. */
    constructor(module: CompiledModule, imports: unknown) {
      const engine = codegenEngine();
      const resolved = resolveImports(engine, module, imports, NOTHING);
      const memories = instanceMemories(engine, module, resolved);
      const variant = neededVariant(engine, resolved, memories);
      if (variant.checked) throw new Error('memories have no guards');
      const { exports } = instantiate(engine, module, resolved, memories, module.code(variant));
      const all: Record<string, unknown> = {};
      for (const { name, object } of exports) all[name] = plain(engine, name, object);
      this.exports = all;
      this.kept = exports;
    }
  },
} as unknown as V8WebAssembly;

/** This thread's, for one instance after another. */
let loaded: CompiledModule | undefined;

function loadModule(): CompiledModule | undefined {
  const engine = codegenEngine();
  const artifact = load(engine.native);
  return artifact && CompiledModule.fromArtifact(engine, artifact.module, artifact);
}

/** An instance of the code generator that runs as Heddle's own code; undefined where it is not to be, not built for this machine, or cannot be. */
export function ownCodegen(): Codegen | undefined {
  if (ownCodegenState() !== 'there') return undefined;
  try {
    loaded ??= loadModule();
    return loaded && instantiateCodegen(loaded as unknown as WebAssembly.Module, namespace);
  } catch (error) {
    // Who called with so little of the stack left would have no more of it for V8, and the next call may have.
    if (isOverrun(error)) throw error;
    return undefined;
  }
}

/** What runs the code generator, and why. */
export function ownCodegenUse(): OwnCodegen | 'stale' {
  const state = ownCodegenState();
  return state === 'there' && load(addon()) === undefined ? 'stale' : state;
}

/** Compiles the code generator for this machine and writes the files, unless they are there. Returns whether it had to. */
export async function buildOwnCodegen(): Promise<boolean> {
  const native = addon();
  return await build(builtOwnCodegen(), native.arch, native.cpuFeatures());
}

/** The same into a folder, for any CPU of an instruction set that is not too old: what a platform package has. */
export async function buildPortableCodegen(target: Target, folder: string): Promise<boolean> {
  return await build(ownCodegenFiles(folder, target, true), target, baselineFeatures(target));
}

async function build(files: OwnCodegenFiles, target: Target, cpu: readonly string[]): Promise<boolean> {
  if (loadKeyed(files, keyFor(target, cpu)) !== undefined) return false;
  const bytes = codegenBytes();
  const artifact = await compileModule(bytes, ownSettings(target, cpu));
  const { description, contents } = onlyData(artifact, bytes);
  // Nobody looks for offsets in it, and it catches no exceptions.
  const none = new Int32Array(0);
  const small: Artifact = { ...artifact, code: new Uint8Array(0), traps: none, description, sources: none, calls: none, stackMaps: none };
  replaceFile(files.code, codeFileOf(artifact));
  replaceFile(files.artifact, serializeArtifact(small, contents));
  return true;
}

/** Of a module's bytes an instance needs the data segments only: they, one after another, and the description that says so. */
function onlyData({ description }: Artifact, bytes: Uint8Array): Pick<Artifact, 'description'> & { readonly contents: Uint8Array } {
  const data = description.data.slice();
  const pieces: Uint8Array[] = [];
  let size = 0;
  // [mode, memory, words of the offset expression, …, start, length] each (contract/formats.md, section 2)
  for (let i = 0; i < data.length; i += 2) {
    i += 3 + (data[i + 2] ?? 0);
    const start = data[i] ?? 0;
    const length = data[i + 1] ?? 0;
    pieces.push(bytes.subarray(start, start + length));
    data[i] = size;
    size += length;
  }
  return { description: { ...description, data }, contents: Buffer.concat(pieces) };
}
