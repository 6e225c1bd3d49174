/**
 * Code that makes values of any types, and code that takes values of any types off the stack and tells the log about them.
 */
import { type FunctionBuilder, nullable, type Place, type ProgramBuilder } from './builder.js';
import { type Code, fieldsOf, isRef, type LogType, type RefType, typeKey, type ValueType } from './program.js';
import type { Random } from './random.js';

export const i32 = (value: number): Code[number] => ({ op: 'const', type: 'i32', value });

/** Reads a place. */
export function get(place: Place): Code {
  if (place.kind === 'table') return [i32(place.at), { op: 'table.get', index: place.index }];
  return [{ op: place.kind === 'global' ? 'global.get' : 'local.get', index: place.index }];
}

/** Writes a place with what the code leaves. */
export function set(place: Place, value: Code): Code {
  if (place.kind === 'table') return [i32(place.at), ...value, { op: 'table.set', index: place.index }];
  return [...value, { op: place.kind === 'global' ? 'global.set' : 'local.set', index: place.index }];
}

/** Writes a place with what lies on the stack. */
export function setFromStack(place: Place, fn: FunctionBuilder): Code {
  if (place.kind !== 'table') return set(place, []);
  const index = fn.temporary(place.type);
  return [{ op: 'local.set', index }, ...set(place, [{ op: 'local.get', index }])];
}

/** What making and taking values needs of the program. */
export interface Store {
  readonly random: Random;
  readonly builder: ProgramBuilder;
  /** The function type [] -> [i32] and functions of it, which function references of payloads are of. */
  readonly leafType: number;
  readonly leaves: readonly FunctionBuilder[];
  /** A place for a reference of a type. */
  placeFor(fn: FunctionBuilder, type: ValueType): Place;
  /** A function with which to start a continuation of a type; undefined where the level allows none. */
  start(fn: FunctionBuilder, cont: number): FunctionBuilder | undefined;
}

function reference(store: Store, fn: FunctionBuilder, type: RefType): Code {
  const { random, builder } = store;
  const { to } = type;
  const empty: Code = [{ op: 'ref.null', type: nullable(to) }];
  if (to === store.leafType) return random.chance(10) ? empty : [{ op: 'ref.func', func: random.pick(store.leaves).number }];
  const known = builder.places.filter(
    (place) => isRef(place.type) && place.type.to === to && (place.kind !== 'local' || place.func === fn.number),
  );
  if (known.length > 0 && random.chance(45)) return get(random.pick(known));
  if (builder.isStructure(type)) return random.chance(8) ? empty : structure(store, fn, to);
  const started = random.chance(75) ? store.start(fn, to) : undefined;
  if (started === undefined) return empty;
  return [
    { op: 'ref.func', func: started.number },
    { op: 'cont.new', type: to },
  ];
}

/** Fields of a structure, as `ProgramBuilder.structure` orders them. */
const FIELD = { number: 0, value: 1, next: 2, continuation: 3 } as const;

/** A new structure, of which another one and a continuation may hang. */
function structure(store: Store, fn: FunctionBuilder, type: number): Code {
  const { random, builder } = store;
  const fields = fieldsOf(builder.program, type);
  const next = fields[FIELD.next] as ValueType;
  const made = fields.flatMap((field) =>
    field === next && random.chance(50) ? ([{ op: 'ref.null', type: nullable(type) }] satisfies Code) : value(store, fn, field),
  );
  return [...made, { op: 'struct.new', type }];
}

/** Adds to a structure's number, which all that refer to it see, logs what it has, and puts its continuation into a place. */
function takeStructure(store: Store, fn: FunctionBuilder, type: RefType): Code {
  const { random, builder } = store;
  const { to } = type;
  const index = fn.temporary(nullable(to));
  const got: Code[number] = { op: 'local.get', index };
  const field = (at: number): Code => [got, { op: 'struct.get', type: to, field: at }];
  const ifThere = (yes: Code): Code => [got, { op: 'ref.is_null' }, { op: 'if', label: builder.label(), yes: [], no: yes }];
  const continuation = fieldsOf(builder.program, to)[FIELD.continuation] as ValueType;
  const code: Code = [
    ...(random.chance(40) ? set(store.placeFor(fn, nullable(to)), [got]) : []),
    got,
    ...field(FIELD.number),
    i32(1),
    { op: 'numeric', name: 'i32.add' },
    { op: 'struct.set', type: to, field: FIELD.number },
    ...field(FIELD.number),
    ...field(FIELD.value),
    builder.log(['i32', 'externref']),
    ...field(FIELD.continuation),
    ...setFromStack(store.placeFor(fn, continuation), fn),
    ...field(FIELD.next),
    { op: 'local.set', index },
    ...ifThere([...field(FIELD.number), builder.log(['i32'])]),
  ];
  // Null is looked at only where it is not to be a trap.
  return [{ op: 'local.set', index }, ...(random.chance(95) ? ifThere(code) : code)];
}

