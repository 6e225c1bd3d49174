/**
 * Reading the options that callers give. A function says which it takes in a list of names; only those are read, each once, and what is read is checked, named and kept in an object of
 * Heddle's own. So nothing else that the caller's object has, or becomes later, has an effect.
 */
import {
  append,
  INFINITE,
  isArray,
  isFiniteNumber,
  isNotANumber,
  item,
  joined,
  keys,
  min,
  placeOf,
  quoted,
  StringValue,
  sliced,
  values,
} from '../base/intrinsics.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';

/** Takes the value of an option for what it must be, or throws an error that says what that is. */
export type Reader<T> = (value: unknown, name: string) => T;

/** The options that a function takes, by name. */
type Readers = Readonly<Record<string, Reader<unknown>>>;

/** What was read: options that were not given are absent. */
export type Read<Table extends Readers> = { readonly [Name in keyof Table]?: ReturnType<Table[Name]> };

/** A value, for a message. Runs nothing of the value's. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value.length > 40 ? `${sliced(value, 0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : StringValue(value);
}

const wrong = (name: string, wanted: string, value: unknown): Error =>
  wrongArgument(`the option ${name} must be ${wanted}, not ${shown(value)}`);
const beyond = (name: string, wanted: string, value: unknown): Error =>
  outOfRange(`the option ${name} must be ${wanted}, not ${shown(value)}`);

/** For a value that is checked where it is used. */
export const anything: Reader<unknown> = (value) => value;

export const flag: Reader<boolean> = (value, name) => {
  if (typeof value !== 'boolean') throw wrong(name, 'a boolean', value);
  return value;
};

export const text: Reader<string> = (value, name) => {
  if (typeof value !== 'string') throw wrong(name, 'a string', value);
  return value;
};

/** A number from 0 to Infinity; a TypeError for every other value. */
export const amount: Reader<number> = (value, name) => {
  if (typeof value !== 'number' || !(value >= 0)) throw wrong(name, 'a number, 0 or more', value);
  return value;
};

/** The same, of which less than `least` makes no sense: a RangeError. */
export function atLeast(least: number): Reader<number> {
  return (value, name) => {
    const number = amount(value, name);
    if (number < least) throw beyond(name, `at least ${least}`, value);
    return number;
  };
}

/** A number above 0; a RangeError for others, a TypeError for NaN too. */
export const positive: Reader<number> = (value, name) => {
  if (typeof value !== 'number' || isNotANumber(value)) throw wrong(name, 'a number', value);
  if (!(value > 0)) throw beyond(name, 'above 0', value);
  return value;
};

/** An integer in a range; a RangeError for others. */
export function integer(least: number, most: number): Reader<number> {
  return (value, name) => {
    if (typeof value !== 'number' || (value % 1 !== 0 && isFiniteNumber(value))) throw wrong(name, 'an integer', value);
    if (!(value >= least && value <= most)) throw beyond(name, `from ${least} to ${most}`, value);
    return value;
  };
}

export function oneOf<const Word extends string>(words: readonly Word[]): Reader<Word> {
  return (value, name) => {
    const found = words[placeOf(words, (word) => word === value)];
    if (found === undefined) throw wrong(name, `one of ${joined(words, ', ')}`, value);
    return found;
  };
}

/** Whether a value may have options: a list is a mistake. */
const isOptions = (value: unknown): value is object => typeof value === 'object' && value !== null && !isArray(value);

/** Options inside an option. */
export function nested<const Table extends Readers>(table: Table, wanted = 'an object'): Reader<Read<Table>> {
  const list = listOf(table);
  return (value, name) => {
    if (!isOptions(value)) throw wrong(name, wanted, value);
    refuseUnknown(list, value, name);
    return readAll<Table>(list, value, `${name}.`);
  };
}

/** A table as it was when it was declared: names, and their readers. */
interface List {
  readonly names: readonly string[];
  readonly readers: readonly Reader<unknown>[];
}

