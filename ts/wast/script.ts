/**
 * The specification's scripts as data (contract/formats.md, section 7).
 */
import { textError } from '../source/bytes.js';
import { withCrate } from '../source/crate.js';
import { flattenLegacyTry } from '../source/legacy_text.js';

/** A value in a script. */
export interface ScriptValue {
  readonly type: string;
  /** A decimal string, a NaN pattern, "null", or absent for any reference; lanes of a v128. */
  readonly value?: string | readonly string[];
  readonly lane?: string;
  /** Of `either`. */
  readonly values?: readonly ScriptValue[];
}

/** What a script asks an instance to do. */
export interface Action {
  readonly type: 'invoke' | 'get';
  /** Name of the instance, null for the last one. */
  readonly module: string | null;
  readonly field: string;
  readonly args?: readonly ScriptValue[];
}

/** A directive. Fields are there as its type has them. */
export interface Directive {
  readonly type: string;
  readonly line: number;
  readonly name?: string | null;
  readonly module?: string | null;
  readonly as?: string;
  readonly text?: string | null;
  /** Range of the module's bytes. */
  readonly start?: number;
  readonly length?: number;
  /** Why the module's text could not be assembled. */
  readonly error?: string;
  readonly action?: Action;
  readonly expected?: readonly ScriptValue[];
  /** Of `thread`: the name of the instance that the thread shares, and what it runs. */
  readonly shared?: string | null;
  readonly directives?: readonly Directive[];
  /** Of `wait`: the thread's name. */
  readonly thread?: string;
}

/** A parsed script. */
export interface Script {
  readonly directives: readonly Directive[];
  readonly binaries: Uint8Array;
}

/** Parses a script. Throws a CompileError with code HEDDLE_INVALID_TEXT. */
export function parseScript(text: string): Script {
  return withCrate((crate) => {
    try {
      const script = crate.parse_wast(flattenLegacyTry(text));
      try {
        return { directives: JSON.parse(script.json) as Directive[], binaries: script.binaries };
      } finally {
        script.free();
      }
    } catch (error) {
      throw textError(error);
    }
  });
}
