/**
 * Module, Instance and the functions of the `WebAssembly` object, shaped like V8's. Errors and Memory are V8's own.
 */

import { inspected, view } from '../base/inspection.js';
import {
  copied,
  createObject,
  each,
  freeze,
  getOwnPropertyDescriptors,
  getProperty,
  hasOwn,
  isInstance,
  mapped,
  quoted,
  selected,
  some,
  subBytes,
  typedBuffer,
  typedLength,
  values,
  weakGet,
  weakHas,
  weakSet,
} from '../base/intrinsics.js';
import type { Artifact } from '../compile/artifact.js';
import { requireCompilable } from '../compile/limits.js';
import { badResponse, wrongArgument } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import { providedFor, requireProvidable } from '../instance/builtins.js';
import { type ModuleOptions, readModuleOptions } from '../instance/compiling.js';
import { theEngine } from '../instance/engine.js';
import {
  type ExportedObject,
  type InstanceObject,
  instanceMemories,
  type MadeInstance,
  instantiate as makeInstance,
  type NamedExport,
  neededVariant,
} from '../instance/instance.js';
import { CompiledModule } from '../instance/module.js';
import { resolveImports, type Unwrap } from '../instance/resolve.js';
import { suspendingOf } from '../schedule/suspending.js';
import { type BytesSource, copyBytes } from '../source/bytes.js';
import { provideCodegen } from '../source/crate.js';
import type { ImportDescription as DescribedImport } from '../validate/description.js';
// What leaves an instance as an exception is of its class.
import './exception.js';
import { asInterface } from './interface.js';
import { canBeCarried, carried, makeCarrier } from './module_carrier.js';
import { globalOf, tableOf, tagOf, wrapGlobal, wrapTable, wrapTag } from './objects.js';
import { ownCodegen } from './own_codegen.js';

// On this thread as on the compiler's: it is loaded when the first module is compiled.
provideCodegen(ownCodegen);

/** One import of a module. */
export interface ImportDescriptor {
  /** The name of the module that it is imported from. */
  readonly module: string;
  /** Its name there. */
  readonly name: string;
  /** What it is. */
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
}

/** One export of a module. */
export interface ExportDescriptor {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly kind: ImportDescriptor['kind'];
}

/** What `instantiate` of bytes gives. */
export interface InstantiatedSource<E extends Exports = Exports> {
  /** The compiled module, of which more instances can be made. */
  readonly module: Module;
  /** The instance. */
  readonly instance: Instance<E>;
}

/** Exports by name. Their types are the module's, which TypeScript does not know: who knows them says so, `instantiate<{ add(a: number, b: number): number }>(bytes)`. */
// biome-ignore lint/suspicious/noExplicitAny: as in TypeScript's own declarations of the JS API
export type Exports = Record<string, any>;

/** Imports by module and name. */
export type Imports = Record<string, Record<string, unknown>>;

const kindName = (kind: ExportedObject['kind']): ImportDescriptor['kind'] => (kind === 'func' ? 'function' : kind);

/** Made by this module from a compiled module, not from bytes. */
class FromCompiled {
  constructor(
    readonly module: CompiledModule,
    /** Whether the Module can be posted to other threads: that costs a copy of its bytes. */
    readonly posted: boolean,
  ) {}
}

/** The imports that a module's instances are given: those that Heddle gives itself are none of them. */
function wantedImports({ description, options }: CompiledModule): readonly DescribedImport[] {
  return selected(description.imports, (entry) => providedFor(entry, options) === undefined);
}

const compiledModules = new WeakMap<object, CompiledModule>();

/** A compiled module. It may be posted to other threads, which compile it anew or find it in the cache when they first use it. */
export class Module {
  /** Only for TypeScript, which otherwise takes any object for a Module. */
  declare private readonly compiled: CompiledModule;

