/**
 * Functions of WebAssembly as JavaScript's: one function for each VMFunction that JavaScript has, for as long as it has it.
 */
import {
  apply,
  defineConstant,
  joinedLists,
  mapped,
  NumberValue,
  StringValue,
  some,
  WeakDictionary,
  weakGet,
  weakSet,
} from '../../base/intrinsics.js';
import { wrongArgument } from '../../errors/catalog.js';
import { VMFunction } from '../../generated/abi.js';
import type { Native } from '../../link/native.js';
import type { RegisteredType, TypeRegistry } from '../../validate/registry.js';
import { type ExportedFunction, withoutConstruct } from './callable.js';
import { Conversions, type FunctionReferences } from './conversions.js';
import type { ExternTable } from './externs.js';
import type { Mailbox } from './mailbox.js';
import { isOfNumbers, numberExport } from './number_calls.js';
import { needsConversion } from './numbers.js';

/** Where in a VMFunction its starter is held. */
const STARTER = 8;

/** One thread's exported functions. */
export class ExportedFunctions implements FunctionReferences {
  readonly convert: Conversions;
  readonly #native: Native;
  readonly #types: TypeRegistry;
  readonly #mailbox: Mailbox;
  readonly #addresses = new WeakDictionary<object, number>();

  constructor(native: Native, types: TypeRegistry, externs: ExternTable, mailbox: Mailbox) {
    this.#native = native;
    this.#types = types;
    this.#mailbox = mailbox;
    this.convert = new Conversions(types, externs, this, mailbox);
  }

  typeOf(address: number): number {
    return NumberValue(this.#native.load(address + VMFunction.type, 'u32'));
  }

  addressOf(value: unknown): number | undefined {
    return typeof value === 'function' ? weakGet(this.#addresses, value) : undefined;
  }

  functionAt(address: number): ExportedFunction {
    const known = this.#native.holder(address) as ExportedFunction | undefined;
    if (known !== undefined) return known;
    const made = this.#make(address);
    this.#native.hold(address, made);
    weakSet(this.#addresses, made, address);
    return made;
  }

  /** Calls the function of a VMFunction so that it may be set aside (Native.createStarter). */
  starterOf(address: number): () => void {
    // The function itself stands for the VMFunction's address: its starter stands for the one behind, which keeps it as well.
    const known = this.#native.holder(address + STARTER) as (() => void) | undefined;
    if (known !== undefined) return known;
    const starter = this.#native.createStarter(address);
    this.#native.hold(address + STARTER, starter);
    return starter;
  }

  /** Calls an exported function; a call that takes longer than `deadline` milliseconds traps. */
  call(fn: ExportedFunction, args: readonly unknown[], deadline: number): unknown {
    const address = this.addressOf(fn);
    if (address === undefined) throw wrongArgument('the function is not an export of a Heddle instance');
    if (typeof args !== 'object' || args === null) throw wrongArgument('the arguments of a call are given as an array');
    const type = this.#types.type(this.typeOf(address));
    // Each is read once, and lives while the others are read and converted, which may run the caller's code.
    const values = mapped(type.params, (_, i) => args[i]);
    return this.convert.resultsFromWasm(type.results, this.#native.invoke(address, this.convert.argumentsToWasm(type, values), deadline));
  }

  #make(address: number): ExportedFunction {
    const type = this.#types.type(this.typeOf(address));
    const name = StringValue(this.#native.load(address + VMFunction.index, 'u32'));
    const fn = isOfNumbers(type)
      ? numberExport(this.#mailbox, this.#native.createNumberExport(address), type)
      : this.#wrapper(this.#native.createExport(address, name), type);
    defineConstant(fn, 'name', name);
    defineConstant(fn, 'length', type.params.length);
    return fn;
  }

  #wrapper(direct: ExportedFunction, type: RegisteredType): ExportedFunction {
    const { convert } = this;
    const { params, results } = type;
    if (!convert.crosses(type)) return () => convert.requireCrossing(type);
    if (!some(joinedLists(params, results), needsConversion)) return withoutConstruct(direct, params.length);
    return (...args) => convert.resultsFromWasm(results, apply(direct, undefined, convert.toWasmAll(params, args)));
  }
}