function value(store: Store, fn: FunctionBuilder, type: ValueType): Code {
  const { random } = store;
  if (isRef(type)) return reference(store, fn, type);
  switch (type) {
    case 'i32':
      return [i32(random.chance(80) ? random.below(100) : random.int32())];
    case 'i64':
      return [{ op: 'const', type, value: random.int64() }];
    case 'f32':
    case 'f64':
      return [{ op: 'const', type, value: random.int32() / 4096 }];
    case 'v128':
      return [{ op: 'const', type, value: BigInt.asUintN(128, (random.int64() << 64n) ^ random.int64()) }];
    case 'externref':
      if (random.chance(15)) return [{ op: 'ref.null', type }];
      return [i32(random.below(10)), { op: 'call_import', name: 'make_ref' }];
    case 'exnref':
      return get(store.placeFor(fn, type));
  }
}

/** Pushes values of these types. f32 constants are exact. */
export function values(store: Store, fn: FunctionBuilder, types: readonly ValueType[]): Code {
  return types.flatMap((type) => value(store, fn, type).map((instruction) => rounded(instruction)));
}

/** An f32 constant is what an f32 can hold. */
function rounded(instruction: Code[number]): Code[number] {
  if (instruction.op !== 'const' || instruction.type !== 'f32') return instruction;
  return { ...instruction, value: Math.fround(instruction.value) };
}

/** Every so many values of a long run are looked at: a number that has no factor in common with the numbers of registers and slots. */
const SPARSE = 11;
const FOLD: Code = [i32(31), { op: 'numeric', name: 'i32.mul' }, { op: 'numeric', name: 'i32.add' }];
/** The value on top goes, the one below stays. */
const DROP: Code = [{ op: 'drop' }];

/** From how many values on they are folded into one before they are logged. */
const FOLDED = 16;

function take(store: Store, fn: FunctionBuilder, type: ValueType): Code {
  const { builder } = store;
  if (builder.isStructure(type)) return takeStructure(store, fn, type);
  if (isRef(type) && type.to !== store.leafType) return setFromStack(store.placeFor(fn, nullable(type.to)), fn);
  if (isRef(type)) {
    const index = fn.temporary(nullable(type.to));
    const got: Code[number] = { op: 'local.get', index };
    const call: Code = [got, { op: 'call_ref', type: type.to }, builder.log(['i32'])];
    return [{ op: 'local.set', index }, got, { op: 'ref.is_null' }, { op: 'if', label: builder.label(), yes: [], no: call }];
  }
  switch (type) {
    case 'v128': {
      const index = fn.temporary(type);
      const lane = (name: 'i64x2.extract_lane 0' | 'i64x2.extract_lane 1'): Code => [
        { op: 'local.get', index },
        { op: 'numeric', name },
        builder.log(['i64']),
      ];
      return [{ op: 'local.set', index }, ...lane('i64x2.extract_lane 0'), ...lane('i64x2.extract_lane 1')];
    }
    case 'exnref':
      return setFromStack(store.placeFor(fn, type), fn);
    default:
      return [builder.log([type])];
  }
}

/** Takes values of these types off the stack; what they are is seen in the log, sooner or later. */
export function sink(store: Store, fn: FunctionBuilder, types: readonly ValueType[]): Code {
  const left = [...types];
  const code: Code = [];
  // Of long runs of i32 one in so many is folded into the last: the number depends on its place. The rest is dropped, which keeps the code small.
  while (left.length > FOLDED && left[left.length - 1] === 'i32' && left[left.length - 2] === 'i32') {
    left.pop();
    const used = left.length % SPARSE === 0 || left.length < 4 * FOLDED;
    code.push(...(used ? FOLD : DROP));
  }
  while (left.length > 0) {
    const logged: LogType[] = [];
    for (let type = left[left.length - 1]; type !== undefined && isLogged(type) && logged.length < FOLDED; type = left[left.length - 1]) {
      logged.unshift(type);
      left.pop();
    }
    if (logged.length > 0) code.push(store.builder.log(logged));
    const type = left.pop();
    if (type !== undefined) code.push(...take(store, fn, type));
  }
  return code;
}

const isLogged = (type: ValueType): type is LogType => !isRef(type) && type !== 'v128' && type !== 'exnref';

/** Logs the parameters of the function, as far as they are numbers, and puts references into places. */
export function sinkParams(store: Store, fn: FunctionBuilder): Code {
  const { params } = fn.signature;
  const code: Code = params.map((_type, index) => ({ op: 'local.get', index }));
  return [...code, ...sink(store, fn, params)];
}

/** Whether a place holds references of a type. */
export const holds = (place: Place, type: ValueType): boolean => typeKey(place.type) === typeKey(type);
