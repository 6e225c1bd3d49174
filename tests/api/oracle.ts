/**
 * V8's WebAssembly as the oracle for Heddle's: the same bytes and the same calls on both, and what came of it as text that can be compared.
 */
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

/** Values of modules' exports, whose types TypeScript does not know. */
export interface Exported {
  (...args: unknown[]): unknown;
  value: unknown;
  readonly length: number;
  get(index: unknown): unknown;
  set(...args: unknown[]): void;
  grow(...args: unknown[]): number;
  readonly buffer: ArrayBuffer;
}

/** An instance of either engine. */
export interface AnyInstance {
  readonly exports: Record<string, Exported>;
}

/** A constructor that is also called wrongly. */
type Loose<T> = (new (...args: unknown[]) => T) & ((...args: unknown[]) => never);

/** The part of the JS API that both engines have, with types that let tests call it wrongly. */
export interface Api {
  readonly Module: Loose<object> & {
    exports(...args: unknown[]): { name: string; kind: string }[];
    imports(...args: unknown[]): { module: string; name: string; kind: string }[];
    customSections(...args: unknown[]): ArrayBuffer[];
  };
  readonly Instance: Loose<AnyInstance>;
  readonly Table: Loose<Exported>;
  readonly Global: Loose<Exported>;
  readonly Memory: Loose<Exported>;
  readonly Tag: Loose<object>;
  readonly Exception: Loose<object>;
  validate(...args: unknown[]): boolean;
  compile(...args: unknown[]): Promise<object>;
  instantiate(...args: unknown[]): Promise<unknown>;
  compileStreaming(...args: unknown[]): Promise<object>;
  instantiateStreaming(...args: unknown[]): Promise<unknown>;
}

export const heddle = Heddle as unknown as Api;
export const v8 = WebAssembly as unknown as Api;

const assembled = new Map<string, Uint8Array>();

/** Bytes of a text, assembled once. */
export function bytes(wat: string): Uint8Array {
  let found = assembled.get(wat);
  if (found === undefined) {
    found = parseWat(wat);
    assembled.set(wat, found);
  }
  return found;
}

/** Exports of a fresh instance. */
export function run(api: Api, wat: string, imports?: unknown): AnyInstance['exports'] {
  return new api.Instance(new api.Module(bytes(wat)), imports).exports;
}

/** One export of a fresh instance. */
export function exported(api: Api, wat: string, name: string, imports?: unknown): Exported {
  const found = run(api, wat, imports)[name];
  if (found === undefined) throw new Error(`no export ${name}`);
  return found;
}

/** A value as text: the same for values that are the same, or of the same form where each engine has its own. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `function ${value.name}/${value.length}`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
  return String(value);
}

/** What something returned or threw. Of an error the class counts, because engines word them differently. */
export function outcome(action: () => unknown): string {
  try {
    return `returned ${show(action())}`;
  } catch (error) {
    return threw(error);
  }
}

/** {@link outcome} of a promise. */
export async function settled(action: () => Promise<unknown>): Promise<string> {
  try {
    return `returned ${show(await action())}`;
  } catch (error) {
    return threw(error);
  }
}

function threw(error: unknown): string {
  return error instanceof Error ? `threw ${error.constructor.name}` : `threw ${show(error)}`;
}

/** The message of what something throws. */
export function message(action: () => unknown): string {
  try {
    return `returned ${show(action())}`;
  } catch (error) {
    return error instanceof Error ? error.message : show(error);
  }
}

/** Values of every kind that JavaScript has, by a name for the test's title; made anew for each use. */
export const ANY_VALUE: readonly (readonly [name: string, make: () => unknown])[] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['true', () => true],
  ['0', () => 0],
  ['-0', () => -0],
  ['1', () => 1],
  ['-1', () => -1],
  ['1.7', () => 1.7],
  ['NaN', () => Number.NaN],
  ['Infinity', () => Number.POSITIVE_INFINITY],
  ['2^31', () => 2 ** 31],
  ['2^32 - 1', () => 2 ** 32 - 1],
  ['2^32 + 5', () => 2 ** 32 + 5],
  ['2^64', () => 2 ** 64],
  ['1e300', () => 1e300],
  ['0.1', () => 0.1],
  ['the string 3', () => '3'],
  ['the string 0x10', () => '0x10'],
  ['the empty string', () => ''],
  ['a word', () => 'word'],
  ['1n', () => 1n],
  ['-1n', () => -1n],
  ['2n^63', () => 2n ** 63n],
  ['2n^64 + 3n', () => 2n ** 64n + 3n],
  ['a symbol', () => Symbol('s')],
  ['an object', () => ({})],
  ['an array', () => []],
  ['an array of one', () => [4]],
  ['a function', () => () => 1],
  ['valueOf', () => ({ valueOf: () => 2 })],
  ['valueOf of a bigint', () => ({ valueOf: () => 2n })],
  [
    'valueOf that throws',
    () => ({
      valueOf() {
        throw new EvalError('from valueOf');
      },
    }),
  ],
  ['toString', () => ({ toString: () => '6' })],
  ['a date', () => new Date(1000)],
];
