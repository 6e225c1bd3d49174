// Made by scripts/build_codegen.mjs from the declarations that wasm-bindgen wrote: do not edit.
/**
 * Compiles the functions of one module for one target.
 */
export declare class Compiler {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The compiled program as Cranelift prints machine code.
     */
    asm(program: Int32Array | number[]): string;
    /**
     * The program as CLIF text.
     */
    clif(program: Int32Array | number[]): string;
    /**
     * Compiles every function of the program.
     */
    compile(program: Int32Array | number[]): Output;
    /**
     * `settings`: `name=value,…`; `signatures` and `function_signatures` as in contract/formats.md, section 4.
     */
    constructor(triple: string, settings: string, signatures: Int32Array | number[], function_signatures: Uint32Array | number[]);
}

/**
 * A module that is valid, function bodies included.
 */
export declare class ModuleInfo {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Start and end of each body, byte offsets in the module.
     */
    bodies(): Uint32Array;
    /**
     * Validates the whole, and keeps nothing.
     * Errors: JSON with message and offset.
     */
    static check(bytes: Uint8Array | number[], feature_bits: number): void;
    /**
     * Data segments, flat.
     */
    data(): Uint32Array;
    /**
     * JSON of everything but types, functions, elements and data.
     */
    describe(): string;
    /**
     * Element segments, flat; to be asked for once: of ten million no second list is made.
     */
    elements(): Uint32Array;
    /**
     * Type index of each defined function.
     */
    functions(): Uint32Array;
    /**
     * JSON of the name section.
     */
    names(): string;
    /**
     * Validates. `check_bodies` false leaves function bodies unchecked: for a worker thread whose parent checked the same bytes.
     * Errors: JSON with message and offset.
     */
    constructor(bytes: Uint8Array | number[], feature_bits: number, check_bodies: boolean);
    /**
     * The operator stream of defined function `index`.
     */
    ops(index: number): Uint32Array;
    /**
     * The types, flat.
     */
    types(): Uint32Array;
}

/**
 * Compiled functions, one after another, each at a multiple of 32 bytes.
 */
export declare class Output {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * return offset, frame offset or -1, context SP offset or -1, n, (tag or -1, handler offset)*
     */
    readonly calls: Int32Array;
    /**
     * Machine code; between functions zeros.
     */
    readonly code: Uint8Array;
    /**
     * number, bytes of its frame, 1 where the machine code compares sp with the stack limit
     */
    readonly frames: Int32Array;
    /**
     * number, offset, size
     */
    readonly functions: Int32Array;
    /**
     * offset, kind, function number, addend
     */
    readonly relocations: Int32Array;
    /**
     * start offset, source location (-1 none)
     */
    readonly sources: Int32Array;
    /**
     * return offset, frame span, n, SP offsets
     */
    readonly stackMaps: Int32Array;
    /**
     * offset, trap code
     */
    readonly traps: Int32Array;
}

/**
 * A script: directives as JSON, and the modules' bytes they point into.
 */
export declare class Script {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    readonly binaries: Uint8Array;
    readonly json: string;
}

/**
 * Machine code of the functions in a CLIF text, one after another as `Compiler.compile` places them: tests compare bytes.
 */
declare function compile_text(triple: string, settings: string, clif: string): Uint8Array;

/**
 * Parses a script. Errors as `parse_wat`.
 */
declare function parse_wast(text: string): Script;

/**
 * Text to binary. Errors: JSON with message, line and column from 1.
 */
declare function parse_wat(text: string): Uint8Array;

/**
 * JSON of Cranelift's opcode numbers and condition codes by name: what ts/generated/clif.ts is made from.
 */
declare function tables(): string;

/** What one instance of the code generator offers. After a panic make a fresh one. */
export interface Codegen {
  Compiler: typeof Compiler;
  ModuleInfo: typeof ModuleInfo;
  Output: typeof Output;
  Script: typeof Script;
  compile_text: typeof compile_text;
  parse_wast: typeof parse_wast;
  parse_wat: typeof parse_wat;
  tables: typeof tables;
}

/** A fresh instance of the code generator, from `heddle_codegen.wasm` compiled, made with V8's own WebAssembly. */
export declare function instantiate(module: WebAssembly.Module, namespace?: typeof WebAssembly): Codegen;
