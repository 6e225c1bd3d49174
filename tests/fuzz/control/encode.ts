/**
 * Programs as one WebAssembly module. Functions and tags are numbered through all programs: exported functions are `f0`, `f1`, …, tags `t0`, `t1`, …
 */
import { Bytes } from './bytes.js';
import {
  type Catch,
  type Clause,
  type Code,
  IMPORTS,
  type ImportName,
  type Instruction,
  isRef,
  JS_TAG,
  type LogType,
  type NumericName,
  type Program,
  type Signature,
  type TypeDefinition,
  type ValueType,
} from './program.js';

const IMPORT_NAMES = Object.keys(IMPORTS) as ImportName[];

const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, externref: 0x6f, exnref: 0x69 } as const;

const NUMERIC: Readonly<Record<NumericName, readonly number[]>> = {
  'i32.eqz': [0x45],
  'i32.lt_s': [0x48],
  'i32.add': [0x6a],
  'i32.mul': [0x6c],
  'i32.and': [0x71],
  'i32.xor': [0x73],
  'i32.div_s': [0x6d],
  'i64.add': [0x7c],
  'i64.mul': [0x7e],
  'i64.xor': [0x85],
  'i32.wrap_i64': [0xa7],
  'i64.extend_i32_s': [0xac],
  'f32.neg': [0x8c],
  'f64.neg': [0x9a],
  'i64x2.extract_lane 0': [0xfd, 0x1d, 0],
  'i64x2.extract_lane 1': [0xfd, 0x1d, 1],
  'v128.xor': [0xfd, 0x51],
};

const PLAIN = {
  drop: 0x1a,
  drop_cont: 0x1a,
  unreachable: 0x00,
  return: 0x0f,
  'ref.is_null': 0xd1,
  'ref.as_non_null': 0xd4,
  throw_ref: 0x0a,
} as const;

const INDEXED = {
  'local.get': 0x20,
  'local.set': 0x21,
  'local.tee': 0x22,
  'global.get': 0x23,
  'global.set': 0x24,
  'table.get': 0x25,
  'table.set': 0x26,
} as const;

const TYPED = {
  call_ref: 0x14,
  return_call_ref: 0x15,
  call_indirect: 0x11,
  return_call_indirect: 0x13,
  'cont.new': 0xe0,
} as const;

const CATCHES = { catch: 0, catch_ref: 1, catch_all: 2, catch_all_ref: 3 } as const;

/** Where the indices of a program's things begin in the module. */
interface Bases {
  /** The module's types, by the program's. */
  readonly types: readonly number[];
  readonly functions: number;
  readonly takes: number;
  readonly clones: number;
  /** Functions that log, by number. */
  readonly logs: readonly number[];
  readonly tags: number;
  readonly globals: number;
  readonly tables: number;
}

class ModuleEncoder {
  readonly #programs: readonly Program[];
  readonly #bases: Bases[] = [];
  /** The type section: groups that many programs have stand there once, which saves trampolines. */
  readonly #groups: Bytes[] = [];
  readonly #groupStarts = new Map<string, number>();
  #types = 0;
  /** Lists of types that are logged, each once. */
  readonly #logs = new Map<string, readonly LogType[]>();

