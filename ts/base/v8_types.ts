/**
 * What Heddle needs of the declarations of V8's own `WebAssembly`. TypeScript has them in its DOM library alone, which programs for Node do without, and which knows
 * nothing of a `code`.
 */

/** V8's own classes, as types. */
export declare namespace WebAssembly {
  /** A linear memory, V8's own. */
  interface Memory {
    /** The bytes. Growing detaches it, unless the memory is shared. */
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB; returns how many there were. Throws a RangeError where it cannot. */
    grow(delta: number): number;
  }

  /** What `new Memory` takes. */
  interface MemoryDescriptor {
    /** Pages of 64 KiB that it has at first. */
    initial: number;
    /** Pages that it may have. A shared memory needs it. */
    maximum?: number;
    /** Whether other threads may have it as well. */
    shared?: boolean;
  }

  /** A module that V8 has compiled. */
  // biome-ignore lint/suspicious/noEmptyInterface: V8's has no members
  interface Module {}

  /** One import of a module. */
  interface ModuleImportDescriptor {
    /** What is imported. */
    kind: 'function' | 'global' | 'memory' | 'table' | 'tag';
    /** The module that it is imported from. */
    module: string;
    /** Its name there. */
    name: string;
  }

  /** One export of a module. */
  interface ModuleExportDescriptor {
    /** What is exported. */
    kind: ModuleImportDescriptor['kind'];
    /** By which name. */
    name: string;
  }

  /** An instance that V8 has made. */
  interface Instance {
    /** What it exports, by name. */
    // biome-ignore lint/suspicious/noExplicitAny: as in Heddle's own
    readonly exports: Record<string, any>;
  }

  /** Imports by module and name. */
  type Imports = Record<string, Record<string, unknown>>;

  /** An error of WebAssembly. */
  interface Coded extends Error {
    /** Stable, for programs: `HEDDLE_…`. Absent where it is not Heddle that made the error. */
    readonly code?: string;
    /** Byte offset in the module, where the error has a place there. */
    readonly offset?: number;
  }

  /** The module is not valid, or is not one that can be compiled. */
  interface CompileError extends Coded {}

  /** The imports are not those that the module needs. */
  interface LinkError extends Coded {}

  /** A trap: WebAssembly did what cannot be done, such as a division by zero. */
  interface RuntimeError extends Coded {}

  /** WebAssembly would have to wait for a promise, and cannot. */
  interface SuspendError extends Coded {}
}

/** A class of errors. */
export interface ErrorClass<E extends Error> {
  /** An error with a message. */
  new (message?: string, options?: ErrorOptions): E;
  /** The same. */
  (message?: string, options?: ErrorOptions): E;
  /** What instances inherit from. */
  readonly prototype: E;
}

/** The class SuspendError: V8's own, or the same class of Heddle's where V8 has none. */
export interface SuspendErrorClass {
  /** An error with a message. */
  new (message?: string, options?: ErrorOptions): WebAssembly.SuspendError;
  /** What instances inherit from. */
  readonly prototype: WebAssembly.SuspendError;
}

/** V8's class of memories. */
export interface MemoryClass {
  /** Throws a TypeError or RangeError for a wrong descriptor, a RangeError where there is no room. */
  new (descriptor: WebAssembly.MemoryDescriptor): WebAssembly.Memory;
  /** What instances inherit from. */
  readonly prototype: WebAssembly.Memory;
}

/** V8's `WebAssembly` itself. */
export interface V8WebAssembly {
  /** V8's class of compiled modules. */
  readonly Module: {
    /** Compiles bytes. Throws a CompileError for what is no valid module. */
    new (bytes: ArrayBuffer | ArrayBufferView): WebAssembly.Module;
    /** What instances inherit from. */
    readonly prototype: WebAssembly.Module;
    /** Copies of the custom sections of a name. */
    customSections(module: WebAssembly.Module, name: string): ArrayBuffer[];
    /** What it exports, in order. */
    exports(module: WebAssembly.Module): WebAssembly.ModuleExportDescriptor[];
    /** What it imports, in order. */
    imports(module: WebAssembly.Module): WebAssembly.ModuleImportDescriptor[];
  };
  /** V8's class of instances. */
  readonly Instance: {
    /** Throws a LinkError for imports that are not those of the module. */
    new (module: WebAssembly.Module, imports?: WebAssembly.Imports): WebAssembly.Instance;
    /** What instances inherit from. */
    readonly prototype: WebAssembly.Instance;
  };
  /** V8's class of memories, which is also Heddle's. */
  readonly Memory: MemoryClass;
  /** V8's class of tables. */
  readonly Table: {
    /** What instances inherit from. */
    readonly prototype: object;
  };
  /** The module is not valid. */
  readonly CompileError: ErrorClass<WebAssembly.CompileError>;
  /** The imports are not those that the module needs. */
  readonly LinkError: ErrorClass<WebAssembly.LinkError>;
  /** A trap. */
  readonly RuntimeError: ErrorClass<WebAssembly.RuntimeError>;
  /** Whether bytes are a valid module. */
  validate(bytes: ArrayBuffer | ArrayBufferView): boolean;
  /** Compiles bytes. */
  compile(bytes: ArrayBuffer | ArrayBufferView): Promise<WebAssembly.Module>;
  /** An instance of a module. */
  instantiate(module: WebAssembly.Module, imports?: WebAssembly.Imports): Promise<WebAssembly.Instance>;
  /** Compiles bytes, and makes an instance. */
  instantiate(
    bytes: ArrayBuffer | ArrayBufferView,
    imports?: WebAssembly.Imports,
  ): Promise<{
    /** What the bytes are. */
    module: WebAssembly.Module;
    /** What was made of it. */
    instance: WebAssembly.Instance;
  }>;
}

/** The global `WebAssembly` when Heddle is loaded: V8's. */
export const loadedWebAssembly: V8WebAssembly = Reflect.get(globalThis, 'WebAssembly') as V8WebAssembly;