  /** Compiles on this thread. Throws a CompileError with offset and code. */
  constructor(bytes: BytesSource, options?: ModuleOptions) {
    const given: unknown = bytes;
    const compiled = given instanceof FromCompiled ? given.module : CompiledModule.compileSync(theEngine(), copyBytes(bytes), options);
    // What carries a module to other threads is larger than the module, and V8 has a limit for both.
    const isPosted = (!(given instanceof FromCompiled) || given.posted) && canBeCarried(compiled);
    const carrier = isPosted ? makeCarrier(compiled, new.target) : this;
    weakSet(compiledModules, carrier, compiled);
    // biome-ignore lint/correctness/noConstructorReturn: the object has V8's internal slots, which structured cloning looks at
    return carrier as Module;
  }

  /** Modules that another thread has sent are instances, too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return (typeof value === 'object' && value !== null && weakHas(compiledModules, value)) || carried(value) !== undefined;
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (typeof this !== 'object' || !(this instanceof Module)) return this;
    const { label, description, bytes } = compiledOf(this);
    const imports = mapped(Module.imports(this), ({ module, name, kind }) => `${kind} ${module}.${name}`);
    const exports = mapped(description.exports, ({ name, kind }) => `${kindName(kind)} ${name}`);
    return view('Module', { name: label, bytes: typedLength(bytes), imports, exports }, 'WebAssembly.Module');
  }

  /** What a module exports, in its order. */
  static exports(module: Module): ExportDescriptor[] {
    return mapped(compiledOf(module).description.exports, ({ name, kind }) => ({ name, kind: kindName(kind) }));
  }

  /** What a module imports, in its order; not what Heddle gives it by the options `builtins` and `importedStringConstants`. */
  static imports(module: Module): ImportDescriptor[] {
    return mapped(wantedImports(compiledOf(module)), ({ module: from, name, kind }) => ({ module: from, name, kind: kindName(kind) }));
  }

  /** Contents of the custom sections of a name. */
  static customSections(module: Module, name: string): ArrayBuffer[] {
    if (name === undefined) throw wrongArgument('a section name is needed');
    const { description, bytes } = compiledOf(module);
    const wanted = `${name}`; // Throws a TypeError for symbols.
    return mapped(
      selected(description.customs, (custom) => custom[0] === wanted),
      (custom) => typedBuffer(copied(subBytes(bytes, custom[1], custom[2]))),
    );
  }
}

/** A Module of what is compiled; without `posted` it stays on this thread. @internal */
export function wrapModule(compiled: CompiledModule, posted = true): Module {
  return new Module(new FromCompiled(compiled, posted) as unknown as BytesSource);
}

/** What a Module stands for; a TypeError for other values. One that another thread has sent is compiled, or found in the cache. @internal */
export function compiledOf(value: unknown): CompiledModule {
  const known = typeof value === 'object' && value !== null ? weakGet(compiledModules, value) : undefined;
  if (known !== undefined) return known;
  const sent = carried(value);
  if (sent === undefined) throw wrongArgument("the argument is not a Module of Heddle's, made by this process");
  const engine = theEngine();
  const compiled = CompiledModule.compileAgain(engine, sent.bytes, engine.compiling.withDefaults(sent.options), sent.hash);
  weakSet(compiledModules, value as object, compiled);
  return compiled;
}

// Not the functions themselves: the command line loads their file when one of them is first called.
const unwrap: Unwrap = {
  table: (value) => tableOf(value),
  global: (value) => globalOf(value),
  tag: (value) => tagOf(value),
  suspending: suspendingOf,
};

function wrapExport(object: ExportedObject): unknown {
  switch (object.kind) {
    case 'table':
      return wrapTable(object.value);
    case 'global':
      return wrapGlobal(object.value);
    case 'tag':
      return wrapTag(object.value);
    default:
      return object.value;
  }
}

/** Throws a TypeError where imports are given that are no object: Web IDL does so before anything else. */
function requireImports(imports: unknown): void {
  if (imports !== undefined && (typeof imports !== 'object' || imports === null) && typeof imports !== 'function') {
    throw wrongArgument('imports must be an object');
  }
}