  constructor(programs: readonly Program[]) {
    this.#programs = programs;
    for (const types of programs.flatMap((program) => program.logs)) this.#logs.set(types.join(), types);
    const logs = [...this.#logs.keys()];
    const takes = programs.reduce((sum, program) => sum + program.takes.length, 0);
    const clones = programs.reduce((sum, program) => sum + program.clones.length, 0);
    const firstTake = IMPORT_NAMES.length + logs.length;
    // Tag 0 is JavaScript's; table 0 is the functions'.
    const firstClone = firstTake + takes;
    let next: Bases = {
      types: [],
      functions: firstClone + clones,
      takes: firstTake,
      clones: firstClone,
      logs: [],
      tags: 1,
      globals: 0,
      tables: 1,
    };
    for (const program of programs) {
      this.#bases.push({
        ...next,
        types: this.#typesOf(program),
        logs: program.logs.map((types) => IMPORT_NAMES.length + logs.indexOf(types.join())),
      });
      next = {
        types: [],
        functions: next.functions + program.functions.length,
        takes: next.takes + program.takes.length,
        clones: next.clones + program.clones.length,
        logs: [],
        tags: next.tags + program.tags.length,
        globals: next.globals + program.globals.length,
        tables: next.tables + program.tables.length,
      };
    }
  }

  encode(): Uint8Array {
    // Bodies come first: they find the signatures of blocks.
    const bodies = this.#each((program, bases, out) => {
      for (const { type, locals, body } of program.functions) out.push(new FunctionEncoder(this, bases, type, locals).encode(body));
    });
    const imports = this.#imports();
    const module = new Bytes().byte(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const section = (id: number, items: readonly Bytes[]): void => {
      const content = new Bytes().u32(items.length);
      for (const item of items) content.raw(item.take());
      module.byte(id).sized(content);
    };
    section(1, this.#groups);
    section(2, imports);
    section(
      3,
      this.#each((program, bases, out) => {
        for (const { type } of program.functions) out.push(new Bytes().u32(typeIndex(type, bases)));
      }),
    );
    section(4, this.#tables());
    section(
      13,
      this.#each((program, bases, out) => {
        for (const { type } of program.tags) out.push(new Bytes().byte(0).u32(typeIndex(type, bases)));
      }),
    );
    section(6, this.#globals());
    section(7, this.#exports());
    section(9, [this.#elements()]);
    section(
      10,
      bodies.map((body) => new Bytes().sized(body)),
    );
    return module.take();
  }

  #each(add: (program: Program, bases: Bases, out: Bytes[]) => void): Bytes[] {
    const out: Bytes[] = [];
    this.#programs.forEach((program, i) => {
      add(program, this.#bases[i] as Bases, out);
    });
    return out;
  }

  /** The module's types for a program's. */
  #typesOf(program: Program): number[] {
    const types: number[] = [];
    for (const size of program.groups) {
      const at = types.length;
      const group = program.types.slice(at, at + size);
      const first = this.#start(group, types);
      for (let i = 0; i < size; i++) types.push(first + i);
    }
    return types;
  }

  /** Index of the first type of a group, which comes behind `types` in its program. */
  #start(group: readonly TypeDefinition[], types: readonly number[]): number {
    const name = (type: number): string => String(types[type] ?? `own ${type - types.length}`);
    const names = (list: readonly ValueType[]): string =>
      list.map((type) => (isRef(type) ? `${type.nullable}${name(type.to)}` : type)).join();
    const texts = group.map((type) => {
      if (type.kind === 'cont') return `cont ${name(type.func)}`;
      return type.kind === 'struct' ? `struct ${names(type.fields)}` : `${names(type.params)}>${names(type.results)}`;
    });
    const key = texts.join(';');
    const known = this.#groupStarts.get(key);
    if (known !== undefined) return known;
    const first = this.#types;
    this.#groupStarts.set(key, first);
    this.#types += group.length;
    this.#groups.push(groupBytes(group, [...types, ...group.map((_type, i) => first + i)]));
    return first;
  }

  /** The index of a signature's type in the module. */
  signatureIndex(types: Signature, bases: Bases): number {
    return this.#start([{ kind: 'func', ...types }], bases.types);
  }

  #imports(): Bytes[] {
    const none = this.#bases[0] ?? { types: [], functions: 0, takes: 0, clones: 0, logs: [], tags: 0, globals: 0, tables: 0 };
    const named = (name: string): Bytes => new Bytes().name('env').name(name);
    const functions = IMPORT_NAMES.map((name) => named(name).byte(0).u32(this.signatureIndex(IMPORTS[name], none)));
    const logs = [...this.#logs.values()].map((params) =>
      named('log')
        .byte(0)
        .u32(this.signatureIndex({ params, results: [] }, none)),
    );
    const takes = this.#each((program, bases, out) => {
      for (const to of program.takes) {
        const index = this.signatureIndex({ params: [{ to, nullable: true }], results: [] }, bases);
        out.push(named('take').byte(0).u32(index));
      }
    });
    const clones = this.#each((program, bases, out) => {
      for (const to of program.clones) {
        const index = this.signatureIndex({ params: [{ to, nullable: true }], results: [{ to, nullable: false }] }, bases);
        out.push(new Bytes().name('heddle').name('cont.clone').byte(0).u32(index));
      }
    });
    const tag = named('js_tag')
      .byte(4, 0)
      .u32(this.signatureIndex({ params: ['externref'], results: [] }, none));
    return [...functions, ...logs, ...takes, ...clones, tag];
  }

  /** How many functions there are, imports not counted. */
  get #defined(): number {
    return this.#programs.reduce((sum, program) => sum + program.functions.length, 0);
  }

  #tables(): Bytes[] {
    const functions = new Bytes().byte(0x70, 0).u32(this.#defined);
    const own = this.#each((program, bases, out) => {
      for (const { type, size } of program.tables) out.push(valueType(new Bytes(), type, bases).byte(0).u32(size));
    });
    return [functions, ...own];
  }

  #globals(): Bytes[] {
    return this.#each((program, bases, out) => {
      for (const { type, value } of program.globals) {
        const bytes = valueType(new Bytes(), type, bases).byte(1);
        if (isRef(type)) bytes.byte(0xd0).signed(typeIndex(type.to, bases));
        else if (type === 'i32') bytes.byte(0x41).signed(value);
        else if (type === 'exnref' || type === 'externref') bytes.byte(0xd0, VALUE_TYPES[type]);
        else throw new RangeError(`globals of type ${type} are not used`);
        out.push(bytes.byte(0x0b));
      }
    });
  }

  #exports(): Bytes[] {
    return this.#each((program, bases, out) => {
      program.functions.forEach(({ exported }, i) => {
        if (exported)
          out.push(
            new Bytes()
              .name(`f${this.tableIndex(bases, i)}`)
              .byte(0)
              .u32(bases.functions + i),
          );
      });
      program.tags.forEach((_tag, i) => {
        out.push(
          new Bytes()
            .name(`t${bases.tags + i - 1}`)
            .byte(4)
            .u32(bases.tags + i),
        );
      });
    });
  }

  #elements(): Bytes {
    const segment = new Bytes().byte(0, 0x41).signed(0).byte(0x0b).u32(this.#defined);
    const first = this.#bases[0]?.functions ?? 0;
    for (let i = 0; i < this.#defined; i++) segment.u32(first + i);
    return segment;
  }

  /** Number of a program's function in the table. */
  tableIndex(bases: Bases, func: number): number {
    return bases.functions + func - (this.#bases[0]?.functions ?? 0);
  }

  takeIndex(bases: Bases, type: number): number {
    const program = this.#programs[this.#bases.indexOf(bases)];
    return bases.takes + (program?.takes.indexOf(type) ?? 0);
  }

  cloneIndex(bases: Bases, type: number): number {
    const program = this.#programs[this.#bases.indexOf(bases)];
    return bases.clones + (program?.clones.indexOf(type) ?? 0);
  }
}

function typeIndex(type: number, { types }: Pick<Bases, 'types'>): number {
  const index = types[type];
  if (index === undefined) throw new RangeError(`there is no type ${type}`);
  return index;
}

function groupBytes(group: readonly TypeDefinition[], types: readonly number[]): Bytes {
  const out = new Bytes();
  if (group.length > 1) out.byte(0x4e).u32(group.length);
  for (const type of group) {
    if (type.kind === 'cont') out.byte(0x5d).signed(typeIndex(type.func, { types }));
    else if (type.kind === 'struct') {
      out.byte(0x5f).u32(type.fields.length);
      for (const field of type.fields) valueType(out, field, { types }).byte(1);
    } else signature(out, type, { types });
  }
  return out;
}

function valueType(out: Bytes, type: ValueType, bases: Pick<Bases, 'types'>): Bytes {
  if (!isRef(type)) return out.byte(VALUE_TYPES[type]);
  return out.byte(type.nullable ? 0x63 : 0x64).signed(typeIndex(type.to, bases));
}

function signature(out: Bytes, { params, results }: Signature, bases: Pick<Bases, 'types'>): Bytes {
  out.byte(0x60).u32(params.length);
  for (const type of params) valueType(out, type, bases);
  out.u32(results.length);
  for (const type of results) valueType(out, type, bases);
  return out;
}

class FunctionEncoder {
  readonly #out = new Bytes();
  /** Labels around the current instruction, innermost last. */
  readonly #labels: number[] = [];

  constructor(
    readonly module: ModuleEncoder,
    readonly bases: Bases,
    readonly type: number,
    locals: readonly ValueType[],
  ) {
    this.#out.u32(locals.length);
    for (const local of locals) valueType(this.#out.u32(1), local, bases);
  }

  encode(body: Code): Bytes {
    this.#code(body);
    return this.#out.byte(0x0b);
  }

  #code(code: Code): void {
    for (const instruction of code) this.#instruction(instruction);
  }

  #depth(label: number): number {
    const at = this.#labels.lastIndexOf(label);
    if (at < 0) throw new RangeError(`there is no label ${label}`);
    return this.#labels.length - 1 - at;
  }

  #tag(tag: number): number {
    return tag === JS_TAG ? 0 : this.bases.tags + tag - 1;
  }

  #type(type: number): number {
    return typeIndex(type, this.bases);
  }

  #blockType(results: readonly ValueType[]): void {
    const [only] = results;
    if (only === undefined) this.#out.byte(0x40);
    else if (results.length === 1) valueType(this.#out, only, this.bases);
    else this.#out.signed(this.module.signatureIndex({ params: [], results }, this.bases));
  }

  #block(opcode: number, label: number, results: readonly ValueType[], body: Code, catches: readonly Catch[] = []): void {
    this.#out.byte(opcode);
    this.#blockType(results);
    if (opcode === 0x1f) this.#catches(catches);
    this.#labels.push(label);
    this.#code(body);
    this.#labels.pop();
    this.#out.byte(0x0b);
  }

  #catches(catches: readonly Catch[]): void {
    this.#out.u32(catches.length);
    for (const clause of catches) {
      this.#out.byte(CATCHES[clause.kind]);
      if ('tag' in clause) this.#out.u32(this.#tag(clause.tag));
      this.#out.u32(this.#depth(clause.label));
    }
  }

  #clauses(clauses: readonly Clause[]): void {
    this.#out.u32(clauses.length);
    for (const clause of clauses) {
      this.#out.byte(clause.kind === 'label' ? 0 : 1).u32(this.#tag(clause.tag));
      if (clause.kind === 'label') this.#out.u32(this.#depth(clause.label));
    }
  }

  #constant({ type, value }: Extract<Instruction, { op: 'const' }>): void {
    const out = this.#out;
    if (type === 'i32') out.byte(0x41).signed(value);
    else if (type === 'i64') out.byte(0x42).signed(value);
    else if (type === 'f32') out.byte(0x43).f32(value as number);
    else if (type === 'f64') out.byte(0x44).f64(value as number);
    else out.byte(0xfd, 0x0c).v128(value as bigint);
  }

  #instruction(instruction: Instruction): void {
    const out = this.#out;
    const { bases } = this;
    switch (instruction.op) {
      case 'const':
        return this.#constant(instruction);
      case 'numeric':
        out.byte(...NUMERIC[instruction.name]);
        return;
      case 'local.get':
      case 'local.set':
      case 'local.tee':
        out.byte(INDEXED[instruction.op]).u32(instruction.index);
        return;
      case 'global.get':
      case 'global.set':
        out.byte(INDEXED[instruction.op]).u32(bases.globals + instruction.index);
        return;
      case 'table.get':
      case 'table.set':
        out.byte(INDEXED[instruction.op]).u32(bases.tables + instruction.index);
        return;
      case 'ref.null':
        out.byte(0xd0);
        if (isRef(instruction.type)) out.signed(this.#type(instruction.type.to));
        else out.byte(VALUE_TYPES[instruction.type]);
        return;
      case 'ref.func':
        out.byte(0xd2).u32(bases.functions + instruction.func);
        return;
      case 'function.number':
        out.byte(0x41).signed(this.module.tableIndex(bases, instruction.func));
        return;
      case 'call':
        out.byte(0x10).u32(bases.functions + instruction.func);
        return;
      case 'return_call':
        out.byte(0x12).u32(bases.functions + instruction.func);
        return;
      case 'drop':
      case 'drop_cont':
      case 'unreachable':
      case 'return':
      case 'ref.is_null':
      case 'ref.as_non_null':
      case 'throw_ref':
        out.byte(PLAIN[instruction.op]);
        return;
      case 'block':
        return this.#block(0x02, instruction.label, instruction.results, instruction.body);
      case 'loop':
        return this.#block(0x03, instruction.label, instruction.results, instruction.body);
      case 'try_table':
        return this.#block(0x1f, instruction.label, instruction.results, instruction.body, instruction.catches);
      case 'if':
        out.byte(0x04, 0x40);
        this.#labels.push(instruction.label);
        this.#code(instruction.yes);
        out.byte(0x05);
        this.#code(instruction.no);
        this.#labels.pop();
        out.byte(0x0b);
        return;
      case 'br':
      case 'br_if':
        out.byte(instruction.op === 'br' ? 0x0c : 0x0d).u32(this.#depth(instruction.label));
        return;
      case 'call_import':
        out.byte(0x10).u32(IMPORT_NAMES.indexOf(instruction.name));
        return;
      case 'call_log':
        out.byte(0x10).u32(bases.logs[instruction.log] ?? 0);
        return;
      case 'call_take':
        out.byte(0x10).u32(this.module.takeIndex(bases, instruction.type));
        return;
      case 'call_clone':
        out.byte(0x10).u32(this.module.cloneIndex(bases, instruction.type));
        return;
      case 'call_ref':
      case 'return_call_ref':
      case 'cont.new':
        out.byte(TYPED[instruction.op]).u32(this.#type(instruction.type));
        return;
      case 'struct.new':
        out.byte(0xfb, 0).u32(this.#type(instruction.type));
        return;
      case 'struct.get':
      case 'struct.set':
        out
          .byte(0xfb, instruction.op === 'struct.get' ? 2 : 5)
          .u32(this.#type(instruction.type))
          .u32(instruction.field);
        return;
      case 'call_indirect':
      case 'return_call_indirect':
        out.byte(TYPED[instruction.op]).u32(this.#type(instruction.type)).u32(0);
        return;
      case 'throw':
        out.byte(0x08).u32(this.#tag(instruction.tag));
        return;
      case 'suspend':
        out.byte(0xe2).u32(this.#tag(instruction.tag));
        return;
      case 'cont.bind':
        out.byte(0xe1).u32(this.#type(instruction.type)).u32(this.#type(instruction.to));
        return;
      case 'resume':
        out.byte(0xe3).u32(this.#type(instruction.type));
        return this.#clauses(instruction.clauses);
      case 'resume_throw':
        out.byte(0xe4).u32(this.#type(instruction.type)).u32(this.#tag(instruction.tag));
        return this.#clauses(instruction.clauses);
      case 'resume_throw_ref':
        out.byte(0xe5).u32(this.#type(instruction.type));
        return this.#clauses(instruction.clauses);
      case 'switch':
        out.byte(0xe6).u32(this.#type(instruction.type)).u32(this.#tag(instruction.tag));
        return;
      case 'statement':
        return this.#code(instruction.body);
      case 'hole':
        return;
    }
  }
}

/** One module of programs. */
export function encode(programs: readonly Program[]): Uint8Array {
  return new ModuleEncoder(programs).encode();
}