const listOf = (table: Readers): List => ({ names: keys(table), readers: values(table) });

/** Where a name stands in a list, -1 where it is none. */
function placeIn(name: string, { names }: List): number {
  for (let i = 0; i < names.length; i++) if (names[i] === name) return i;
  return -1;
}

/** What was read. Nothing that JavaScript puts on Object.prototype is in its chain. (Objects without any prototype are slow in V8.) */
class Options {
  [name: string]: unknown;
}
Object.setPrototypeOf(Options.prototype, null);
Reflect.deleteProperty(Options.prototype, 'constructor');

function readAll<Table extends Readers>({ names, readers }: List, given: object, prefix: string): Read<Table> {
  const read = new Options();
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = (given as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) read[name] = readers[i]?.(value, prefix === '' ? name : prefix + name);
  }
  return read as Read<Table>;
}

/** Throws a TypeError for a name that is none of the list's. */
function refuseUnknown(list: List, given: object, of: string): void {
  const names = keys(given);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (placeIn(name, list) < 0) throw wrongArgument(`${of} has no option ${shown(name)}: the nearest is ${nearest(list, name).name}`);
  }
}

/** How many letters apart a name may be from an option to be taken for a mistake where other names are ignored. */
const NEAR = 2;

/** The same where that may be an option of another engine's. */
function refuseNear(list: List, given: object, of: string): void {
  const names = keys(given);
  for (let i = 0; i < names.length; i++) {
    const name = item(names, i);
    if (placeIn(name, list) >= 0) continue;
    const near = nearest(list, name);
    if (near.letters <= NEAR) throw wrongArgument(`${of} has no option ${shown(name)}: it is called ${near.name}`);
  }
}

function nearest({ names }: List, name: string): { readonly name: string; readonly letters: number } {
  let best = { name: '', letters: INFINITE };
  for (let i = 0; i < names.length; i++) {
    const known = item(names, i);
    const letters = distance(known, name);
    if (letters < best.letters) best = { name: known, letters };
  }
  return best;
}

/** Letters to change, add or leave out that make one name of another. A name much longer than any option is as far away as it is longer. */
function distance(known: string, name: string): number {
  if (name.length > 2 * known.length) return name.length - known.length;
  let row: number[] = [];
  for (let i = 0; i <= name.length; i++) append(row, i);
  for (let i = 1; i <= known.length; i++) {
    const next = [i];
    for (let j = 1; j <= name.length; j++) {
      const change = (row[j - 1] ?? 0) + (known[i - 1] === name[j - 1] ? 0 : 1);
      append(next, min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[name.length] ?? 0;
}

const NOTHING: object = Object.freeze(new Options());

/** The options of one of Heddle's own functions: a name that is none of them is a TypeError. */
export function optionsOf<const Table extends Readers>(of: string, table: Table): (given: unknown) => Read<Table> {
  const list = listOf(table);
  return (given) => {
    if (given === undefined) return NOTHING as Read<Table>;
    if (!isOptions(given)) throw wrongArgument(`the options of ${of} must be an object, not ${shown(given)}`);
    refuseUnknown(list, given, of);
    return readAll<Table>(list, given, '');
  };
}

/**
 * The options of a function of the standard's: as Web IDL has it, null has none, a function is an object, and names that are none of them are ignored, for they may be another engine's. Only
 * what looks like a mistake is a TypeError.
 */
export function standardOptionsOf<const Table extends Readers>(of: string, table: Table): (given: unknown) => Read<Table> {
  const list = listOf(table);
  return (given) => {
    if (given === undefined || given === null) return NOTHING as Read<Table>;
    if (typeof given !== 'object' && typeof given !== 'function') {
      throw wrongArgument(`the options of ${of} must be an object, not ${shown(given)}`);
    }
    refuseNear(list, given, of);
    return readAll<Table>(list, given, '');
  };
}
