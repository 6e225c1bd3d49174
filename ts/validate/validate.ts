/**
 * Validation: bytes to a description, by the crate.
 */
import { invalidModule } from '../errors/catalog.js';
import { FEATURE } from '../generated/clif.js';
import { isBinary } from '../source/bytes.js';
import { withCrate } from '../source/crate.js';
import { hereOrElsewhere } from '../source/elsewhere.js';
import type { DescriptionJson, ModuleDescription } from './description.js';

/** Features beyond WebAssembly 3.0 and stack switching (contract/clif.ts, FEATURES). */
export const FEATURE_BITS = FEATURE.threads | FEATURE.legacyExceptions | FEATURE.customPageSizes;

/** Names for people, from the name section. */
export interface ModuleNames {
  readonly module: string | null;
  readonly functions: ReadonlyMap<number, string>;
  readonly tags: ReadonlyMap<number, string>;
}

/** What validation found out. */
export interface Validated {
  readonly description: ModuleDescription;
  readonly names: ModuleNames;
}

interface NamesJson {
  readonly module: string | null;
  readonly functions: readonly (readonly [number, string])[];
  readonly tags: readonly (readonly [number, string])[];
}

const MAGIC_BYTES = 4;

/** What is said of bytes that are no module at all, in V8's words; and what to do with text. */
function noModule(bytes: Uint8Array): string {
  const found = [...bytes.subarray(0, MAGIC_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const text = /^\s*(\(|;;)/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'))
    ? ': it looks like text, which parseWat assembles'
    : '';
  return `no WebAssembly module: expected magic word 00 61 73 6d, found ${found}${text}`;
}

/** The crate's JSON of a validation error of these bytes as a typed error; other errors as they are. */
function validationError(error: unknown, bytes: Uint8Array): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('{')) return error;
  if (bytes.length >= MAGIC_BYTES && !isBinary(bytes)) return invalidModule(noModule(bytes), 0);
  const { message, offset } = JSON.parse(error.message) as { message: string; offset: number };
  return invalidModule(message, offset);
}

/** Checks a module whole. Throws a CompileError with code HEDDLE_INVALID_MODULE and the offset. */
export function checkModule(bytes: Uint8Array): void {
  hereOrElsewhere('check', bytes, () =>
    withCrate((crate) => {
      try {
        crate.ModuleInfo.check(bytes, FEATURE_BITS);
      } catch (error) {
        throw validationError(error, bytes);
      }
    }),
  );
}

/**
 * Checks a module whole, in the language that the bits of `features` say, and describes it. Throws a CompileError with code HEDDLE_INVALID_MODULE and the
 * offset.
 */
export function validateModule(bytes: Uint8Array, features: number = FEATURE_BITS): Validated {
  return withCrate((crate) => {
    try {
      const info = new crate.ModuleInfo(bytes, features, true);
      try {
        const json = JSON.parse(info.describe()) as DescriptionJson;
        const names = JSON.parse(info.names()) as NamesJson;
        return {
          description: {
            ...json,
            types: info.types(),
            functions: info.functions(),
            bodies: info.bodies(),
            elements: info.elements(),
            data: info.data(),
          },
          names: { module: names.module, functions: new Map(names.functions), tags: new Map(names.tags) },
        };
      } finally {
        info.free();
      }
    } catch (error) {
      throw validationError(error, bytes);
    }
  });
}
