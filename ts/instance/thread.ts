/**
 * What modules and instances need of their thread. The engine has it all; it is the one that composes.
 */
import type { Native } from '../link/native.js';
import type { TypeRegistry } from '../validate/registry.js';
import type { Compiling } from './compiling.js';
import type { Conversions } from './functions/conversions.js';
import type { ExportedFunctions } from './functions/exports.js';
import type { HostValues } from './functions/host_values.js';
import type { ImportedFunctions } from './functions/imports.js';
import type { LazyCodes } from './lazy_code.js';
import type { Names } from './messages/names.js';
import type { Tags } from './tags.js';

/** One thread's parts. */
export interface Thread {
  readonly native: Native;
  readonly types: TypeRegistry;
  readonly names: Names;
  readonly tags: Tags;
  readonly compiling: Compiling;
  /** Code whose functions are made at their first calls. */
  readonly lazyCodes: LazyCodes;
  /** What is under `any` and `extern`. */
  readonly values: HostValues;
  readonly convert: Conversions;
  /** Functions of WebAssembly that JavaScript has. */
  readonly exports: ExportedFunctions;
  /** Functions of JavaScript that WebAssembly has. */
  readonly imports: ImportedFunctions;
}
