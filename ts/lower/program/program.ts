/**
 * Writes CLIF programs (contract/formats.md, section 5): the one place that knows how instructions become words, and that counts values, blocks,
 * variables and stack slots as the crate does when it reads them.
 */
import { KIND, OPCODE, TYPE } from '../../generated/clif.js';

/** A value, block, variable or stack slot is its number. */
export type Value = number;
/** See {@link Value}. */
export type Block = number;

/** No arguments. */
export const NONE: readonly Value[] = [];

/** A branch: a block and the values of its params. In a `try_call` also {@link returned} and {@link payload}. */
export interface BlockCall {
  readonly block: Block;
  readonly args: readonly Value[];
}

/** In the normal block call of a `try_call`: its i-th return. */
export const returned = (i: number): number => -(1 + 2 * i);

/** In a handler's block call: word i of the exception's payload. */
export const payload = (i: number): number => -(2 + 2 * i);

/** One item of a `try_call`'s handler list: the context for the items after it, or the handler of a tag's number. */
export type CatchItem =
  | { readonly kind: 'context'; readonly value: Value }
  | { readonly kind: 'tag'; readonly tag: number; readonly target: BlockCall };

const CONTEXT_ITEM = -2;

/** Flag of a function: its prologue checks the stack limit. */
const CHECK_STACK = 1;
/** Flag of a block: not on the hot path. */
const COLD = 1;

/** The first word of an instruction. */
export function head(kind: number, opcode = 0, type = 0, flags = 0): number {
  return kind | (opcode << 8) | (type << 16) | (flags << 24);
}

/** Writes one or more functions. Every method that makes values returns the number of the first. */
export class Program {
  #words = new Int32Array(1 << 12);
  #length = 0;
  #start = 0;
  #values = 0;
  #blocks = 0;
  #variables = 0;
  #slots = 0;

  /**
   * Begins a function whose entry block has `params` params: values 0 and up. Whatever it is, it makes its frame only
   * where the stack has room for it (docs/decisions/0017).
   */
  begin(number: number, signature: number, params: number): void {
    this.#room(4);
    this.#start = this.#length;
    this.#length++;
    this.#word(number);
    this.#word(signature);
    this.#word(CHECK_STACK);
    this.#values = params;
    this.#blocks = 1;
    this.#variables = 0;
    this.#slots = 0;
  }

  /** Ends the function. */
  end(): void {
    this.#words[this.#start] = this.#length - this.#start - 1;
  }

  /** Words so far. */
  get length(): number {
    return this.#length;
  }

  /** The words of every function so far; the program is empty afterwards. */
  take(): Int32Array {
    const words = this.#words.slice(0, this.#length);
    this.#length = 0;
    return words;
  }

  #room(count: number): void {
    const need = this.#length + count;
    if (need <= this.#words.length) return;
    const grown = new Int32Array(Math.max(need, this.#words.length * 2));
    grown.set(this.#words.subarray(0, this.#length));
    this.#words = grown;
  }

  /** Room was made. */
  #word(word: number): void {
    this.#words[this.#length++] = word;
  }

  #list(values: readonly number[]): void {
    this.#room(values.length + 1);
    this.#word(values.length);
    for (const value of values) this.#word(value);
  }

  #branch(block: Block, args: readonly Value[]): void {
    this.#room(1);
    this.#word(block);
    this.#list(args);
  }

  /** An instruction without operands and with one result. */
  make0(first: number): Value {
    this.#room(1);
    this.#word(first);
    return this.#values++;
  }

  /** An instruction of one operand word and one result. */
  make1(first: number, a: number): Value {
    this.#room(2);
    this.#word(first);
    this.#word(a);
    return this.#values++;
  }

  /** An instruction of two operand words and one result. */
  make2(first: number, a: number, b: number): Value {
    this.#room(3);
    this.#word(first);
    this.#word(a);
    this.#word(b);
    return this.#values++;
  }

