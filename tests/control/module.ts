/** What the tests of this folder share: instances from text, and what a call ended with. */
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

/** Exports that are functions, by name. */
export type Functions = Record<string, (...args: unknown[]) => unknown>;

/** An instance of a module in text. */
export function instance(text: string, imports: Record<string, Record<string, unknown>> = {}): Functions {
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), imports).exports as Functions;
}

/** What a call throws. */
export function thrown(run: () => unknown): { readonly name?: unknown; readonly code?: unknown; readonly message?: unknown } {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** Some text once for each number below `count`. */
export function rows(count: number, make: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => make(i)).join(' ');
}
