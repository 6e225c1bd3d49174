/** What decides which machine code a module becomes. All of it is in an artifact's key. */
import { hex, sha256 } from '../base/digest.js';
import { contains, env, joined, joinedLists, parsedJson, readText, StringValue, sliced, sorted, values } from '../base/intrinsics.js';
import { CONTRACT } from '../generated/abi.js';
import type { LoweringOptions } from '../lower/module/context.js';
import type { StackPointerChoice } from '../lower/module/stack_pointer.js';
import { isBuilt, packagePath } from '../source/package_root.js';
import { hashBuild } from './build_hash.js';

/** The instruction sets, by Node's names. */
export type Target = 'x64' | 'arm64';

/** How a module is compiled. */
export interface CompileSettings {
  readonly target: Target;
  /** Cranelift's names of CPU features that the code may use, sorted. */
  readonly cpu: readonly string[];
  /** Every access of a linear memory is checked; without it the memories must have guards. */
  readonly checked: boolean;
  /** Loops can be stopped. */
  readonly interruptible: boolean;
  /** Small functions that switch stacks are inlined where they are called. */
  readonly inline: boolean;
  /** Each raw store into a continuation's or exception's buffer is checked as it is made: a trap then is a bug of Heddle. */
  readonly debugStores: boolean;
  /** Locals lie in frames, in every function: for tests. */
  readonly debugSlots: boolean;
  /** Which global is the shadow stack's pointer. */
  readonly stackPointer: StackPointerChoice;
  /** What code sets that global to is checked against its limit. */
  readonly stackChecks: boolean;
  /** Cranelift's verifier and the lowering's own checks run; no difference in the code. */
  readonly verify: boolean;
  /** WebAssembly features beyond the standard: bit set of contract/clif.ts, FEATURES. */
  readonly features: number;
}

/** Everything that an artifact depends on, by name, as it is stored in the artifact. */
export interface ArtifactKey {
  readonly format: number;
  /** SHA-256 of the module's bytes. */
  readonly module: string;
  /** Hash of the lowering, the code generator and all between. */
  readonly build: string;
  /** Hash of contract/abi.ts. */
  readonly contract: string;
  /** Version of the package, and so of the addon. */
  readonly version: string;
  readonly settings: CompileSettings;
}

/** Counts changes of the artifact's own format. */
export const ARTIFACT_FORMAT = 5;

/** What is assumed of a CPU that is not this one: x86-64-v2, for speed (all works with none), and the first aarch64. */
const BASELINE: Readonly<Record<Target, readonly string[]>> = {
  x64: ['has_cmpxchg16b', 'has_popcnt', 'has_sse3', 'has_sse41', 'has_sse42', 'has_ssse3'],
  arm64: [],
};

const TRIPLES: Readonly<Record<Target, string>> = {
  x64: 'x86_64-unknown-linux-gnu',
  arm64: 'aarch64-unknown-linux-gnu',
};

/** CPU features that code for another machine may use. */
export function baselineFeatures(target: Target): readonly string[] {
  return BASELINE[target];
}

/** Settings with their defaults. `cpu` are the features of the machine that will run the code. */
export function compileSettings(target: Target, cpu: readonly string[], options: Partial<CompileSettings> = {}): CompileSettings {
  return {
    target,
    cpu: sorted(cpu),
    checked: options.checked ?? false,
    interruptible: options.interruptible ?? true,
    inline: options.inline ?? env['HEDDLE_INLINE'] !== '0',
    debugStores: options.debugStores ?? env['HEDDLE_DEBUG_STORES'] === '1',
    debugSlots: options.debugSlots ?? env['HEDDLE_DEBUG_SLOTS'] === '1',
    stackPointer: options.stackPointer ?? null,
    stackChecks: options.stackChecks ?? false,
    verify: options.verify ?? env['HEDDLE_VERIFY'] === '1',
    features: options.features ?? 0,
  };
}

/** How operators are lowered for these settings. */
export function loweringOptions({
  target,
  cpu,
  checked,
  interruptible,
  verify,
  debugStores,
  debugSlots,
}: CompileSettings): LoweringOptions {
  const has = (feature: string): boolean => target !== 'x64' || contains(cpu, feature);
  return {
    checked,
    interruptible,
    debug: verify,
    debugStores,
    debugSlots,
    rounds: has('has_sse41'),
    shuffles: has('has_ssse3'),
    fuses: has('has_fma'),
  };
}

/** The code generator's target triple and settings. */
export function compilerArguments(settings: CompileSettings): { readonly triple: string; readonly settings: string } {
  const all = settings.verify ? joinedLists(['enable_verifier=true'], settings.cpu) : settings.cpu;
  return { triple: TRIPLES[settings.target], settings: joined(all, ',') };
}

/** SHA-256 of a module's bytes, in hexadecimal. */
export function moduleHash(module: Uint8Array): string {
  return hex(sha256(module));
}

/** The key of the artifact that these bytes and settings make; `hash` is {@link moduleHash} of the bytes, where it is known. */
export function artifactKey(module: Uint8Array, settings: CompileSettings, hash: string = moduleHash(module)): ArtifactKey {
  return {
    format: ARTIFACT_FORMAT,
    module: hash,
    build: buildId(),
    contract: CONTRACT,
    version: packageVersion(),
    settings,
  };
}

/** One part of a key after another, each with its length, so that no two keys are one text. */
function keyText(parts: readonly (string | number | boolean | null)[]): string {
  let text = '';
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string | number | boolean | null;
    const word = `${typeof part} ${part}`;
    text += `${word.length} ${word}\n`;
  }
  return text;
}

/** The key's hash: what an entry of the cache is named by. Everything that a key has is in it. */
export function keyHash({ format, module, build, contract, version, settings }: ArtifactKey): Buffer {
  const { target, cpu, checked, interruptible, inline, debugStores, debugSlots, stackPointer, stackChecks, verify, features, ...rest } =
    settings;
  // TypeScript says here where a setting is forgotten.
  const none: Readonly<Record<string, never>> = rest;
  const own = [
    format,
    module,
    build,
    contract,
    version,
    target,
    checked,
    interruptible,
    inline,
    debugStores,
    debugSlots,
    stackPointer,
    stackChecks,
  ];
  return sha256('artifact\n', keyText(own), keyText([verify, features, cpu.length]), keyText(cpu), keyText(values(none)));
}

let build: string | undefined;

/**
 * Hash of everything between a module and its code: the built files of lowering and compiling, and the code generator's manifest. The build writes it
 * beside its output; where the sources themselves run, it is made from them.
 */
export function buildId(): string {
  build ??= isBuilt() ? sliced(readText(packagePath('dist/ts/build_id.txt')), 0, 64) : hashBuild('ts');
  return build;
}

let version: string | undefined;

/** The version in package.json. */
export function packageVersion(): string {
  version ??= StringValue((parsedJson(readText(packagePath('package.json'))) as { readonly version: unknown }).version);
  return version;
}
