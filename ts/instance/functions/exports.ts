/**
 * Functions of WebAssembly as JavaScript's: one function for each VMFunction that JavaScript has, for as long as it has it.
 */
import {
  apply,
  defineConstant,
  joinedLists,
  mapGet,
  mapped,
  mapSet,
  NumberValue,
  StringValue,
  some,
  WeakCollection,
  WeakDictionary,
  weakAdd,
  weakGet,
  weakIn,
  weakSet,
} from '../../base/intrinsics.js';
import { wrongArgument } from '../../errors/catalog.js';
import { VMFunction } from '../../generated/abi.js';
import type { Native } from '../../link/native.js';
import type { RegisteredType, TypeRegistry } from '../../validate/registry.js';
import { type ExportedFunction, withoutConstruct } from './callable.js';
import { Conversions, type FunctionReferences } from './conversions.js';
import type { HostValues } from './host_values.js';
import type { Mailbox } from './mailbox.js';
import { type ExportMaker, isOfNumbers, isOfReferences, numberExports, referenceExports } from './number_calls.js';
import { needsConversion } from './numbers.js';

/** Where in a VMFunction its starter is held. */
const STARTER = 8;

/** What stands for an instance for as long as V8 keeps it: who has one of its functions has it. */
export interface InstanceKeeper {
  readonly address: number;
  /** Its functions that JavaScript has had, by their VMFunctions' addresses. */
  readonly functions: Map<number, ExportedFunction>;
  /** The name of a function, in the module or as an export. */
  functionName(index: number): string | undefined;
}

/** One thread's exported functions. */
export class ExportedFunctions implements FunctionReferences {
  readonly convert: Conversions;
  readonly #native: Native;
  readonly #types: TypeRegistry;
  readonly #mailbox: Mailbox;
  readonly #addresses = new WeakDictionary<object, number>();
  readonly #makers = new WeakDictionary<RegisteredType, ExportMaker>();
  readonly #keepers = new WeakCollection<object>();

  constructor(native: Native, types: TypeRegistry, values: HostValues, mailbox: Mailbox) {
    this.#native = native;
    this.#types = types;
    this.#mailbox = mailbox;
    this.convert = new Conversions(types, values, this, mailbox);
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
    const keeper = this.#keeperOf(address);
    const index = NumberValue(this.#native.load(address + VMFunction.index, 'u32'));
    const made =
      keeper === undefined
        ? this.#make(address, this.typeOf(address), index, undefined)
        : this.functionOf(keeper, address, this.typeOf(address), index);
    this.#native.hold(address, made);
    return made;
  }

  /** An instance was made, and this object stands for it. */
  keepInstance(keeper: InstanceKeeper): void {
    this.#native.hold(keeper.address, keeper);
    weakAdd(this.#keepers, keeper);
  }

  /**
   * The JavaScript function of a VMFunction that is part of an instance, with its type's id and its index. It keeps the instance by the keeper: the addon is not
   * told of it before it is called, or is found by its address.
   */
  functionOf(keeper: InstanceKeeper, address: number, typeId: number, index: number): ExportedFunction {
    const known = mapGet(keeper.functions, address);
    if (known !== undefined) return known;
    const made = this.#make(address, typeId, index, keeper);
    mapSet(keeper.functions, address, made);
    return made;
  }

  /** The name of an exported function in its module, or as an export of it; its index where it has none. */
  nameOf(fn: ExportedFunction): string {
    const address = this.addressOf(fn);
    if (address === undefined) throw wrongArgument('the function is not an export of a Heddle instance');
    const index = NumberValue(this.#native.load(address + VMFunction.index, 'u32'));
    return this.#keeperOf(address)?.functionName(index) ?? StringValue(index);
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

  /** What stands for the instance that a VMFunction is part of; undefined where it is part of none, or nothing does any more. */
  #keeperOf(address: number): InstanceKeeper | undefined {
    const context = NumberValue(this.#native.load(address + VMFunction.context, 'u64'));
    const holder = this.#native.holder(context);
    return holder !== undefined && weakIn(this.#keepers, holder) ? (holder as InstanceKeeper) : undefined;
  }

  #make(address: number, typeId: number, index: number, keeper: InstanceKeeper | undefined): ExportedFunction {
    const type = this.#types.type(typeId);
    let maker = weakGet(this.#makers, type);
    if (maker === undefined) {
      maker = this.#makerOf(type);
      weakSet(this.#makers, type, maker);
    }
    const fn = maker(StringValue(index), address, keeper);
    weakSet(this.#addresses, fn, address);
    return fn;
  }

  /** How functions of a type are made. */
  #makerOf(type: RegisteredType): ExportMaker {
    const create = (at: number, _keeper: object | undefined): (() => void) => this.#native.createNumberExport(at);
    if (isOfNumbers(type)) return numberExports(this.#mailbox, create, type);
    if (isOfReferences(type, this.convert)) return referenceExports(this.#mailbox, this.convert, create, type);
    return this.#wrappers(type);
  }

  /** How functions of a type are made that has more than few values. */
  #wrappers(type: RegisteredType): ExportMaker {
    return (name, address, keeper) => {
      const fn = this.#wrapper(type, name, address, keeper);
      defineConstant(fn, 'name', name);
      defineConstant(fn, 'length', type.params.length);
      return fn;
    };
  }

  #wrapper(type: RegisteredType, name: string, address: number, keeper: object | undefined): ExportedFunction {
    const { convert } = this;
    const { params, results } = type;
    // The keeper, too: who has the function has its instance.
    if (!convert.crosses(type)) return () => convert.requireCrossing(type, keeper);
    let made: ExportedFunction | undefined;
    const direct = (): ExportedFunction => {
      made ??= this.#createExport(address, name, keeper);
      return made;
    };
    if (!some(joinedLists(params, results), needsConversion)) return withoutConstruct(direct, params.length);
    return (...args) => convert.resultsFromWasm(results, apply(direct(), undefined, convert.toWasmAll(params, args)));
  }

  #createExport(address: number, name: string, _keeper: object | undefined): ExportedFunction {
    return this.#native.createExport(address, name);
  }
}
