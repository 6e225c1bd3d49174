/**
 * Functions of JavaScript as WebAssembly's imports: what the addon calls, and the numbers by which it names them.
 */
import { apply, bareList, item, mapGet, mapped, setItem, some } from '../../base/intrinsics.js';
import { importInTheWay, internal, notPromising } from '../../errors/catalog.js';
import { LIMIT, VMFunction } from '../../generated/abi.js';
import type { Native } from '../../link/native.js';
import type { RegisteredType, TypeRegistry } from '../../validate/registry.js';
import type { Names } from '../messages/names.js';
import type { ExportedFunction } from './callable.js';
import type { Conversions } from './conversions.js';
import type { Mailbox } from './mailbox.js';
import { isOfNumbers, isOfReferences, numberImport, referenceImport } from './number_calls.js';
import { needsConversion } from './numbers.js';
import { OutsideCalls } from './outside_calls.js';
import { type ImportCalls, SuspendingImport } from './suspending_import.js';

/** A JavaScript function as an import. */
export interface ImportedFunction {
  readonly fn: ExportedFunction;
  /** Module and name, for messages. */
  readonly name: string;
  /** Whether its caller waits for a promise that it returns. */
  readonly suspending: boolean;
  /** Function index in the importing module. */
  readonly index: number;
}

/** Returns what it gets. */
const same = (value: unknown): unknown => value;

/** One thread's imported functions. */
export class ImportedFunctions implements ImportCalls {
  readonly convert: Conversions;
  readonly mailbox: Mailbox;
  /** Number of the import of `Suspending` whose function runs, 0 for none. A number, because to note an object costs V8 more. */
  calling = 0;
  readonly #native: Native;
  readonly #types: TypeRegistry;
  readonly #names: Names;
  readonly #outside: OutsideCalls;
  /** By number. */
  readonly #suspending: (SuspendingImport | undefined)[] = bareList();

  constructor(native: Native, types: TypeRegistry, names: Names, convert: Conversions, mailbox: Mailbox) {
    this.#native = native;
    this.#types = types;
    this.#names = names;
    this.convert = convert;
    this.mailbox = mailbox;
    this.#outside = new OutsideCalls(native, mailbox);
  }

  /**
   * Makes a JavaScript function callable by WebAssembly: address of its VMFunction. `index` is its function index, by which it is named
   * where it is exported again. `trampoline` gives the code of an import trampoline of its type, or of one for those whose caller may be set aside.
   */
  create(
    { fn, name, suspending, index }: ImportedFunction,
    typeId: number,
    trampoline: (waiting: boolean) => number,
    enter: number,
  ): number {
    const type = this.#types.type(typeId);
    const id = suspending ? this.#names.newImport(name) : this.#names.importNumber(name);
    if (suspending) setItem(this.#suspending, id, new SuspendingImport(this, fn, id, type));
    let kind: number = LIMIT.hostValues;
    let wrapper = fn;
    if (suspending) kind = LIMIT.hostSuspending;
    else if (isOfNumbers(type)) {
      kind = LIMIT.hostNumbers;
      wrapper = numberImport(this.mailbox, fn, type);
    } else if (isOfReferences(type, this.convert)) {
      kind = LIMIT.hostNumbers;
      wrapper = referenceImport(this.mailbox, this.convert, fn, type);
    } else wrapper = this.#wrapper(fn, type);
    const isOutside = kind === LIMIT.hostNumbers;
    const call = isOutside ? this.#outside.add(wrapper as () => void) : 0;
    const address = this.#native.createHostFunction(wrapper, typeId, trampoline(suspending || isOutside), enter, id, kind, call);
    this.#native.store(address + VMFunction.index, 'u32', index);
    return address;
  }

  /** Lets go of the function of an import, given by the address of its VMFunction. */
  dispose(address: number): void {
    // It stays until the import is freed: a call may be set aside in it already that has not come to its function.
    const number = this.#native.disposeHostFunction(address);
    if (number < 0) this.#outside.dispose(-1 - number);
    else this.#suspending[number]?.dispose();
  }

  /** Lets go of imports that a collection has freed, given by their numbers; `calls` are those of numbers. */
  forget(numbers: readonly number[], calls: readonly number[]): void {
    this.#outside.forget(calls);
    for (let i = 0; i < numbers.length; i++) {
      const number = item(numbers, i);
      delete this.#suspending[number];
    }
  }

  /** The import that the addon has just set a call aside for. */
  pending(): SuspendingImport {
    const found = this.#suspending[this.mailbox.import];
    if (found === undefined) throw internal('no call was set aside');
    return found;
  }

  /** Whether an import that is called now could wait for a promise. */
  canSuspend(): boolean {
    return this.#native.canSuspend() ?? this.calling !== 0;
  }

  /** Why an import cannot wait: `way` is the number of the import that is between it and the call that could, below 0 for none. */
  suspendError(fn: number, way: number): Error {
    const { imports } = this.#names;
    const name = mapGet(imports, fn) ?? '';
    const between = way < 0 ? this.calling : way;
    if (way < 0 && between === 0) return notPromising(name);
    return importInTheWay(name, mapGet(imports, between) ?? 'without a name');
  }

  #wrapper(fn: ExportedFunction, type: RegisteredType): ExportedFunction {
    const { convert } = this;
    if (!convert.crosses(type)) return () => convert.requireCrossing(type);
    const take = this.#taker(fn, type);
    const give = this.#giver(type);
    if (give === same) return take;
    return (...raw) => give(apply(take, undefined, raw));
  }

  /** `fn` with what the addon gives as arguments. */
  #taker(fn: ExportedFunction, { params }: RegisteredType): ExportedFunction {
    if (!some(params, needsConversion)) return fn;
    return (...raw) =>
      apply(
        fn,
        undefined,
        mapped(raw, (x, i) => this.convert.fromWasm(params[i] ?? 0x7f, x)),
      ) as unknown;
  }

  /** Makes what an import returned the results that the addon takes. */
  #giver({ results }: RegisteredType): (value: unknown) => unknown {
    const { convert } = this;
    if (results.length < 2 && !some(results, needsConversion)) return same;
    if (results.length === 1) return (value) => convert.toWasm(results[0] ?? 0x7f, value);
    return (value) => convert.resultsToWasm(results, value);
  }
}
