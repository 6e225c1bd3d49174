/**
 * What the imports do, in the reference interpreter. `env.ts` has the same for engines.
 */
import type { Machine } from './machine.js';
import { numberText, Trap, thrownText, trapText, Uncaught, valueText } from './outcomes.js';
import { type ImportName, isRef, JS_TAG, type Program, tagSignature, type ValueType } from './program.js';
import { type Exception, HostValue, type Value } from './values.js';

/** JavaScript throws a value of its own. */
export class HostThrow extends Error {
  constructor(readonly value: HostValue) {
    super(value.name);
  }
}

/** How a value of an exception looks where JavaScript reads it: what cannot cross is a question mark. */
function payloadText(value: Value | undefined): string {
  if (value === null || value === undefined) return 'null';
  return value instanceof HostValue ? value.name : numberText(value as number | bigint);
}

const readable = (type: ValueType): boolean => type !== 'v128' && type !== 'exnref' && !isRef(type);

function exceptionText(program: Program, { tag, values }: Exception): string {
  if (tag === JS_TAG) return valueText((values[0] as HostValue).name);
  return thrownText(
    tag,
    tagSignature(program, tag).params.map((type, i) => (readable(type) ? payloadText(values[i]) : '?')),
  );
}

/** How a call ended that threw. Errors of the interpreter itself are thrown on. */
export function endText(program: Program, error: unknown): string {
  if (error instanceof Trap) return trapText(error.kind);
  if (error instanceof Uncaught) return exceptionText(program, error.exception);
  throw error;
}

/** Tells the log some values. */
export function logValues(machine: Machine, values: readonly Value[]): void {
  machine.log.push(values.map((value) => payloadText(value)).join(' '));
}

/** Calls an import. Throws HostThrow, and what exports throw. */
export function callImport(machine: Machine, name: ImportName, values: readonly Value[]): Value[] {
  const [first, second] = values;
  switch (name) {
    case 'make_ref':
      return [new HostValue(`value ${first}`)];
    case 'throw_value':
      throw new HostThrow(new HostValue(`value ${first}`));
    case 'call_export':
      return machine.invoke(first as number, [second as number]);
    case 'catch_export':
      try {
        return machine.invoke(first as number, [second as number]);
      } catch (error) {
        machine.log.push(endText(machine.program, error));
        return [-1];
      }
  }
}
