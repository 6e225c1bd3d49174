/** `--invoke`: exports called by name, with arguments and results as text. */
import { compiledOf, type Instance, type Module } from '../api/web_assembly.js';
import { unknownExport, wrongArgument } from '../errors/catalog.js';
import { VMFunction } from '../generated/abi.js';
import { type CellWords, cellValue, numberOfCell, ZERO_CELL } from '../instance/cells.js';
import { theEngine } from '../instance/engine.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import { indexSpaces } from '../lower/module/spaces.js';
import type { Scheduler } from '../schedule/scheduler.js';
import type { ValueType } from '../validate/description.js';
import { isReference } from '../validate/registry.js';
import { typeAt } from '../validate/type_words.js';
import { detailed } from './errors/place.js';
import { byLikeness, wrapped } from './nearest.js';
import { print, printJson, writing } from './report.js';
import type { TimeLimit } from './time_limit.js';
import { parseValue } from './values/parse.js';
import { cellOfResult, showCell, typedValue } from './values/show.js';
import { V128 } from './values/types.js';

type Exports = Instance['exports'];

/** A function that is to be called, with its arguments. */
export interface Call {
  readonly name: string;
  readonly fn: ExportedFunction;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly args: readonly CellWords[];
}

/** An export that is to be called with these arguments. Throws errors with code HEDDLE_EXPORT and HEDDLE_ARGUMENT. */
export function callOf(module: Module, exports: Exports, name: string, given: readonly string[]): Call {
  const fn: unknown = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof fn !== 'function') throw noFunction(module, name);
  const { params, results } = typeOf(module, name);
  // `--` says that what follows is no option.
  const args = given[0] === '--' ? given.slice(1) : given;
  const { length } = params;
  if (args.length !== length)
    throw wrongArgument(`${name} takes ${length} ${length === 1 ? 'argument' : 'arguments'}, ${args.length} given`);
  return { name, fn: fn as ExportedFunction, params, results, args: params.map((type, i) => parseValue(args[i] ?? '', type)) };
}

/** Calls it and prints its results. */
export function invoke(call: Call): void {
  const { native, exports } = theEngine();
  const address = exports.addressOf(call.fn);
  if (address === undefined) throw unknownExport(`the module exports no function ${call.name}`);
  // In slots, and not as JavaScript's values: those have no vectors, and no bits of NaNs.
  const least = Number(native.load(address + VMFunction.slots, 'u32'));
  const words = new Uint32Array(WORDS * Math.max(1, call.params.length, call.results.length, least));
  call.args.forEach((cell, i) => words.set(cell, WORDS * i));
  native.invokeRaw(address, new Uint8Array(words.buffer), 0);
  const cell = (i: number): CellWords => [words[i] ?? 0, words[i + 1] ?? 0, words[i + 2] ?? 0, words[i + 3] ?? 0];
  printResults(
    call,
    call.results.map((_, i) => cell(WORDS * i)),
  );
}

/** Words of a slot. */
const WORDS = 4;

/** Calls functions at once, as tasks; each prints its results when it ends. The first failure is the whole's. */
export async function runTasks(
  scheduler: Scheduler,
  exports: Exports,
  calls: readonly Call[],
  limit: TimeLimit | undefined,
): Promise<void> {
  const spawn = async (fn: ExportedFunction, args: readonly unknown[], name?: string): Promise<unknown> =>
    scheduler.spawn(fn, args as [], { ...(name !== undefined && { name }), ...(limit && { timeout: limit.left }) }).promise;
  const first: unknown = exports['_initialize'];
  if (typeof first === 'function') await spawn(first as ExportedFunction, []);
  await Promise.all(
    calls.map(async (call) => {
      const { name, fn, params, results } = call;
      if ([...params, ...results].includes(V128)) throw wrongArgument(`${name} has a v128, which no task can be given or gives`);
      const args = params.map((type, i) => argumentOf(type, call.args[i] ?? ZERO_CELL));
      const given = await spawn(fn, args, name);
      const values: readonly unknown[] = results.length === 0 ? [] : results.length === 1 ? [given] : (given as unknown[]);
      printResults(
        call,
        results.map((type, i) => cellOfResult(type, values[i])),
      );
    }),
  );
}

/** An argument as JavaScript has it: of references only null and i31 can be given. */
function argumentOf(type: ValueType, cell: CellWords): unknown {
  return isReference(type) ? theEngine().values.value(numberOfCell(cell)) : cellValue(type, cell);
}

function printResults({ name, results }: Call, cells: readonly CellWords[]): void {
  const of = <T>(show: (type: ValueType, cell: CellWords) => T): T[] => results.map((type, i) => show(type, cells[i] ?? [0, 0, 0, 0]));
  if (writing.json) printJson({ export: name, results: of(typedValue) });
  else for (const line of of(showCell)) print(line);
}

/** Names of the functions that a module exports. */
export function functionNames(module: Module): readonly string[] {
  return compiledOf(module).description.exports.flatMap(({ kind, name }) => (kind === 'func' ? [name] : []));
}

/** A module's export `_start`. Throws an error with code HEDDLE_EXPORT where there is none. */
export function noStart(module: Module): Error {
  const names = functionNames(module);
  if (names.length === 0) return unknownExport('the module exports no _start, and no other function');
  return detailed(unknownExport('the module exports no _start: name a function with --invoke'), wrapped('it exports', names));
}

const KINDS: Readonly<Record<string, string>> = { table: 'a table', memory: 'a memory', global: 'a global', tag: 'a tag' };

function noFunction(module: Module, name: string): Error {
  const other = compiledOf(module).description.exports.find((e) => e.name === name);
  const is = other === undefined ? '' : `: ${name} is ${KINDS[other.kind] ?? other.kind}`;
  const { names, meant } = byLikeness(name, functionNames(module));
  if (names.length === 0) return unknownExport(`the module exports no function ${name}${is || ', and no other'}`);
  const guess = meant === undefined ? '' : `: did you mean ${meant}?`;
  return detailed(unknownExport(`the module exports no function ${name}${is || guess}`), wrapped('it exports', names));
}

/** The type of an exported function. */
function typeOf(module: Module, name: string): { readonly params: readonly ValueType[]; readonly results: readonly ValueType[] } {
  const { description, typeIds } = compiledOf(module);
  const { types } = theEngine();
  const canonical = (values: readonly ValueType[]): ValueType[] => values.map((value) => types.canonical(value, typeIds));
  const index = description.exports.find((e) => e.kind === 'func' && e.name === name)?.index ?? -1;
  const type = typeAt(description.types, indexSpaces(description).functions[index] ?? -1);
  if (type?.kind !== 'func') throw unknownExport(`the module exports no function ${name}`);
  return { params: canonical(type.params), results: canonical(type.results) };
}