function importsOf(module: CompiledModule, imports: unknown): unknown {
  requireImports(imports);
  if (imports === undefined && wantedImports(module).length > 0) throw wrongArgument('imports must be an object');
  return imports;
}

function exportsObject(exports: readonly NamedExport[]): Exports {
  const made = createObject(null) as Exports;
  // It has no prototype, so nobody is asked; frozen, they are as if each had been defined so.
  each(exports, ({ name, object }) => {
    made[name] = wrapExport(object);
  });
  return freeze(made);
}

/** Made by this module from what is already there. */
class FromMade {
  constructor(readonly made: MadeInstance) {}
}

function link(module: Module, imports: unknown): MadeInstance {
  const compiled = compiledOf(module);
  const engine = theEngine();
  const resolved = resolveImports(engine, compiled, importsOf(compiled, imports), unwrap);
  const memories = instanceMemories(engine, compiled, resolved);
  const code = compiled.code(neededVariant(engine, resolved, memories));
  return makeInstance(engine, compiled, resolved, memories, code);
}

let objectOf: (value: unknown) => InstanceObject | undefined;

/** An instance of a module. `E` is what the caller knows of its exports. */
export class Instance<E extends Exports = Exports> {
  readonly #object: InstanceObject;
  readonly #exports: E;

  /** Links and runs the start function. Throws LinkErrors, and what start throws. */
  constructor(module: Module, imports?: Imports) {
    const given: unknown = module;
    const { object, exports } = given instanceof FromMade ? given.made : link(module, imports);
    this.#object = object;
    this.#exports = exportsObject(exports) as E;
  }

