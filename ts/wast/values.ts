/**
 * Script values and raw payload slots: NaN bits and vectors never pass through JavaScript numbers.
 */
import type { Engine } from '../instance/engine.js';
import { floatText } from './float_text.js';
import type { ScriptValue } from './script.js';

/** Bytes of a slot. */
export const SLOT = 16;

const LANE_BYTES: Readonly<Record<string, number>> = { i8x16: 1, i16x8: 2, i32x4: 4, i64x2: 8, f32x4: 4, f64x2: 8 };
const NULL = 'null';
const EXTERN_MARK = 1n << 52n;

/** References of scripts: host references, one object per number, and what a reference refers to. */
export class References {
  readonly #engine: Engine;
  readonly #objects = new Map<string, object>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The word of a host reference. */
  word(number: string): bigint {
    return BigInt(this.#engine.values.word(this.object(number)));
  }

  /** What a word that is not null is. */
  kind(word: bigint): 'i31' | 'host' | 'struct' | 'array' {
    if ((word & 1n) === 1n) return 'i31';
    if (word >= EXTERN_MARK) return 'host';
    const { types, values } = this.#engine;
    return types.type(values.typeOf(Number(word))).kind === 'struct' ? 'struct' : 'array';
  }

  object(number: string): object {
    let found = this.#objects.get(number);
    if (found === undefined) {
      found = { externref: number };
      this.#objects.set(number, found);
    }
    return found;
  }
}

/** Writes an argument into a slot. */
export function writeArgument(view: DataView, slot: number, value: ScriptValue, references: References): void {
  const at = SLOT * slot;
  const text = String(value.value);
  switch (value.type) {
    case 'i32':
    case 'f32':
      view.setUint32(at, Number(text), true);
      return;
    case 'i64':
    case 'f64':
      view.setBigUint64(at, BigInt(text), true);
      return;
    case 'v128': {
      const bytes = LANE_BYTES[value.lane ?? ''] ?? 1;
      const lanes = value.value as readonly string[];
      lanes.forEach((lane, i) => writeLane(view, at + i * bytes, bytes, BigInt(lane)));
      return;
    }
    case 'externref':
    case 'anyref':
      view.setBigUint64(at, text === NULL ? 0n : references.word(text), true);
      return;
    default:
      if (text !== NULL) throw new Error(`an argument of type ${value.type} cannot be made`);
      view.setBigUint64(at, 0n, true);
  }
}

function writeLane(view: DataView, at: number, bytes: number, value: bigint): void {
  for (let i = 0; i < bytes; i++) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
}

function readLane(view: DataView, at: number, bytes: number): bigint {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
  return value;
}

function floatMatches(bits: bigint, bytes: number, pattern: string): boolean {
  const [sign, quiet, rest] = bytes === 4 ? [0x8000_0000n, 0x7fc0_0000n, 0x3f_ffffn] : [1n << 63n, 0x7ff8n << 48n, (1n << 51n) - 1n];
  if (pattern === 'nan:canonical') return (bits & ~sign) === quiet;
  if (pattern === 'nan:arithmetic') return (bits & quiet) === quiet && (bits & ~sign & ~rest) === quiet;
  return bits === BigInt(pattern);
}

/** Whether a reference that is not null is of the kind that a script expects. */
function isOfKind(word: bigint, type: string, references: References): boolean {
  switch (type) {
    case 'eqref':
      return references.kind(word) !== 'host';
    case 'i31ref':
    case 'structref':
    case 'arrayref':
      return `${references.kind(word)}ref` === type;
    default:
      return true;
  }
}

/** Whether a result is what a script expects. */
export function matches(view: DataView, slot: number, expected: ScriptValue, references: References): boolean {
  const at = SLOT * slot;
  switch (expected.type) {
    case 'i32':
      return view.getUint32(at, true) === Number(expected.value);
    case 'i64':
      return view.getBigUint64(at, true) === BigInt(String(expected.value));
    case 'f32':
      return floatMatches(readLane(view, at, 4), 4, String(expected.value));
    case 'f64':
      return floatMatches(readLane(view, at, 8), 8, String(expected.value));
    case 'v128': {
      const bytes = LANE_BYTES[expected.lane ?? ''] ?? 1;
      const lanes = expected.value as readonly string[];
      return lanes.every((lane, i) => floatMatches(readLane(view, at + i * bytes, bytes), bytes, lane));
    }
    case 'either':
      return (expected.values ?? []).some((one) => matches(view, slot, one, references));
    default: {
      const word = view.getBigUint64(at, true);
      if (expected.value === NULL) return word === 0n;
      if (expected.value === undefined) return word !== 0n && isOfKind(word, expected.type, references);
      if (expected.type !== 'externref' && expected.type !== 'anyref') return false;
      return word === references.word(String(expected.value));
    }
  }
}

/** What a script expects, for people: `i32 2`. */
export function showExpected(expected: ScriptValue): string {
  const { type, value, lane = '' } = expected;
  if (type === 'either') return (expected.values ?? []).map(showExpected).join(' or ');
  if (value === undefined) return `any ${type}`;
  if (Array.isArray(value)) return `${type} ${lane} ${value.map((text: string) => number(lane.split('x')[0] ?? '', text)).join(' ')}`;
  return `${type} ${number(type, String(value))}`;
}

/** A result for people, as what is expected is shown. */
export function show(view: DataView, slot: number, expected: ScriptValue): string {
  const at = SLOT * slot;
  const { type, lane = '' } = expected;
  if (type === 'either') return show(view, slot, expected.values?.[0] ?? { type: 'i64' });
  if (type === 'v128') {
    const bytes = LANE_BYTES[lane] ?? 1;
    const lanes = Array.from({ length: SLOT / bytes }, (_, i) =>
      number(lane.split('x')[0] ?? '', String(readLane(view, at + i * bytes, bytes))),
    );
    return `${type} ${lane} ${lanes.join(' ')}`;
  }
  const size = type === 'i32' || type === 'f32' ? 4 : 8;
  const word = readLane(view, at, size);
  if (/^[if]/.test(type) && /\d$/.test(type)) return `${type} ${number(type, String(word))}`;
  return `${type} ${word === 0n ? NULL : 'that is not null'}`;
}

/** A number of a type as scripts have it, as people write it. */
function number(type: string, text: string): string {
  const bits = Number(type.slice(1));
  if (!/^\d+$/.test(text)) return text;
  if (type.startsWith('i')) return String(BigInt.asIntN(bits, BigInt(text)));
  return type.startsWith('f') ? floatText(BigInt(text), bits === 32 ? 32 : 64) : text;
}
