/**
 * Locals that no operator names. A function declares 50,000 of them in five bytes; each would cost a variable.
 */
import { OP, operatorEnd } from '../program/stream.js';

/** So many are declared as they are: a function that has fewer is not looked through. */
const FEW = 1_000;

/** The stream of a function with `params` params: as it is, or, where it declares very many locals, without those that it does not name. */
export function withoutUnusedLocals(ops: Uint32Array, params: number): Uint32Array {
  const runs = ops[0] as number;
  const types: { readonly end: number; readonly type: number }[] = [];
  let end = params;
  for (let i = 0; i < runs; i++) {
    end += ops[1 + 2 * i] as number;
    types.push({ end, type: ops[2 + 2 * i] as number });
  }
  if (end - params <= FEW) return ops;
  const start = 1 + 2 * runs;
  const used = namedLocals(ops, start, params);
  // One run for each local: how many there are does not matter, because operators name them.
  const kept = new Uint32Array(1 + 2 * used.length + ops.length - start);
  kept[0] = used.length;
  const numbers = new Map<number, number>();
  let run = 0;
  used.forEach((local, i) => {
    while ((types[run]?.end ?? Number.POSITIVE_INFINITY) <= local) run++;
    kept[1 + 2 * i] = 1;
    kept[2 + 2 * i] = types[run]?.type ?? 0;
    numbers.set(local, params + i);
  });
  const body = 1 + 2 * used.length;
  kept.set(ops.subarray(start), body);
  for (let at = body; at < kept.length; at = operatorEnd(kept, at)) {
    if (!namesLocal(kept[at] as number)) continue;
    const local = kept[at + 2] as number;
    kept[at + 2] = numbers.get(local) ?? local;
  }
  return kept;
}

function namesLocal(opcode: number): boolean {
  return opcode >= OP.localGet && opcode <= OP.localTee;
}

/** The locals behind the params that operators name, ascending. */
function namedLocals(ops: Uint32Array, start: number, params: number): number[] {
  const named = new Set<number>();
  for (let at = start; at < ops.length; at = operatorEnd(ops, at)) {
    if (namesLocal(ops[at] as number) && (ops[at + 2] as number) >= params) named.add(ops[at + 2] as number);
  }
  return [...named].sort((a, b) => a - b);
}
