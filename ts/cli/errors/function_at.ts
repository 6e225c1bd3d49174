/** The function that an offset in a module's bytes belongs to. */
import { withCrate } from '../../source/crate.js';
import { FEATURE_BITS } from '../../validate/validate.js';

/** A function of a module. */
export interface FunctionPlace {
  /** In the function index space. */
  readonly index: number;
  /** Of the name section, or of an export. */
  readonly name?: string;
  /** Which of the functions that the module defines. */
  readonly defined: number;
  /** Where its body begins and ends. */
  readonly start: number;
  readonly end: number;
}

interface Imports {
  readonly imports: readonly { readonly kind: string }[];
  readonly exports: readonly { readonly kind: string; readonly name: string; readonly index: number }[];
}

/** The function whose body has the offset; undefined where none has, or where the module is too broken to tell. */
export function functionAt(bytes: Uint8Array, offset: number): FunctionPlace | undefined {
  try {
    return withCrate((crate) => {
      // Not validated: the description is of what comes before the code.
      const info = new crate.ModuleInfo(bytes, FEATURE_BITS, false);
      try {
        const bodies = info.bodies();
        let defined = 0;
        while (2 * defined < bodies.length && (bodies[2 * defined + 1] ?? 0) <= offset) defined++;
        const start = bodies[2 * defined];
        const end = bodies[2 * defined + 1];
        if (start === undefined || end === undefined || offset < start) return undefined;
        const { imports, exports } = JSON.parse(info.describe()) as Imports;
        const index = imports.filter(({ kind }) => kind === 'func').length + defined;
        const { functions } = JSON.parse(info.names()) as { readonly functions: readonly (readonly [number, string])[] };
        const name = functions.find(([named]) => named === index)?.[1] ?? exports.find((e) => e.kind === 'func' && e.index === index)?.name;
        return { index, defined, start, end, ...(name !== undefined && { name }) };
      } finally {
        info.free();
      }
    });
  } catch {
    return undefined;
  }
}
