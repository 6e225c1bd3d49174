/**
 * What the codegen crate says of a valid module (contract/formats.md, sections 1 and 2): types only.
 */

/** A value type as one word (contract/formats.md, section 1): a type byte, or a reference with bit 31 set. */
export type ValueType = number;

/** A limit; a string where the number does not fit a double. */
export type Limit = number | string;

/** A constant expression: words of an operator stream without the final `end`. */
export type ConstantExpression = readonly number[];

/** What every entry of the type section has. */
interface TypeBase {
  readonly final: boolean;
  /** Type index of the declared supertype, -1 when there is none. */
  readonly super: number;
}

/** A function type. */
export interface FunctionTypeDescription extends TypeBase {
  readonly kind: 'func';
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A continuation type. */
export interface ContinuationTypeDescription extends TypeBase {
  readonly kind: 'cont';
  /** Index of its function type. */
  readonly cont: number;
}

/** A structure or array type. */
export interface AggregateTypeDescription extends TypeBase {
  readonly kind: 'struct' | 'array';
  /** Storage type (a value type, or 0x78 for i8 and 0x77 for i16) and whether the field is mutable. */
  readonly fields: readonly (readonly [storage: number, mutable: boolean])[];
}

/** One entry of the type section: `typeAt` of type_words.ts. */
export type TypeDescription = FunctionTypeDescription | ContinuationTypeDescription | AggregateTypeDescription;

/** A table's type. */
export interface TableType {
  /** The reference type of its elements. */
  readonly type: ValueType;
  readonly minimum: Limit;
  readonly maximum: Limit | null;
  readonly table64: boolean;
}

/** A table that the module defines. */
export interface TableDescription extends TableType {
  /** The initial value of its elements; null where it is a null reference. */
  readonly init: ConstantExpression | null;
}

/** A memory, defined or imported. */
export interface MemoryDescription {
  readonly minimum: Limit;
  readonly maximum: Limit | null;
  readonly shared: boolean;
  readonly memory64: boolean;
  /** Binary logarithm of the page size: 16, or 0 for one-byte pages. */
  readonly pageSizeLog2: number;
}

/** A global's type. */
export interface GlobalType {
  readonly type: ValueType;
  readonly mutable: boolean;
}

/** A global that the module defines. */
export interface GlobalDescription extends GlobalType {
  readonly init: ConstantExpression;
}

/** What all imports have. */
interface ImportBase {
  readonly module: string;
  readonly name: string;
}

/** An imported function: the index of its type. */
export interface FunctionImport extends ImportBase {
  readonly kind: 'func';
  readonly type: number;
}

/** An imported table. */
export interface TableImport extends ImportBase, TableType {
  readonly kind: 'table';
}

/** An imported memory. */
export interface MemoryImport extends ImportBase, MemoryDescription {
  readonly kind: 'memory';
}

/** An imported global. */
export interface GlobalImport extends ImportBase, GlobalType {
  readonly kind: 'global';
}

/** An imported tag: the index of its function type. */
export interface TagImport extends ImportBase {
  readonly kind: 'tag';
  readonly type: number;
}

/** One import. */
export type ImportDescription = FunctionImport | TableImport | MemoryImport | GlobalImport | TagImport;

/** What an import or export may be. */
export type ExternalKind = ImportDescription['kind'];

/** One export. */
export interface ExportDescription {
  readonly name: string;
  readonly kind: ExternalKind;
  /** Index in the index space of its kind. */
  readonly index: number;
}

/** What `describe()` returns, parsed. Tables, memories, globals and tags are the defined ones: the imported come before them in their index spaces. */
export interface DescriptionJson {
  readonly imports: readonly ImportDescription[];
  readonly tables: readonly TableDescription[];
  readonly memories: readonly MemoryDescription[];
  readonly globals: readonly GlobalDescription[];
  /** Type indices. */
  readonly tags: readonly number[];
  readonly exports: readonly ExportDescription[];
  /** Index of the start function, or null. */
  readonly start: number | null;
  /** Number of data segments. */
  readonly dataCount: number;
  /** Custom sections: name and byte range of the contents. */
  readonly customs: readonly (readonly [name: string, start: number, end: number])[];
}

/** A module as the later layers see it: the parsed JSON and the typed arrays. It survives structured cloning, so workers get it whole. */
export interface ModuleDescription extends DescriptionJson {
  /** The types, in the form of contract/formats.md, section 2. */
  readonly types: Uint32Array;
  /** Type index of each defined function. */
  readonly functions: Uint32Array;
  /** Start and end byte offset of each defined function's body. */
  readonly bodies: Uint32Array;
  /** Element segments, in the form of contract/formats.md, section 2. */
  readonly elements: Uint32Array;
  /** Data segments, in the form of contract/formats.md, section 2. */
  readonly data: Uint32Array;
}
