/**
 * Checks of CLIF programs, for debugging and tests: what the crate's release build takes without a word and Cranelift's verifier cannot see. A branch
 * to a sealed block makes silently wrong code; the others are mistakes that would show far from their cause.
 */
import { KIND, TYPE } from '../../generated/clif.js';

/** What a program names. */
interface Environment {
  readonly signatures: Int32Array;
  readonly functionSignatures: Uint32Array;
}

/** Number of returns of each signature. */
function returnCounts(signatures: Int32Array): number[] {
  const counts: number[] = [];
  for (let at = 1; counts.length < (signatures[0] as number); ) {
    const params = signatures[at + 1] as number;
    const returns = signatures[at + 2] as number;
    counts.push(returns);
    at += 3 + params + returns;
  }
  return counts;
}

/** Params of each signature. */
function paramCounts(signatures: Int32Array): number[] {
  const counts: number[] = [];
  for (let at = 1; counts.length < (signatures[0] as number); ) {
    const params = signatures[at + 1] as number;
    counts.push(params);
    at += 3 + params + (signatures[at + 2] as number);
  }
  return counts;
}

/** A block of the function that is checked. */
interface BlockState {
  readonly params: number;
  sealed: boolean;
  placed: boolean;
  predecessors: number;
}

/** Kinds by their operand words: how many are values, and how many plain words come before and after them. */
const SIMPLE = new Map<number, { readonly before?: number; readonly values?: number; readonly after?: number; readonly results?: number }>([
  [KIND.unary, { values: 1, results: 1 }],
  [KIND.binary, { values: 2, results: 1 }],
  [KIND.ternary, { values: 3, results: 1 }],
  [KIND.icmp, { values: 2, results: 1 }],
  [KIND.fcmp, { values: 2, results: 1 }],
  [KIND.vconst, { before: 4, results: 1 }],
  [KIND.load, { values: 1, after: 1, results: 1 }],
  [KIND.store, { values: 2, after: 1 }],
  [KIND.trapnz, { values: 1 }],
  [KIND.trapz, { values: 1 }],
  [KIND.bitcast, { values: 1, results: 1 }],
  [KIND.srcloc, { before: 1 }],
  [KIND.funcAddr, { before: 1, results: 1 }],
  [KIND.nullary, { results: 1 }],
  [KIND.atomicLoad, { values: 1, results: 1 }],
  [KIND.atomicStore, { values: 2 }],
  [KIND.atomicRmw, { values: 2, results: 1 }],
  [KIND.atomicCas, { values: 3, results: 1 }],
  [KIND.fence, {}],
  [KIND.laneExtract, { before: 1, values: 1, results: 1 }],
  [KIND.laneInsert, { before: 1, values: 2, results: 1 }],
  [KIND.shuffle, { before: 4, values: 2, results: 1 }],
  [KIND.stackMap, { values: 1 }],
]);

/** Types of constants that take two words. */
const WIDE = new Set<number>([TYPE.I64, TYPE.F64]);

class Checker {
  readonly #blocks: BlockState[];
  #values: number;
  #variables = 0;
  #slots = 0;
  #current: BlockState | undefined;

  constructor(
    readonly words: Int32Array,
    public at: number,
    readonly end: number,
    readonly returns: readonly number[],
    readonly functionSignatures: Uint32Array,
    params: number,
  ) {
    this.#values = params;
    this.#current = { params: 0, sealed: true, placed: true, predecessors: 0 };
    this.#blocks = [this.#current];
  }

