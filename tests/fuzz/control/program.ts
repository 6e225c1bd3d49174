/**
 * What a program is: the part of WebAssembly that moves control, as a typed tree.
 *
 * Labels are numbers that are unique in their program, so that a part of the tree can be taken out without renumbering the rest. All indices count from
 * 0 in each program; `encode.ts` puts many programs into one module.
 */

export type NumberType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** A reference to a type of the program. */
export interface RefType {
  readonly to: number;
  readonly nullable: boolean;
}

export type ValueType = NumberType | 'externref' | 'exnref' | RefType;

export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface FunctionType extends Signature {
  readonly kind: 'func';
}

export interface ContinuationType {
  readonly kind: 'cont';
  readonly func: number;
}

/** All fields can be written. */
export interface StructureType {
  readonly kind: 'struct';
  readonly fields: readonly ValueType[];
}

export type TypeDefinition = FunctionType | ContinuationType | StructureType;

/** Of a resume: where a suspension goes, or that a switch is allowed. */
export type Clause =
  | { readonly kind: 'label'; readonly tag: number; readonly label: number }
  | { readonly kind: 'switch'; readonly tag: number };

/** Of a try_table. */
export type Catch =
  | { readonly kind: 'catch' | 'catch_ref'; readonly tag: number; readonly label: number }
  | { readonly kind: 'catch_all' | 'catch_all_ref'; readonly label: number };

/** Functions of JavaScript that every program may call, with their types. `env.ts` says what they do. */
export const IMPORTS = {
  make_ref: { params: ['i32'], results: ['externref'] },
  throw_value: { params: ['i32'], results: [] },
  call_export: { params: ['i32', 'i32'], results: ['i32'] },
  catch_export: { params: ['i32', 'i32'], results: ['i32'] },
} as const satisfies Record<string, Signature>;

export type ImportName = keyof typeof IMPORTS;

/** Types whose values the log can be told. */
export type LogType = 'i32' | 'i64' | 'f32' | 'f64' | 'externref';

/** Numeric instructions that programs use. */
export type NumericName =
  | 'i32.eqz'
  | 'i32.lt_s'
  | 'i32.add'
  | 'i32.mul'
  | 'i32.and'
  | 'i32.xor'
  | 'i32.div_s'
  | 'i64.add'
  | 'i64.mul'
  | 'i64.xor'
  | 'i32.wrap_i64'
  | 'i64.extend_i32_s'
  | 'f32.neg'
  | 'f64.neg'
  | 'i64x2.extract_lane 0'
  | 'i64x2.extract_lane 1'
  | 'v128.xor';

export type Constant =
  | { readonly op: 'const'; readonly type: 'i32' | 'f32' | 'f64'; readonly value: number }
  | { readonly op: 'const'; readonly type: 'i64' | 'v128'; readonly value: bigint };

export type Instruction =
  | Constant
  | { readonly op: 'numeric'; readonly name: NumericName }
  | {
      readonly op: 'local.get' | 'local.set' | 'local.tee' | 'global.get' | 'global.set' | 'table.get' | 'table.set';
      readonly index: number;
    }
  | { readonly op: 'ref.null'; readonly type: RefType | 'externref' | 'exnref' }
  | { readonly op: 'ref.func' | 'function.number' | 'call' | 'return_call'; readonly func: number }
  | { readonly op: 'drop' | 'unreachable' | 'return' | 'ref.is_null' | 'ref.as_non_null' | 'throw_ref' }
  | Block
  | { readonly op: 'if'; readonly label: number; readonly yes: Code; readonly no: Code }
  | { readonly op: 'br' | 'br_if'; readonly label: number }
  | { readonly op: 'call_import'; readonly name: ImportName }
  | { readonly op: 'call_log'; readonly log: number }
  | {
      readonly op:
        | 'drop_cont'
        | 'call_take'
        | 'call_clone'
        | 'call_ref'
        | 'return_call_ref'
        | 'call_indirect'
        | 'return_call_indirect'
        | 'cont.new'
        | 'struct.new';
      readonly type: number;
    }
  | { readonly op: 'struct.get' | 'struct.set'; readonly type: number; readonly field: number }
  | { readonly op: 'throw' | 'suspend'; readonly tag: number }
  | { readonly op: 'cont.bind'; readonly type: number; readonly to: number }
  | Resume
  | { readonly op: 'switch'; readonly type: number; readonly tag: number }
  | { readonly op: 'statement'; readonly body: Code }
  | Hole;