  /** An instruction of three operand words and one result. */
  make3(first: number, a: number, b: number, c: number): Value {
    this.#room(4);
    this.#word(first);
    this.#word(a);
    this.#word(b);
    this.#word(c);
    return this.#values++;
  }

  /** An instruction of any operand words and one result. */
  makeMany(first: number, words: readonly number[]): Value {
    this.#room(1 + words.length);
    this.#word(first);
    for (const word of words) this.#word(word);
    return this.#values++;
  }

  /** An instruction without operands and without results. */
  do0(first: number): void {
    this.#room(1);
    this.#word(first);
  }

  /** An instruction of one operand word and no result. */
  do1(first: number, a: number): void {
    this.#room(2);
    this.#word(first);
    this.#word(a);
  }

  /** An instruction of two operand words and no result. */
  do2(first: number, a: number, b: number): void {
    this.#room(3);
    this.#word(first);
    this.#word(a);
    this.#word(b);
  }

  /** An instruction of three operand words and no result. */
  do3(first: number, a: number, b: number, c: number): void {
    this.#room(4);
    this.#word(first);
    this.#word(a);
    this.#word(b);
    this.#word(c);
  }

  /** An instruction of the Unary format; type 0 is the operand's. */
  unary(opcode: number, type: number, a: Value): Value {
    return this.make1(head(KIND.unary, opcode, type), a);
  }

  /** An instruction of the Binary format with one result. */
  binary(opcode: number, a: Value, b: Value): Value {
    return this.make2(head(KIND.binary, opcode), a, b);
  }

  /** An instruction of the Ternary format. */
  ternary(opcode: number, a: Value, b: Value, c: Value): Value {
    return this.make3(head(KIND.ternary, opcode), a, b, c);
  }

  /** An integer comparison; the result is an I8 of 0 or 1. */
  icmp(condition: number, a: Value, b: Value): Value {
    return this.make2(head(KIND.icmp, condition), a, b);
  }

  /** A constant of type I8 or I32. */
  iconst(type: number, value: number): Value {
    return this.make1(head(KIND.iconst, 0, type), value);
  }

  /** A constant of type I64 by its halves. */
  iconst64(low: number, high: number): Value {
    return this.make2(head(KIND.iconst, 0, TYPE.I64), low, high);
  }

  /** A constant of type I64 from a safe integer that is not negative. */
  address(value: number): Value {
    return this.iconst64(value | 0, Math.floor(value / 2 ** 32));
  }

  /** A load of a whole value. */
  load(type: number, flags: number, address: Value, offset: number): Value {
    return this.make2(head(KIND.load, OPCODE.load, type, flags), address, offset);
  }

  /** A store of a whole value. */
  store(flags: number, value: Value, address: Value, offset: number): void {
    this.do3(head(KIND.store, OPCODE.store, 0, flags), value, address, offset);
  }

  /** A new variable, for a local. */
  variable(type: number): number {
    this.do0(head(KIND.declareVar, 0, type));
    return this.#variables++;
  }

  /** The variable's value here. */
  useVariable(variable: number): Value {
    return this.make1(KIND.useVar, variable);
  }

  /** Gives a variable a value from here on. */
  defineVariable(variable: number, value: Value): void {
    this.do2(KIND.defVar, variable, value);
  }

  /** A new block with params of these types. */
  block(types: readonly number[], cold = false): Block {
    this.do0(head(KIND.block, 0, 0, cold ? COLD : 0));
    this.#list(types);
    return this.#blocks++;
  }

  /** What follows belongs to the block. Returns the first of its params. */
  switchTo(block: Block, params: number): Value {
    this.do1(KIND.switchTo, block);
    const first = this.#values;
    this.#values += params;
    return first;
  }

  /** No more branches to the block follow. A branch after this makes silently wrong code. */
  seal(block: Block): void {
    this.do1(KIND.seal, block);
  }

  /** Ends the block with a branch. */
  jump(block: Block, args: readonly Value[] = NONE): void {
    this.do0(KIND.jump);
    this.#branch(block, args);
  }

