// What came of a call, as text that two engines can be compared by.
import { show } from './values.mjs';

/** What V8's messages and Heddle's codes say, in classes that both tell apart. V8 has one message for what Heddle tells in two. */
const KINDS = [
  ['stack', /call stack/i, /STACK_OVERFLOW|TOO_MANY_STACKS/],
  ['unreachable', /unreachable/, /UNREACHABLE/],
  ['division by zero', /(divide|remainder) by zero|remainder by zero/, /DIVISION_BY_ZERO/],
  ['overflow', /result unrepresentable|float unrepresentable/, /INTEGER_OVERFLOW|BAD_CONVERSION/],
  // Which of the two is looked at first differs between versions of V8.
  ['memory', /memory access out of bounds|data segment|unaligned/, /MEMORY_BOUNDS|UNALIGNED/],
  ['table', /table.*out of bounds|table index|element segment|table access/, /TABLE_BOUNDS|UNDEFINED_ELEMENT/],
  ['signature', /signature mismatch|null function/, /INDIRECT_CALL_TYPE|UNINITIALIZED_ELEMENT/],
  ['null', /null pointer|null reference|rethrowing null/, /NULL_/],
  ['cast', /illegal cast/, /CAST/],
  ['array', /array (index|element access|access) out of bounds|array.*out of bounds/, /ARRAY_BOUNDS/],
  ['room', /requested new array is too large/, /ARRAY_SIZE|OUT_OF_MEMORY/],
  ['shared', /Atomics\.wait|shared memory/, /EXPECTED_SHARED/],
];

/** What an import of the fuzzer's throws. */
export class HostError extends Error {}

/** The class of what was thrown. */
export function kindOf(error) {
  if (error instanceof HostError) return `host ${error.message}`;
  if (Object.prototype.toString.call(error) === '[object WebAssembly.Exception]') return 'exception';
  const code = typeof error?.code === 'string' ? error.code : '';
  if (code === 'HEDDLE_MEMORY') return 'room';
  for (const [kind, message, heddle] of KINDS) {
    if (code.startsWith('HEDDLE_TRAP') ? heddle.test(code) : message.test(String(error?.message))) return kind;
  }
  return `${error?.constructor?.name ?? typeof error}`;
}

/** Runs something; the text of what came of it, by `text`. */
export function outcome(run, text = show) {
  try {
    return text(run());
  } catch (error) {
    return `threw ${kindOf(error)}`;
  }
}

/** Whether the engines may differ from here on: where stacks end, how much room there is, and what was done before, is their own affair. */
export function endsComparison(text) {
  return text === 'threw stack' || text === 'threw room';
}
