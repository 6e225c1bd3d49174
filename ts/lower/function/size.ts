/**
 * How large a function's code becomes, estimated from its operator stream in time that is linear in the stream. Operators are few bytes each, but some
 * stand for more: a local that is set inside a block becomes a param of the block and an argument of each branch to it, a call has all params and
 * results of its type. What the estimate decides: whether locals are variables or lie in the frame (`usesSlots`), and what is refused (`compile/limits.ts`).
 */
import type { Arities, Arity } from '../module/arities.js';
import { OP, operatorEnd } from '../program/stream.js';

/** A function's estimate. Each number is at least what the code needs. */
export interface FunctionSize {
  /** Operators that become code, and targets of br_tables. */
  readonly operators: number;
  /** Instructions of Cranelift, roughly: operators, with what those of continuations and exceptions stand for. */
  readonly instructions: number;
  /** Params and locals. */
  readonly locals: number;
  /** Basic blocks. */
  readonly blocks: number;
  /** Params of blocks, and arguments of branches to them, that are made for locals where these are variables. */
  readonly localArguments: number;
  /** Operands that operators hand on: params and results of the function, of calls and blocks, arguments of branches. */
  readonly operands: number;
  /** Loops around the innermost loop, itself included. */
  readonly nestedLoops: number;
  /** Byte offset in the module of the first loop that is so deep; -1 where there is none. */
  readonly innermostLoop: number;
}

/** Block params and arguments that the locals of any function may become, and so many more for each of its operators. */
const FREE_ARGUMENTS = 2_000;
const ARGUMENTS_EACH = 8;
/** Cranelift's builder keeps a word for each variable and block. So many may be in any function, and so many more for each operator. */
const FREE_WORDS = 1_000_000;
const WORDS_EACH = 64;

/** Whether locals lie in the frame: there each use costs the same, however many blocks and locals there are. */
export function areTooMany({
  operators,
  locals,
  blocks,
  localArguments,
}: Pick<FunctionSize, 'operators' | 'locals' | 'blocks' | 'localArguments'>): boolean {
  return localArguments > FREE_ARGUMENTS + ARGUMENTS_EACH * operators || locals * blocks > FREE_WORDS + WORDS_EACH * operators;
}

/**
 * The most that an estimate could say, without looking at which locals are set where: every local in every block and branch. A third of the estimate's time, and
 * enough for nearly all functions.
 */
function mayBeTooMany(ops: Uint32Array, locals: number): boolean {
  let operators = 0;
  let calls = 0;
  let tries = 0;
  // The function's own.
  let edges = 2;
  for (let at = 1 + 2 * (ops[0] as number), end = at; at < ops.length; at = end) {
    operators++;
    end = operatorEnd(ops, at);
    const opcode = ops[at] as number;
    if (opcode < OP.drop) {
      if (opcode === OP.end || opcode === OP.else) continue;
      if (opcode >= OP.call && opcode <= OP.returnCallRef) calls++;
      else if (opcode === OP.brTable) edges += end - at;
      else edges += 3; // A block, its own edge and a second one of an if or a try.
      if (opcode === OP.try) tries++;
    } else if (opcode === OP.tryTable) {
      tries++;
      edges += end - at;
    } else if ((opcode >= OP.brOnNull && opcode <= OP.switch) || isCast(opcode)) {
      calls++;
      edges += end - at;
    }
  }
  // A call inside a try is a branch.
  const localArguments = locals * (edges + (tries > 0 ? calls : 0));
  return areTooMany({ operators, locals, blocks: 2 * edges + 8 * calls, localArguments });
}

/** Whether a function's locals lie in its frame. */
export function usesSlots(ops: Uint32Array, arity: Arity, arities: Arities): boolean {
  return mayBeTooMany(ops, localsOf(ops, arity)) && areTooMany(functionSize(ops, arity, arities));
}

/** Params and locals of a function. */
function localsOf(ops: Uint32Array, { params }: Arity): number {
  let locals = params;
  const runs = ops[0] as number;
  for (let i = 0; i < runs; i++) locals += ops[1 + 2 * i] as number;
  return locals;
}

/** A frame that is open. */
interface OpenFrame {
  /** How many frames were opened before it; the function is 0. */
  readonly opened: number;
  readonly loop: boolean;
  /** Where calls in it go on with an exception: the innermost try around it, itself included. */
  scope: OpenFrame | undefined;
  /** Operands that a branch to it takes. */
  readonly arity: number;
  /** Branches to it, and calls whose exceptions come to it. */
  edges: number;
  /** Distinct locals that are set in it. */
  set: number;
  /** How many of these were set in the frame around it before. */
  first: number;
}