  static {
    objectOf = (value) => (typeof value === 'object' && value !== null && #object in value ? value.#object : undefined);
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (!(#object in this)) return this;
    // Without its missing prototype, of which nobody wants to be told.
    return view('Instance', { module: this.#object.label, exports: { ...this.#exports } }, 'WebAssembly.Instance');
  }

  /** What the module exports, by name. Frozen, without prototype. */
  get exports(): E {
    return this.#exports;
  }
}

/** Like the constructor; what must still be compiled is compiled by worker threads. @internal */
export async function makeInstanceOf<E extends Exports = Exports>(module: Module, imports: unknown): Promise<Instance<E>> {
  const compiled = compiledOf(module);
  const engine = theEngine();
  const resolved = resolveImports(engine, compiled, importsOf(compiled, imports), unwrap);
  const memories = instanceMemories(engine, compiled, resolved);
  const variant = neededVariant(engine, resolved, memories);
  await compiled.prepare(variant);
  const made = makeInstance(engine, compiled, resolved, memories, compiled.code(variant));
  return new Instance<E>(new FromMade(made) as unknown as Module);
}

asInterface(Module, { name: 'Module', length: 1, statics: ['exports', 'imports', 'customSections'] });
asInterface(Instance, { name: 'Instance', length: 1 });

/**
 * Lets go of every JavaScript value that an instance holds: its imports, and the values in its own globals and tables. That breaks a cycle of an import that holds
 * the instance's exports, which neither V8 nor Heddle can see as garbage. A later call of such an import throws an error with code HEDDLE_DISPOSED.
 */
export function dispose(instance: Instance): void {
  const object = objectOf(instance);
  if (object === undefined) throw wrongArgument("the argument is not an Instance of Heddle's");
  object.dispose();
}

/** Whether bytes are a module that would compile with these options: valid, and within the limits of docs/limits.md. */
export function validate(bytes: BytesSource, options: ModuleOptions | undefined = undefined): boolean {
  const read = readModuleOptions(options);
  try {
    requireProvidable(requireCompilable(copyBytes(bytes)), read);
    return true;
  } catch (error) {
    if (isInstance(error, V8.CompileError)) return false;
    throw error;
  }
}

/** Compiles, large modules with worker threads. Rejects with a CompileError that has offset and code. */
export async function compile(bytes: BytesSource, options: ModuleOptions | undefined = undefined): Promise<Module> {
  return wrapModule(await CompiledModule.compile(theEngine(), copyBytes(bytes), options));
}

/** The values of an object's own properties, without those that code would have to give. */
function ownValues(object: unknown): unknown[] {
  if (typeof object !== 'object' || object === null) return [];
  return mapped(values(getOwnPropertyDescriptors(object)), (descriptor) =>
    hasOwn(descriptor, 'value') ? getProperty(descriptor, 'value') : undefined,
  );
}

/** Whether an import object has a `Suspending`. Reads no property that would run code: it only saves a second compile. */
function mentionsSuspending(imports: Imports | undefined): boolean {
  return some(ownValues(imports), (module) => some(ownValues(module), (value) => suspendingOf(value) !== undefined));
}

/** An instance of a module. Rejects with a LinkError, and with what the start function throws. */
export async function instantiate<E extends Exports = Exports>(module: Module, imports?: Imports): Promise<Instance<E>>;
/** Compiles bytes, large modules with worker threads, and makes an instance. Rejects with a CompileError or a LinkError, and with what the start function throws. */
export async function instantiate<E extends Exports = Exports>(
  bytes: BytesSource,
  imports?: Imports,
  options?: ModuleOptions,
): Promise<InstantiatedSource<E>>;
export async function instantiate<E extends Exports = Exports>(
  source: Module | BytesSource,
  imports: Imports | undefined = undefined,
  options: ModuleOptions | undefined = undefined,
): Promise<Instance<E> | InstantiatedSource<E>> {
  requireImports(imports);
  if (source instanceof Module) return makeInstanceOf(source, imports);
  const module = wrapModule(await CompiledModule.compile(theEngine(), copyBytes(source), options, mentionsSuspending(imports)));
  return { module, instance: await makeInstanceOf(module, imports) };
}

/** The bytes of a response, as WebAssembly's web API has it: of type application/wasm, a success, and not read yet. */
async function responseBytes(source: Response | PromiseLike<Response>): Promise<ArrayBuffer> {
  const response: unknown = await source;
  // asks: the class of Responses that there is now, which Node loads when it is first asked for
  if (typeof Response !== 'function' || !(response instanceof Response)) throw wrongArgument('a Response, or a promise of one, is needed');
  // asks: the caller's response
  const { headers, ok, status, bodyUsed } = response;
  // asks: its headers
  const type = headers.get('Content-Type');
  if (type !== 'application/wasm') throw badResponse(`has the MIME type ${quoted(`${type}`)}, not application/wasm`);
  if (!ok) throw badResponse(`has status code ${status}`);
  if (bodyUsed) throw badResponse('body has been used');
  // asks: the caller's response
  return response.arrayBuffer();
}

/** {@link compile} of a response's body, once all of it is there. Rejects with a TypeError for what is no such response. */
export async function compileStreaming(
  source: Response | PromiseLike<Response>,
  options: ModuleOptions | undefined = undefined,
): Promise<Module> {
  return compile(await responseBytes(source), options);
}

/** {@link instantiate} of a response's body, once all of it is there. Rejects with a TypeError for what is no such response. */
export async function instantiateStreaming<E extends Exports = Exports>(
  source: Response | PromiseLike<Response>,
  imports: Imports | undefined = undefined,
  options: ModuleOptions | undefined = undefined,
): Promise<InstantiatedSource<E>> {
  requireImports(imports);
  return instantiate<E>(await responseBytes(source), imports, options);
}

/** A module of an artifact that was compiled before. It stays on its thread. @internal */
export function moduleOfArtifact(bytes: Uint8Array, artifact: Artifact): Module {
  const compiled = CompiledModule.fromArtifact(theEngine(), bytes, artifact);
  return new Module(new FromCompiled(compiled, false) as unknown as BytesSource);
}
