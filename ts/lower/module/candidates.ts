/**
 * Functions that calls of them are replaced with: small ones that suspend, resume or switch. A return behind a switch of stacks is mispredicted, which costs
 * more than the switch itself (docs/decisions/0006).
 */
import type { ModuleDescription } from '../../validate/description.js';
import { OP, operatorEnd } from '../program/stream.js';
import { hasContinuations } from '../program/types.js';

/** Greatest body that is inlined, in bytes of the module: a wrapper around one resume with a few clauses, not a scheduler. */
const LARGEST_BODY = 160;
/** Most declared locals of one that is: each becomes a variable of the caller. */
const MOST_LOCALS = 16;

/** Operators that switch stacks. */
const SWITCHING = new Set<number>([OP.suspend, OP.resume, OP.resumeThrow, OP.resumeThrowRef, OP.switch]);
/** Operators that end the frame which they stand in: a body with one keeps a frame of its own. */
const LEAVING = new Set<number>([OP.returnCall, OP.returnCallIndirect, OP.returnCallRef]);

/** Whether a function of this operator stream is worth inlining. */
function isWorth(ops: Uint32Array): boolean {
  const runs = ops[0] as number;
  let locals = 0;
  for (let i = 0; i < runs; i++) locals += ops[1 + 2 * i] as number;
  if (locals > MOST_LOCALS) return false;
  let switches = false;
  for (let at = 1 + 2 * runs; at < ops.length; at = operatorEnd(ops, at)) {
    const opcode = ops[at] as number;
    if (LEAVING.has(opcode)) return false;
    switches ||= SWITCHING.has(opcode);
  }
  return switches;
}

/** The candidates of one module. Which functions they are follows from the module alone, so every thread finds the same. */
export class InlineCandidates {
  readonly #description: ModuleDescription;
  readonly #bytes: Uint8Array;
  readonly #operators: (definedIndex: number) => Uint32Array;
  readonly #known = new Map<number, Uint32Array | undefined>();
  readonly #none: boolean;

  /** `bytes` is the module; `operators` gives the stream of a defined function. */
  constructor(description: ModuleDescription, bytes: Uint8Array, operators: (definedIndex: number) => Uint32Array) {
    this.#description = description;
    this.#bytes = bytes;
    this.#operators = operators;
    this.#none = !hasContinuations(description);
  }

  /** The operator stream of a defined function whose calls are to be replaced with it, else undefined. */
  stream(definedIndex: number): Uint32Array | undefined {
    if (this.#none) return undefined;
    if (!this.#known.has(definedIndex)) this.#known.set(definedIndex, this.#find(definedIndex));
    return this.#known.get(definedIndex);
  }

  #find(definedIndex: number): Uint32Array | undefined {
    const { bodies } = this.#description;
    const body = this.#bytes.subarray(bodies[2 * definedIndex], bodies[2 * definedIndex + 1]);
    // Decoded only where the bytes could hold what matters.
    if (body.length > LARGEST_BODY || !body.some((byte) => SWITCHING.has(byte))) return undefined;
    const ops = this.#operators(definedIndex);
    return isWorth(ops) ? ops : undefined;
  }
}