/** Operators whose code may come back with an exception. */
function mayThrow(opcode: number): boolean {
  if (opcode >= OP.call && opcode <= OP.returnCallRef) return true;
  return opcode === OP.throw || opcode === OP.throwRef || opcode === OP.rethrow || (opcode > OP.contBind && opcode <= OP.switch);
}

/** Whether an operator tests a reference's type. */
function isCast(opcode: number): boolean {
  return opcode >= OP.refTest && opcode <= OP.brOnCastFail;
}

/** Basic blocks of a cast, with the branch on it. */
const CAST_BLOCKS = 5;

/** Basic blocks that an operator's own code has, where it is more than none. */
function blocksOf(opcode: number): number {
  switch (opcode) {
    case OP.block:
    case OP.loop:
    case OP.brIf:
    case OP.brOnNull:
    case OP.brOnNonNull:
      return 1;
    case OP.brOnCast:
    case OP.brOnCastFail:
    case OP.refTest:
    case OP.refTestNull:
    case OP.refCast:
    case OP.refCastNull:
      return CAST_BLOCKS;
    case OP.if:
    case OP.try:
    case OP.tryTable:
      return 3;
    default:
      if (opcode >= OP.contBind && opcode <= OP.switch) return 8;
      return mayThrow(opcode) ? 1 : 0;
  }
}

/** Instructions that an operator of continuations, a throw, and a call with an exception edge become, beyond one. */
const SWITCH_INSTRUCTIONS = 79;
const THROW_INSTRUCTIONS = 15;
const EDGE_INSTRUCTIONS = 3;
/** The prefix of operators on structures and arrays, i31 and casts; and what one becomes, beyond one instruction and a store for each operand. */
const OBJECTS = 0xfb;
const OBJECT_INSTRUCTIONS = 15;
/** Basic blocks of what makes a structure. */
const NEW_BLOCKS = 3;

/** Reads one stream. */
class Estimator {
  readonly #frames: OpenFrame[];
  /** When a local was last set, in frames that had been opened. */
  readonly #setAt = new Map<number, number>();
  #opened = 0;
  #loops = 0;
  operators = 0;
  /** Instructions beyond one for each operator. */
  more = 0;
  blocks = 1;
  localArguments = 0;
  operands = 0;
  nestedLoops = 0;
  innermostLoop = -1;

  constructor(
    readonly ops: Uint32Array,
    readonly arities: Arities,
    results: number,
  ) {
    this.#frames = [{ opened: 0, loop: false, scope: undefined, arity: results, edges: 1, set: 0, first: 0 }];
  }

  run(): void {
    const { ops } = this;
    for (let at = 1 + 2 * (ops[0] as number); at < ops.length; at = operatorEnd(ops, at)) {
      const opcode = ops[at] as number;
      // No code comes of it.
      if (opcode === OP.nop) continue;
      this.operators++;
      if (opcode >>> 12 === OBJECTS) this.more += OBJECT_INSTRUCTIONS;
      if (opcode === OP.structNew || opcode === OP.structNewDefault) this.blocks += NEW_BLOCKS;
      // Most operators are plain ones.
      if (opcode < OP.drop || opcode === OP.tryTable || opcode === OP.localSet || opcode === OP.localTee) this.#structured(opcode, at + 2);
      else if ((opcode >= OP.brOnNull && opcode <= OP.switch) || isCast(opcode)) this.#structured(opcode, at + 2);
    }
  }