  #next(): number {
    const word = this.words[this.at];
    if (word === undefined || this.at >= this.end) throw new Error('the function ends inside an instruction');
    this.at++;
    return word;
  }

  #skip(count: number): void {
    for (let i = 0; i < count; i++) this.#next();
  }

  #below(limit: number, what: string): number {
    const number = this.#next();
    if (number < 0 || number >= limit) throw new Error(`${what} ${number} of ${limit}`);
    return number;
  }

  #value(): void {
    this.#below(this.#values, 'value');
  }

  #valueList(): void {
    for (let n = this.#next(); n > 0; n--) this.#value();
  }

  #block(): BlockState {
    return this.#blocks[this.#below(this.#blocks.length, 'block')] as BlockState;
  }

  /** A block call; in a call's edges arguments may be the call's results or payload. */
  #branch(edge = false): void {
    const number = this.words[this.at];
    const block = this.#block();
    if (block.sealed) throw new Error(`branch to block ${number}, which is sealed`);
    block.predecessors++;
    const count = this.#next();
    if (count !== block.params) throw new Error(`${count} arguments for the ${block.params} params of block ${number}`);
    for (let i = 0; i < count; i++) {
      if (edge && (this.words[this.at] as number) < 0) this.#next();
      else this.#value();
    }
  }

  #ended(): void {
    this.#current = undefined;
  }

  #callee(indirect: boolean): number {
    if (!indirect)
      return this.returns[this.functionSignatures[this.#below(this.functionSignatures.length, 'function')] as number] as number;
    const signature = this.#below(this.returns.length, 'signature');
    this.#value();
    return this.returns[signature] as number;
  }

  /** Checks one instruction. */
  instruction(): void {
    const first = this.#next();
    const kind = first & 0xff;
    if (
      this.#current === undefined &&
      kind !== KIND.block &&
      kind !== KIND.switchTo &&
      kind !== KIND.seal &&
      kind !== KIND.srcloc &&
      kind !== KIND.declareVar &&
      kind !== KIND.stackSlot
    ) {
      throw new Error(`an instruction of kind ${kind} behind the block's end`);
    }
    const simple = SIMPLE.get(kind);
    if (simple === undefined) {
      this.#other(kind, (first >> 16) & 0xff);
      return;
    }
    this.#skip(simple.before ?? 0);
    for (let i = 0; i < (simple.values ?? 0); i++) this.#value();
    this.#skip(simple.after ?? 0);
    this.#values += simple.results ?? 0;
  }

  #other(kind: number, type: number): void {
    switch (kind) {
      case KIND.iconst:
      case KIND.fconst:
        this.#skip(WIDE.has(type) ? 2 : 1);
        this.#values++;
        return;
      case KIND.useVar:
        this.#below(this.#variables, 'variable');
        this.#values++;
        return;
      case KIND.defVar:
        this.#below(this.#variables, 'variable');
        this.#value();
        return;
      case KIND.declareVar:
        this.#variables++;
        return;
      case KIND.stackSlot:
        this.#skip(2);
        this.#slots++;
        return;
      case KIND.stackAddr:
        this.#below(this.#slots, 'stack slot');
        this.#next();
        this.#values++;
        return;
      case KIND.call:
      case KIND.callIndirect: {
        const returns = this.#callee(kind === KIND.callIndirect);
        this.#valueList();
        this.#values += returns;
        return;
      }
      default:
        this.#flow(kind);
    }
  }

  #flow(kind: number): void {
    switch (kind) {
      case KIND.block: {
        const params = this.#next();
        this.#skip(params);
        this.#blocks.push({ params, sealed: false, placed: false, predecessors: 0 });
        return;
      }
      case KIND.switchTo: {
        if (this.#current !== undefined) throw new Error('the block before is not ended');
        const block = this.#block();
        if (block.placed) throw new Error('a block is placed twice');
        block.placed = true;
        this.#current = block;
        this.#values += block.params;
        return;
      }
      case KIND.seal: {
        const block = this.#block();
        if (block.sealed) throw new Error('a block is sealed twice');
        block.sealed = true;
        return;
      }
      case KIND.jump:
        this.#branch();
        break;
      case KIND.brif:
        this.#value();
        this.#branch();
        this.#branch();
        break;
      case KIND.brTable:
        this.#value();
        this.#branch();
        for (let n = this.#next(); n > 0; n--) this.#branch();
        break;
      case KIND.return:
        this.#valueList();
        break;
      case KIND.returnCall:
      case KIND.returnCallIndirect:
        this.#callee(kind === KIND.returnCallIndirect);
        this.#valueList();
        break;
      case KIND.tryCall:
      case KIND.tryCallIndirect:
        this.#callee(kind === KIND.tryCallIndirect);
        this.#valueList();
        this.#branch(true);
        for (let n = this.#next(); n > 0; n--) {
          if (this.#next() === -2) this.#value();
          else this.#branch(true);
        }
        break;
      case KIND.trap:
        break;
      default:
        throw new Error(`instruction kind ${kind} is not known`);
    }
    this.#ended();
  }

  /** Checks what must hold at the function's end. */
  finish(): void {
    if (this.#current !== undefined) throw new Error('the last block is not ended');
    this.#blocks.forEach((block, i) => {
      if (block.placed && !block.sealed) throw new Error(`block ${i} is never sealed`);
      if (!block.placed && block.predecessors > 0) throw new Error(`block ${i} is branched to but never placed`);
    });
  }
}

/** Throws where a program is not sound; the message names the function and the word. */
export function checkProgram(words: Int32Array, environment: Environment): void {
  const returns = returnCounts(environment.signatures);
  const params = paramCounts(environment.signatures);
  for (let start = 0; start < words.length; ) {
    const end = start + 1 + (words[start] as number);
    const number = words[start + 1];
    const signature = words[start + 2] as number;
    const checker = new Checker(words, start + 4, end, returns, environment.functionSignatures, params[signature] as number);
    let at = checker.at;
    try {
      if (end > words.length) throw new Error('the function is longer than the program');
      while (checker.at < end) {
        at = checker.at;
        checker.instruction();
      }
      checker.finish();
    } catch (error) {
      throw new Error(`CLIF program of function ${number}, word ${at - start}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    start = end;
  }
}
