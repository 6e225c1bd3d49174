/**
 * The function numbers of a module and their CLIF signatures (contract/formats.md, section 4). Numbers: WebAssembly's function index space, then enter
 * trampolines, import trampolines, those of imports that may wait, the length helper, functions of experiments, and the stubs `switch` and `host_call`. Everything follows from the description alone.
 */

import { TYPE } from '../../generated/clif.js';
import type { FunctionTypeDescription, ModuleDescription } from '../../validate/description.js';
import { typeAt, typeCount } from '../../validate/type_words.js';
import { clifType, type FunctionShape, needResultArea } from '../program/types.js';
import { experimentsOf, namedTagTypes } from './experiments.js';
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

/** What the compiler must be told of a module's functions, and who has which number. */
export interface ModuleSignatures {
  /** The signature table for `new Compiler`. */
  readonly signatures: Int32Array;
  /** The signature of every function number, for `new Compiler`. */
  readonly functionSignatures: Uint32Array;
  /** Enter trampolines, one for each distinct shape of the module's functions, imported ones included. */
  readonly enterTrampolines: readonly Trampoline[];
  /** Import trampolines, one for each distinct shape of its imported functions. */
  readonly importTrampolines: readonly Trampoline[];
  /** Waiting trampolines, one for each shape of its imported functions that one can serve. */
  readonly waitTrampolines: readonly WaitTrampoline[];
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
}

/** Whether an import's arguments go through the mailbox and its result through a register. */
function passesMailbox({ params, results }: FunctionShape): boolean {
  return results.length <= 1 && ![...params, ...results].includes(TYPE.I8X16);
}

/** Interns signatures and writes their table. */
class SignatureTable {
  readonly #words: number[] = [0];
  readonly #numbers = new Map<string, number>();

  /** The number of a signature with the Tail convention. */
  number(params: readonly number[], returns: readonly number[]): number {
    const key = `${params.join(',')}>${returns.join(',')}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(key, number);
    this.#words.push(TAIL, params.length, returns.length);
    for (const type of params) this.#words.push(type);
    for (const type of returns) this.#words.push(type);
    return number;
  }

  /** The table. */
  words(): Int32Array {
    this.#words[0] = this.#numbers.size;
    return Int32Array.from(this.#words);
  }
}

/** The shape of each function type, by type index; undefined for other types. */
function shapes(description: ModuleDescription, table: SignatureTable): (FunctionShape | undefined)[] {
  const known = new Map<string, FunctionShape>();
  const shapeOf = (type: FunctionTypeDescription): FunctionShape => {
    const params = type.params.map(clifType);
    const results = type.results.map(clifType);
    const key = `${params.join(',')}>${results.join(',')}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const indirect = needResultArea(results);
    const signature = table.number([CONTEXT, ...(indirect ? [TYPE.I64] : []), ...params], indirect ? [] : results);
    const shape: FunctionShape = { signature, params, results, indirect };
    known.set(key, shape);
    return shape;
  };
  const all: (FunctionShape | undefined)[] = [];
  for (let i = 0; i < typeCount(description.types); i++) {
    const type = typeAt(description.types, i);
    all.push(type?.kind === 'func' ? shapeOf(type) : undefined);
  }
  return all;
}

/** Numbers a module's functions. */
export function moduleSignatures(description: ModuleDescription, spaces: IndexSpaces = indexSpaces(description)): ModuleSignatures {
  const table = new SignatureTable();
  const byType = shapes(description, table);
  const shape = (typeIndex: number): FunctionShape => {
    const found = byType[typeIndex];
    if (found === undefined) throw new Error(`type ${typeIndex} is not a function type`);
    return found;
  };
  const enterSignature = table.number([CONTEXT, TYPE.I64, TYPE.I64], []);
  const switchSignature = table.number([TYPE.I64, TYPE.I64, TYPE.I64], [TYPE.I64, TYPE.I64]);
  const hostCallSignature = table.number(Array<number>(6).fill(TYPE.I64), [TYPE.I64]);

  const numbers: number[] = spaces.functions.map((type) => shape(type).signature);
  const trampolines = (types: ReadonlySet<number>, signature: (shape: FunctionShape) => number): Map<FunctionShape, number> => {
    const made = new Map<FunctionShape, number>();
    for (const type of types) {
      const served = shape(type);
      if (!made.has(served)) made.set(served, numbers.push(signature(served)) - 1);
    }
    return made;
  };
  const tagTypes = namedTagTypes(experimentsOf(description));
  const enters = trampolines(new Set([...spaces.functions, ...tagTypes]), () => enterSignature);
  const imports = trampolines(new Set(spaces.functions.slice(0, spaces.importedFunctions)), (served) => served.signature);
  const waits: WaitTrampoline[] = [...imports.keys()].filter(passesMailbox).map((served) => ({
    number: numbers.push(served.signature) - 1,
    shape: served,
    routine: table.number([TYPE.I64, TYPE.I64, TYPE.I64], served.results),
  }));
  const lengthHelper = spaces.memories.length > 0 ? numbers.push(table.number([CONTEXT, TYPE.I64], [TYPE.I64])) - 1 : -1;
  const suspenders = tagTypes.map((type) => ({ number: numbers.push(shape(type).signature) - 1, type }));
  const switchStub = numbers.push(switchSignature) - 1;
  const hostCallStub = numbers.push(hostCallSignature) - 1;

  const list = (made: Map<FunctionShape, number>): Trampoline[] => [...made].map(([served, number]) => ({ number, shape: served }));
  const numberIn = (made: Map<FunctionShape, number>, typeIndex: number): number => {
    const number = made.get(shape(typeIndex));
    if (number === undefined) throw new Error(`type ${typeIndex} has no such trampoline`);
    return number;
  };
  return {
    signatures: table.words(),
    functionSignatures: Uint32Array.from(numbers),
    enterTrampolines: list(enters),
    importTrampolines: list(imports),
    waitTrampolines: waits,
    enterSignature,
    lengthHelper,
    suspenders,
    switchStub,
    hostCallStub,
    shape,
    enter: (typeIndex) => numberIn(enters, typeIndex),
    import: (typeIndex) => numberIn(imports, typeIndex),
    waiting: (typeIndex) => waits.find((wait) => wait.shape === shape(typeIndex))?.number ?? numberIn(imports, typeIndex),
  };
}