/** A block that takes nothing and leaves `results`; a branch to a loop's label takes nothing either. */
export type Block =
  | { readonly op: 'block' | 'loop'; readonly label: number; readonly results: readonly ValueType[]; readonly body: Code }
  | {
      readonly op: 'try_table';
      readonly label: number;
      readonly results: readonly ValueType[];
      readonly catches: readonly Catch[];
      readonly body: Code;
    };

export type Resume =
  | { readonly op: 'resume' | 'resume_throw_ref'; readonly type: number; readonly clauses: readonly Clause[] }
  | { readonly op: 'resume_throw'; readonly type: number; readonly tag: number; readonly clauses: readonly Clause[] };

/** What a branch can go to. */
export type Labelled = Extract<Instruction, { readonly label: number; readonly op: 'block' | 'loop' | 'try_table' | 'if' }>;

/** Where statements may still be put in: nothing is left of it in a finished program. */
export interface Hole {
  readonly op: 'hole';
  readonly id: number;
}

/** Instructions in order. Arrays grow while a program is generated. */
export type Code = Instruction[];

export interface FunctionDefinition {
  readonly type: number;
  /** Behind the parameters. */
  readonly locals: ValueType[];
  readonly body: Code;
  /** Whether JavaScript may call it, as `f` and its number. */
  exported: boolean;
}

/** A tag of the program's own. */
export interface TagDefinition {
  readonly type: number;
}

/** Numbers begin at a value, references at null. */
export interface GlobalDefinition {
  readonly type: ValueType;
  readonly value: number | bigint;
}

export interface TableDefinition {
  readonly type: RefType;
  readonly size: number;
}

/** The tag of what JavaScript throws: imported, every program's tag 0. */
export const JS_TAG = 0;

export interface Program {
  readonly types: TypeDefinition[];
  /** How many types each recursion group has: those of one group may name each other. */
  readonly groups: number[];
  /** Tag 0 is JS_TAG: `tags[i]` is tag i + 1. */
  readonly tags: TagDefinition[];
  readonly globals: GlobalDefinition[];
  readonly tables: TableDefinition[];
  readonly functions: FunctionDefinition[];
  /** Lists of types for which there is an import that logs values of them. */
  readonly logs: (readonly LogType[])[];
  /** Continuation types for which there is an import that takes one. */
  readonly takes: number[];
  /** Continuation types for which there is an import that clones one. */
  readonly clones: number[];
  /** Exported functions without parameters and results, which JavaScript calls in this order. */
  readonly entries: number[];
}

/** Parameters and results of a function or continuation type. Throws a RangeError where there is no such type. */
export function signatureOf(program: Program, type: number): Signature {
  const definition = program.types[type];
  if (definition === undefined || definition.kind === 'struct')
    throw new RangeError(`there is no type ${type} of functions or continuations`);
  return definition.kind === 'func' ? definition : signatureOf(program, definition.func);
}

/** Types of the fields of a structure type. Throws a RangeError where there is no such type. */
export function fieldsOf(program: Program, type: number): readonly ValueType[] {
  const definition = program.types[type];
  if (definition?.kind !== 'struct') throw new RangeError(`there is no type ${type} of structures`);
  return definition.fields;
}

/** Parameters and results of a tag. */
export function tagSignature(program: Program, tag: number): Signature {
  const definition = program.tags[tag - 1];
  return definition === undefined ? { params: ['externref'], results: [] } : signatureOf(program, definition.type);
}

export const isRef = (type: ValueType): type is RefType => typeof type === 'object';

/** A string that is the same for the same type. */
export function typeKey(type: ValueType): string {
  return isRef(type) ? `${type.nullable ? '?' : '!'}${type.to}` : type;
}

export const sameTypes = (a: readonly ValueType[], b: readonly ValueType[]): boolean =>
  a.length === b.length && a.every((type, i) => typeKey(type) === typeKey(b[i] as ValueType));
