/**
 * The function numbers of a module and their CLIF signatures (contract/formats.md, section 4). Numbers: WebAssembly's function index space, then enter
 * trampolines, import trampolines, those of imports that may wait, those of imports `invoke_…`, the length helper, functions of experiments, and the stubs `switch` and `host_call`. Everything follows from the description alone.
 */

import {
  append,
  Bytes,
  contains,
  Dictionary,
  each,
  integersOf,
  item,
  joined,
  joinedLists,
  mapEach,
  mapGet,
  mapHas,
  mapKeys,
  mapped,
  mapSet,
  mapSize,
  PlainError,
  part,
  placeOf,
  selected,
  setEach,
  setItem,
  setOf,
  Words,
} from '../../base/intrinsics.js';
import { TYPE } from '../../generated/clif.js';
import type { FunctionTypeDescription, ModuleDescription } from '../../validate/description.js';
import { typeAt, typeCount } from '../../validate/type_words.js';
import { clifType, type FunctionShape, needResultArea } from '../program/types.js';
import { experimentsOf, namedTagTypes } from './experiments.js';
import { invokedTypes } from './invokes.js';
import { type IndexSpaces, indexSpaces } from './spaces.js';

/** A param with this bit is Cranelift's VMContext. */
const VMCONTEXT = 0x100;
const TAIL = 0;
const CONTEXT = TYPE.I64 | VMCONTEXT;

/** A trampoline: its function number and the shape it serves. */
export interface Trampoline {
  readonly number: number;
  readonly shape: FunctionShape;
}

/** A trampoline for imports that may wait. */
export interface WaitTrampoline extends Trampoline {
  /** The signature of asm routine `heddle_wait`, which returns in its place. */
  readonly routine: number;
}

/** A trampoline for imports that call a function of the module's table: Emscripten's `invoke_…`. */
export interface InvokeTrampoline extends Trampoline {
  /** The shape of the function that it calls, which has all params but the first. */
  readonly callee: FunctionShape;
}

/** What the compiler must be told of a module's functions, and who has which number. */
export interface ModuleSignatures {
  /** The signature table for `new Compiler`. */
  readonly signatures: Int32Array;
  /** The signature of every function number, for `new Compiler`: made when asked for, since only a compile needs it. */
  readonly functionSignatures: Uint32Array;
  /** Enter trampolines, one for each distinct shape of the module's functions, imported ones included. */
  readonly enterTrampolines: readonly Trampoline[];
  /** Import trampolines, one for each distinct shape of its imported functions. */
  readonly importTrampolines: readonly Trampoline[];
  /** Waiting trampolines, one for each shape of its imported functions that one can serve. */
  readonly waitTrampolines: readonly WaitTrampoline[];
  /** Invoking trampolines, one for each shape of its imported functions that one can serve (`invokes.ts`). */
  readonly invokeTrampolines: readonly InvokeTrampoline[];
  /** The signature that all enter trampolines have. */
  readonly enterSignature: number;
  /** Function number of the length helper, which library call `memory_refresh` hides in: checks of memory accesses stay small by it. -1 without memories. */
  readonly lengthHelper: number;
  /** The functions that tags made by `tag.new` are: function number and type index, one for each such import. */
  readonly suspenders: readonly { readonly number: number; readonly type: number }[];
  /** Function number of the `switch` stub. */
  readonly switchStub: number;
  /** Function number of the `host_call` stub. */
  readonly hostCallStub: number;
  /** The shape of a function type by type index; throws for other types. */
  shape(typeIndex: number): FunctionShape;
  /** Function number of the enter trampoline for a function type that some function of the module has. */
  enter(typeIndex: number): number;
  /** Function number of the import trampoline for a function type that some imported function has. */
  import(typeIndex: number): number;
  /** Function number of the trampoline for an import of such a type that may wait. */
  waiting(typeIndex: number): number;
  /** Function number of the invoking trampoline for such a type; -1 where there is none. */
  invoking(typeIndex: number): number;
}

/** Whether an import's arguments go through the mailbox and its result through a register. */
function passesMailbox({ params, results }: FunctionShape): boolean {
  return results.length <= 1 && !contains(joinedLists(params, results), TYPE.I8X16);
}

/** Interns signatures and writes their table. */
class SignatureTable {
  readonly #words: number[] = [0];
  readonly #numbers = new Dictionary<string, number>();

