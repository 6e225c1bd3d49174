/**
 * Operator streams (contract/formats.md, section 3): the opcodes that are lowered by hand, and how long each operator is.
 */

/** Opcode words of the operators that are not rows of a table. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i64Eqz: 0x50,
  refNull: 0xd0,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  refEq: 0xd3,
  refAsNonNull: 0xd4,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  contNew: 0xe0,
  contBind: 0xe1,
  suspend: 0xe2,
  resume: 0xe3,
  resumeThrow: 0xe4,
  resumeThrowRef: 0xe5,
  switch: 0xe6,
  structNew: 0xfb000,
  structNewDefault: 0xfb001,
  structGet: 0xfb002,
  structGetS: 0xfb003,
  structGetU: 0xfb004,
  structSet: 0xfb005,
  arrayNew: 0xfb006,
  arrayNewDefault: 0xfb007,
  arrayNewFixed: 0xfb008,
  arrayNewData: 0xfb009,
  arrayNewElem: 0xfb00a,
  arrayGet: 0xfb00b,
  arrayGetS: 0xfb00c,
  arrayGetU: 0xfb00d,
  arraySet: 0xfb00e,
  arrayLen: 0xfb00f,
  arrayFill: 0xfb010,
  arrayCopy: 0xfb011,
  arrayInitData: 0xfb012,
  arrayInitElem: 0xfb013,
  refTest: 0xfb014,
  refTestNull: 0xfb015,
  refCast: 0xfb016,
  refCastNull: 0xfb017,
  brOnCast: 0xfb018,
  brOnCastFail: 0xfb019,
  anyConvertExtern: 0xfb01a,
  externConvertAny: 0xfb01b,
  refI31: 0xfb01c,
  i31GetS: 0xfb01d,
  i31GetU: 0xfb01e,
  memoryInit: 0xfc008,
  dataDrop: 0xfc009,
  memoryCopy: 0xfc00a,
  memoryFill: 0xfc00b,
  tableInit: 0xfc00c,
  elemDrop: 0xfc00d,
  tableCopy: 0xfc00e,
  tableGrow: 0xfc00f,
  tableSize: 0xfc010,
  tableFill: 0xfc011,
  v128Const: 0xfd00c,
  i8x16Shuffle: 0xfd00d,
} as const;

const GC = 0xfb;
const VECTOR = 0xfd;
const ATOMIC = 0xfe;
const PREFIXES = ATOMIC - GC + 1;
/** No prefix has more operators than this. */
const PREFIX_SIZE = 0x200;

/** Entries of a table by {@link operatorIndex}. */
export const OPERATOR_COUNT = 0x100 + PREFIXES * PREFIX_SIZE;

/** An opcode word as an index of a dense table. */
export function operatorIndex(opcode: number): number {
  return opcode < 0x100 ? opcode : 0x100 + ((opcode >> 12) - GC) * PREFIX_SIZE + (opcode & 0xfff);
}

/** The number of immediates of each operator, by {@link operatorIndex}; operators with lists have the number of words up to the list's count. */
const IMMEDIATES = new Uint8Array(OPERATOR_COUNT);
/** Words of each entry of an operator's list, by {@link operatorIndex}; 0 for operators without one. */
const LIST_ENTRY = new Uint8Array(OPERATOR_COUNT);

const word = (prefix: number, sub: number): number => (prefix << 12) | sub;

/** An operator, or those from the first to the last. */
type Operators = number | readonly [first: number, last: number];

/** Operators by the number of their immediates; those that are in no row have none. */
const ROWS: readonly (readonly [count: number, operators: readonly Operators[]])[] = [
  // Control and calls.
  [1, [[OP.catch, OP.throw], OP.rethrow, [OP.br, OP.brIf], OP.call, OP.returnCall, [OP.callRef, OP.returnCallRef], OP.delegate]],
  [2, [[OP.block, OP.if], OP.try, OP.callIndirect, OP.returnCallIndirect]],
  [1, [OP.selectTyped]],
  // Locals, globals, tables, memories, constants.
  [1, [[OP.localGet, OP.tableSet], [OP.memorySize, OP.memoryGrow], OP.i32Const, OP.f32Const]],
  [2, [OP.i64Const, OP.f64Const]],
  [3, [[0x28, 0x3e]]],
  // References and continuations.
  [1, [OP.refNull, OP.refFunc, [OP.brOnNull, OP.brOnNonNull], OP.contNew, OP.suspend]],
  [2, [OP.contBind, OP.switch]],
  // Bulk operators.
  [1, [OP.dataDrop, OP.memoryFill, OP.elemDrop, [OP.tableGrow, OP.tableFill]]],
  [2, [OP.memoryInit, OP.memoryCopy, OP.tableInit, OP.tableCopy]],
  // Structures and arrays, casts.
  [
    1,
    [
      [OP.structNew, OP.structNewDefault],
      [OP.arrayNew, OP.arrayNewDefault],
      [OP.arrayGet, OP.arraySet],
      OP.arrayFill,
      [OP.refTest, OP.refCastNull],
    ],
  ],
  [
    2,
    [
      [OP.structGet, OP.structSet],
      [OP.arrayNewFixed, OP.arrayNewElem],
      [OP.arrayCopy, OP.arrayInitElem],
    ],
  ],
  [3, [[OP.brOnCast, OP.brOnCastFail]]],
  // Vectors: lanes; loads and the store, and of a lane and zeros; the constant, the shuffle, loads and stores of a lane.
  [1, [[word(VECTOR, 21), word(VECTOR, 34)]]],
  [
    3,
    [
      [word(VECTOR, 0), word(VECTOR, 11)],
      [word(VECTOR, 92), word(VECTOR, 93)],
    ],
  ],
  [4, [OP.v128Const, OP.i8x16Shuffle, [word(VECTOR, 84), word(VECTOR, 91)]]],
  // Atomics; the fence has its ordering.
  [1, [word(ATOMIC, 3)]],
  [
    3,
    [
      [word(ATOMIC, 0), word(ATOMIC, 2)],
      [word(ATOMIC, 16), word(ATOMIC, 78)],
    ],
  ],
];

for (const [count, operators] of ROWS) {
  for (const entry of operators) {
    const [first, last] = typeof entry === 'number' ? [entry, entry] : entry;
    IMMEDIATES.fill(count, operatorIndex(first), operatorIndex(last) + 1);
  }
}

/** Operators that end in a list: the words with its count, and those of an entry. */
const LISTS: readonly (readonly [opcode: number, count: number, entry: number])[] = [
  [OP.tryTable, 3, 3],
  [OP.resume, 2, 3],
  [OP.resumeThrow, 3, 3],
  [OP.resumeThrowRef, 2, 3],
];

for (const [opcode, count, entry] of LISTS) {
  IMMEDIATES[operatorIndex(opcode)] = count;
  LIST_ENTRY[operatorIndex(opcode)] = entry;
}

/** Where the operator behind the one at `at` begins. */
export function operatorEnd(ops: Uint32Array, at: number): number {
  const opcode = ops[at] as number;
  // The only list whose count does not stand right before it.
  if (opcode === OP.brTable) return at + 4 + (ops[at + 2] as number);
  const index = operatorIndex(opcode);
  const end = at + 2 + (IMMEDIATES[index] as number);
  const entry = LIST_ENTRY[index] as number;
  return entry === 0 ? end : end + entry * (ops[end - 1] as number);
}