  get #top(): OpenFrame {
    return this.#frames[this.#frames.length - 1] as OpenFrame;
  }

  #frame(depth: number): OpenFrame {
    return this.#frames[this.#frames.length - 1 - depth] ?? this.#top;
  }

  #structured(opcode: number, at: number): void {
    const { ops } = this;
    const immediate = ops[at] as number;
    this.blocks += blocksOf(opcode);
    if (mayThrow(opcode)) {
      const { scope } = this.#top;
      if (scope !== undefined) {
        scope.edges++;
        this.more += EDGE_INSTRUCTIONS;
      }
      if (opcode >= OP.throw && opcode <= OP.throwRef) this.more += THROW_INSTRUCTIONS;
    }
    switch (opcode) {
      case OP.localSet:
      case OP.localTee:
        this.#set(immediate);
        break;
      case OP.block:
      case OP.loop:
      case OP.if:
      case OP.try:
      case OP.tryTable:
        this.#open(opcode, at);
        if (opcode === OP.tryTable) this.#clauses(at + 2);
        break;
      case OP.end:
      case OP.delegate:
        this.#close();
        break;
      case OP.br:
      case OP.brIf:
      case OP.brOnNull:
      case OP.brOnNonNull:
      case OP.brOnCast:
      case OP.brOnCastFail:
        this.#branch(immediate);
        break;
      case OP.brTable:
        this.operators += immediate;
        for (let i = at + 1; i <= at + 1 + immediate; i++) this.#branch(ops[i] as number);
        break;
      case OP.return:
        this.operands += (this.#frames[0] as OpenFrame).arity;
        break;
      case OP.throw:
      case OP.catch:
        this.#move(this.arities.tag(immediate));
        break;
      case OP.call:
      case OP.returnCall:
        this.#move(this.arities.function(immediate));
        break;
      case OP.callIndirect:
      case OP.returnCallIndirect:
      case OP.callRef:
      case OP.returnCallRef:
        this.#move(this.arities.type(immediate));
        break;
      default:
        if (opcode >= OP.contBind && opcode <= OP.switch) this.#switching(opcode, at);
    }
  }

  #move({ params, results }: Arity): void {
    this.operands += params + results;
  }

  #open(opcode: number, at: number): void {
    const kind = this.ops[at] as number;
    const { params, results } = kind === 2 ? this.arities.type(this.ops[at + 1] as number) : { params: 0, results: kind };
    this.operands += params + results;
    const frame: OpenFrame = {
      opened: ++this.#opened,
      loop: opcode === OP.loop,
      scope: this.#top.scope,
      arity: opcode === OP.loop ? params : results,
      edges: opcode === OP.if ? 2 : 1,
      set: 0,
      first: 0,
    };
    if (opcode === OP.try || opcode === OP.tryTable) frame.scope = frame;
    if (frame.loop && ++this.#loops > this.nestedLoops) {
      this.nestedLoops = this.#loops;
      this.innermostLoop = this.ops[at - 1] as number;
    }
    this.#frames.push(frame);
  }

  /** Clauses of a try_table: their labels are those of the frames around it. */
  #clauses(at: number): void {
    const { ops } = this;
    const count = ops[at] as number;
    for (let i = at + 1; i < at + 1 + 3 * count; i += 3) {
      if ((ops[i] as number) < 2) this.#move(this.arities.tag(ops[i + 1] as number));
      this.#branch((ops[i + 2] as number) + 1);
    }
    this.blocks += 2 * count;
  }

  #close(): void {
    if (this.#frames.length === 1) return;
    const frame = this.#frames.pop() as OpenFrame;
    if (frame.loop) this.#loops--;
    this.localArguments += frame.set * (1 + frame.edges);
    const { scope, set } = this.#top;
    this.#top.set = set + frame.set - frame.first;
    // What its clauses do not catch goes on to the scope around.
    if (frame.scope === frame && scope !== undefined) scope.edges++;
  }

  #branch(depth: number): void {
    const frame = this.#frame(depth);
    frame.edges++;
    this.operands += frame.arity;
  }

  /** A local is set. Open frames are ordered by when they were opened, so those in which it was set before are the outer ones. */
  #set(local: number): void {
    const frames = this.#frames;
    const last = this.#setAt.get(local) ?? -1;
    if (last !== this.#opened) this.#setAt.set(local, this.#opened);
    if (last >= this.#top.opened) return;
    let low = 0;
    for (let high = frames.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if ((frames[middle] as OpenFrame).opened > last) high = middle;
      else low = middle + 1;
    }
    this.#top.set++;
    (frames[low] as OpenFrame).first++;
  }

  /** Instructions of continuations: their types, and the clauses of a resume. */
  #switching(opcode: number, at: number): void {
    const { ops, arities } = this;
    this.more += SWITCH_INSTRUCTIONS;
    const first = ops[at] as number;
    const second = ops[at + 1] as number;
    if (opcode === OP.suspend) {
      this.#move(arities.tag(first));
      return;
    }
    this.#move(arities.type(first));
    if (opcode === OP.switch) return;
    if (opcode === OP.contBind) {
      this.#move(arities.type(second));
      return;
    }
    if (opcode === OP.resumeThrow) this.#move(arities.tag(second));
    const list = opcode === OP.resumeThrow ? at + 2 : at + 1;
    const count = ops[list] as number;
    for (let i = list + 1; i < list + 1 + 3 * count; i += 3) {
      if (ops[i] !== 0) continue;
      this.#move(arities.tag(ops[i + 1] as number));
      this.#branch(ops[i + 2] as number);
    }
    this.blocks += 2 * count;
  }
}

/** Estimates a function from its operator stream. */
export function functionSize(ops: Uint32Array, arity: Arity, arities: Arities): FunctionSize {
  const estimator = new Estimator(ops, arities, arity.results);
  estimator.run();
  const { operators, blocks, localArguments, nestedLoops, innermostLoop } = estimator;
  const operands = estimator.operands + arity.params + arity.results;
  const instructions = operators + estimator.more;
  return { operators, instructions, locals: localsOf(ops, arity), blocks, localArguments, operands, nestedLoops, innermostLoop };
}