  /** The number of a signature with the Tail convention. */
  number(params: readonly number[], returns: readonly number[]): number {
    const key = `${joined(params, ',')}>${joined(returns, ',')}`;
    const known = mapGet(this.#numbers, key);
    if (known !== undefined) return known;
    const number = mapSize(this.#numbers);
    mapSet(this.#numbers, key, number);
    each([TAIL, params.length, returns.length], (word) => append(this.#words, word));
    for (let i = 0; i < params.length; i++) {
      const type = item(params, i);
      append(this.#words, type);
    }
    for (let i = 0; i < returns.length; i++) {
      const type = item(returns, i);
      append(this.#words, type);
    }
    return number;
  }

  /** The table. */
  words(): Int32Array {
    setItem(this.#words, 0, mapSize(this.#numbers));
    return integersOf(this.#words);
  }
}

/** The shape of each function type, by type index; undefined for other types. */
function shapes(description: ModuleDescription, table: SignatureTable): (FunctionShape | undefined)[] {
  const known = new Dictionary<string, FunctionShape>();
  const shapeOf = (type: FunctionTypeDescription): FunctionShape => {
    const params = mapped(type.params, clifType);
    const results = mapped(type.results, clifType);
    const key = `${joined(params, ',')}>${joined(results, ',')}`;
    const found = mapGet(known, key);
    if (found !== undefined) return found;
    const indirect = needResultArea(results);
    const signature = table.number(joinedLists([CONTEXT], indirect ? [TYPE.I64] : [], params), indirect ? [] : results);
    const shape: FunctionShape = { signature, params, results, indirect };
    mapSet(known, key, shape);
    return shape;
  };
  const all: (FunctionShape | undefined)[] = [];
  for (let i = 0; i < typeCount(description.types); i++) {
    const type = typeAt(description.types, i);
    append(all, type?.kind === 'func' ? shapeOf(type) : undefined);
  }
  return all;
}

/** Numbers a module's functions. */
export function moduleSignatures(description: ModuleDescription, spaces: IndexSpaces = indexSpaces(description)): ModuleSignatures {
  const table = new SignatureTable();
  const byType = shapes(description, table);
  const shape = (typeIndex: number): FunctionShape => {
    const found = byType[typeIndex];
    if (found === undefined) throw new PlainError(`type ${typeIndex} is not a function type`);
    return found;
  };
  const enterSignature = table.number([CONTEXT, TYPE.I64, TYPE.I64], []);
  const switchSignature = table.number([TYPE.I64, TYPE.I64, TYPE.I64], [TYPE.I64, TYPE.I64]);
  const hostCallSignature = table.number([TYPE.I64, TYPE.I64, TYPE.I64, TYPE.I64, TYPE.I64, TYPE.I64], [TYPE.I64]);

  // The signatures of what comes behind the functions.
  const others: number[] = [];
  const number = (signature: number): number => spaces.functions.length + append(others, signature) - 1;
  // Modules have tens of thousands of functions, of few types.
  const types: number[] = [];
  const seen = new Bytes(typeCount(description.types));
  for (let i = 0; i < spaces.functions.length; i++) {
    const type = item(spaces.functions, i);
    if (seen[type] === 1) continue;
    seen[type] = 1;
    append(types, type);
  }
  const trampolines = (types: ReadonlySet<number>, signature: (shape: FunctionShape) => number): Map<FunctionShape, number> => {
    const made = new Dictionary<FunctionShape, number>();
    setEach(types, (type) => {
      const served = shape(type);
      if (!mapHas(made, served)) mapSet(made, served, number(signature(served)));
    });
    return made;
  };
  const tagTypes = namedTagTypes(experimentsOf(description));
  const enters = trampolines(setOf(joinedLists(types, tagTypes)), () => enterSignature);
  const imports = trampolines(setOf(part(spaces.functions, 0, spaces.importedFunctions)), (served) => served.signature);
  const waits: WaitTrampoline[] = mapped(selected(mapKeys(imports), passesMailbox), (served) => ({
    number: number(served.signature),
    shape: served,
    routine: table.number([TYPE.I64, TYPE.I64, TYPE.I64], served.results),
  }));
  const calleeTypes = invokedTypes(description, spaces);
  const invokes: InvokeTrampoline[] = [];
  mapEach(calleeTypes, (callee, type) => {
    const served = shape(type);
    if (placeOf(invokes, (known) => known.shape === served) < 0)
      append(invokes, { number: number(served.signature), shape: served, callee: shape(callee) });
  });
  const lengthHelper = spaces.memories.length > 0 ? number(table.number([CONTEXT, TYPE.I64], [TYPE.I64])) : -1;
  const suspenders = mapped(tagTypes, (type) => ({ number: number(shape(type).signature), type }));
  const switchStub = number(switchSignature);
  const hostCallStub = number(hostCallSignature);

  let all: Uint32Array | undefined;
  const allSignatures = (): Uint32Array => {
    const functions = spaces.functions.length;
    const words = new Words(functions + others.length);
    for (let i = 0; i < functions; i++) words[i] = shape(item(spaces.functions, i)).signature;
    for (let i = 0; i < others.length; i++) words[functions + i] = item(others, i);
    return words;
  };
  const list = (made: Map<FunctionShape, number>): Trampoline[] =>
    mapped(mapKeys(made), (served) => ({ number: mapGet(made, served) ?? 0, shape: served }));
  const numberIn = (made: Map<FunctionShape, number>, typeIndex: number): number => {
    const found = mapGet(made, shape(typeIndex));
    if (found === undefined) throw new PlainError(`type ${typeIndex} has no such trampoline`);
    return found;
  };
  return {
    signatures: table.words(),
    get functionSignatures() {
      all ??= allSignatures();
      return all;
    },
    enterTrampolines: list(enters),
    importTrampolines: list(imports),
    waitTrampolines: waits,
    invokeTrampolines: invokes,
    enterSignature,
    lengthHelper,
    suspenders,
    switchStub,
    hostCallStub,
    shape,
    enter: (typeIndex) => numberIn(enters, typeIndex),
    import: (typeIndex) => numberIn(imports, typeIndex),
    waiting: (typeIndex) => waits[placeOf(waits, (wait) => wait.shape === shape(typeIndex))]?.number ?? numberIn(imports, typeIndex),
    invoking: (typeIndex) => invokes[placeOf(invokes, (invoke) => invoke.shape === shape(typeIndex))]?.number ?? -1,
  };
}
