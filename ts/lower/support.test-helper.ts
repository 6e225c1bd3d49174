/**
 * For the tests of this folder: text to lowered and compiled code.
 */
import { readFileSync } from 'node:fs';
import { type Codegen, instantiate, type Output } from '../../codegen/dist/heddle_codegen.js';
import type { ModuleDescription } from '../validate/description.js';
import { lowerFunction } from './lower.js';
import { InlineCandidates } from './module/candidates.js';
import { type LoweringContext, type LoweringOptions, loweringContext } from './module/context.js';
import { moduleHandlers } from './module/handlers.js';
import { findStackPointer, shadowCode } from './module/stack_pointer.js';
import { lowerTrampolines } from './stubs/trampolines.js';

/** The instruction sets that everything is compiled for. */
export const TARGETS = [
  { triple: 'x86_64-unknown-linux-gnu', settings: 'has_sse3,has_ssse3,has_sse41,has_sse42,has_popcnt,has_cmpxchg16b' },
  { triple: 'aarch64-unknown-linux-gnu', settings: '' },
] as const;

/** What every test turns on. */
const VERIFIED = 'enable_verifier=true';

const bytes = readFileSync(new URL('../../codegen/dist/heddle_codegen.wasm', import.meta.url));

/** The code generator. */
export const codegen: Codegen = instantiate(new WebAssembly.Module(bytes));

/** A module that was lowered. */
export interface Lowered {
  readonly description: ModuleDescription;
  readonly context: LoweringContext;
  /** The program of each defined function. */
  readonly programs: readonly Int32Array[];
  /** The inlined locations of each defined function. */
  readonly inlined: readonly Int32Array[];
  readonly trampolines: Int32Array;
}

/** Lowers a binary module, with the checks of debug mode. */
export function lowerBinary(binary: Uint8Array, options: Partial<LoweringOptions> = {}, features = 0): Lowered {
  const info = new codegen.ModuleInfo(binary, features, true);
  try {
    const description: ModuleDescription = {
      ...JSON.parse(info.describe()),
      types: info.types(),
      functions: info.functions(),
      bodies: info.bodies(),
      elements: info.elements(),
      data: info.data(),
    };
    const handlers = moduleHandlers(description, binary, (i) => info.ops(i));
    const candidates = new InlineCandidates(description, binary, (i) => info.ops(i));
    const pointer = findStackPointer(description, binary, (i) => info.ops(i), null);
    const context = loweringContext(description, { debug: true, ...options }, handlers, candidates, shadowCode(description, pointer, true));
    const functions = Array.from(description.functions, (_, i) => lowerFunction(context, i, info.ops(i)));
    const programs = functions.map(({ program }) => program);
    const inlined = functions.map((one) => one.inlined);
    return { description, context, programs, inlined, trampolines: lowerTrampolines(context) };
  } finally {
    info.free();
  }
}

/** Lowers a module in text. */
export function lowerText(text: string, options: Partial<LoweringOptions> = {}, features = 0): Lowered {
  return lowerBinary(codegen.parse_wat(text), options, features);
}

/** The oldest CPUs: the lowering must be told with `OLDEST` that they cannot round and shuffle; and an aarch64 with atomic instructions. */
export const OTHER_TARGETS: readonly Target[] = [
  { triple: 'x86_64-unknown-linux-gnu', settings: '' },
  { triple: 'aarch64-unknown-linux-gnu', settings: 'has_lse' },
];
export const OLDEST: Partial<LoweringOptions> = { rounds: false, shuffles: false };

interface Target {
  readonly triple: string;
  readonly settings: string;
}

const settingsOf = (target: Target): string => [VERIFIED, target.settings].filter(Boolean).join(',');

/** Calls `use` with the compiler of a module for a target. */
function withCompiler<T>(lowered: Lowered, target: Target, use: (compiler: InstanceType<Codegen['Compiler']>) => T): T {
  const { signatures, functionSignatures } = lowered.context.signatures;
  const compiler = new codegen.Compiler(target.triple, settingsOf(target), signatures, functionSignatures);
  try {
    return use(compiler);
  } finally {
    compiler.free();
  }
}

/** Compiles everything for every target, with Cranelift's verifier; returns the bytes of code per target. */
export function compileAll(lowered: Lowered, targets: readonly Target[] = TARGETS): number[] {
  return targets.map((target) =>
    withCompiler(lowered, target, (compiler) => {
      let size = 0;
      for (const program of [...lowered.programs, lowered.trampolines]) {
        const output: Output = compiler.compile(program);
        size += output.code.length;
        output.free();
      }
      return size;
    }),
  );
}

/** The CLIF text of a program. */
export function clifText(lowered: Lowered, program: Int32Array): string {
  return withCompiler(lowered, TARGETS[0], (compiler) => compiler.clif(program));
}

/** The machine code of a program for a target. */
export function compileOne(lowered: Lowered, program: Int32Array, target: Target): Uint8Array {
  return withCompiler(lowered, target, (compiler) => {
    const output = compiler.compile(program);
    const { code } = output;
    output.free();
    return code;
  });
}

/** The machine code of printed CLIF. */
export function compilePrinted(text: string, target: Target): Uint8Array {
  return codegen.compile_text(target.triple, settingsOf(target), text);
}

/** The trap codes in the code of a defined function, for each target. */
export function trapCodes(lowered: Lowered, definedIndex: number): number[][] {
  return TARGETS.map((target) =>
    withCompiler(lowered, target, (compiler) => {
      const output = compiler.compile(lowered.programs[definedIndex] as Int32Array);
      const codes = Array.from(output.traps).filter((_, i) => i % 2 === 1);
      output.free();
      return codes;
    }),
  );
}