  /** Ends the block: `yes` where the value is not 0, else `no`. */
  brif(value: Value, yes: Block, yesArgs: readonly Value[], no: Block, noArgs: readonly Value[]): void {
    this.do1(KIND.brif, value);
    this.#branch(yes, yesArgs);
    this.#branch(no, noArgs);
  }

  /** Ends the block: target number `value` (an I32), or the default. All get the same arguments. */
  brTable(value: Value, targets: readonly Block[], otherwise: Block, args: readonly Value[]): void {
    this.do1(KIND.brTable, value);
    this.#branch(otherwise, args);
    this.#room(1);
    this.#word(targets.length);
    for (const target of targets) this.#branch(target, args);
  }

  /** Ends the block and the function. */
  return(values: readonly Value[]): void {
    this.do0(KIND.return);
    this.#list(values);
  }

  /** A call of a function number with `results` results. */
  call(callee: number, args: readonly Value[], results: number): Value {
    this.do1(KIND.call, callee);
    return this.#called(args, results);
  }

  /** A call of an address. */
  callIndirect(signature: number, callee: Value, args: readonly Value[], results: number): Value {
    this.do2(KIND.callIndirect, signature, callee);
    return this.#called(args, results);
  }

  #called(args: readonly Value[], results: number): Value {
    this.#list(args);
    const first = this.#values;
    this.#values += results;
    return first;
  }

  /** Ends the function with a call in its place. */
  returnCall(callee: number, args: readonly Value[]): void {
    this.do1(KIND.returnCall, callee);
    this.#list(args);
  }

  /** Ends the function with a call of an address in its place. */
  returnCallIndirect(signature: number, callee: Value, args: readonly Value[]): void {
    this.do2(KIND.returnCallIndirect, signature, callee);
    this.#list(args);
  }

  /** Ends the block with a call that goes on at a block, or at a handler. */
  tryCall(callee: number, args: readonly Value[], normal: BlockCall, handlers: readonly CatchItem[]): void {
    this.do1(KIND.tryCall, callee);
    this.#tried(args, normal, handlers);
  }

  /** See {@link tryCall}. */
  tryCallIndirect(signature: number, callee: Value, args: readonly Value[], normal: BlockCall, handlers: readonly CatchItem[]): void {
    this.do2(KIND.tryCallIndirect, signature, callee);
    this.#tried(args, normal, handlers);
  }

  #tried(args: readonly Value[], normal: BlockCall, handlers: readonly CatchItem[]): void {
    this.#list(args);
    this.#branch(normal.block, normal.args);
    this.#room(1 + 2 * handlers.length);
    this.#word(handlers.length);
    for (const item of handlers) {
      this.#room(2);
      if (item.kind === 'context') {
        this.#word(CONTEXT_ITEM);
        this.#word(item.value);
      } else {
        this.#word(item.tag);
        this.#branch(item.target.block, item.target.args);
      }
    }
  }

  /** Ends the block with a trap. */
  trap(code: number): void {
    this.do0(head(KIND.trap, code));
  }

  /** Traps where the value is not 0. */
  trapnz(code: number, value: Value): void {
    this.do1(head(KIND.trapnz, code), value);
  }

  /** Traps where the value is 0. */
  trapz(code: number, value: Value): void {
    this.do1(head(KIND.trapz, code), value);
  }

  /** The source location of what follows. */
  location(offset: number): void {
    this.do1(KIND.srcloc, offset);
  }

  /** A new stack slot. */
  stackSlot(size: number, alignLog2: number): number {
    this.do2(KIND.stackSlot, size, alignLog2);
    return this.#slots++;
  }

  /** The address of a stack slot. */
  stackAddress(slot: number): Value {
    return this.make2(KIND.stackAddr, slot, 0);
  }

  /** A load that is never moved, merged or dropped. It takes no offset. */
  atomicLoad(type: number, flags: number, address: Value): Value {
    return this.make1(head(KIND.atomicLoad, 0, type, flags), address);
  }
}
