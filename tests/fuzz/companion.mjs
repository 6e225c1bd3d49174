// A module beside one with objects: it has the same types, so that to either engine they are the same types in both. Its exports tell what structures and arrays
// contain, which JavaScript cannot see, and it makes the globals, tables and tags of such types that the module imports.
import { isOfKind, KIND_ARRAY, KIND_STRUCT, typeAt, typeCount } from '../../dist/ts/validate/type_words.js';
import { leb, readLeb, sections } from './sections.mjs';

const I32 = 0x7f;
const V128 = 0x7b;
const ANY = 0x6e;
const EXN = 0x69;
const NOEXN = 0x74;
const PACKED_I8 = 0x78;
const PACKED_I16 = 0x77;
const REFERENCE = 0x8000_0000;
const NULLABLE = 0x4000_0000;
const CONCRETE = 0x2000_0000;
const INDEX = 0xf_ffff;
/** Elements of an array that are looked at. */
const ELEMENTS = 8;

export const isReference = (type) => type >= REFERENCE;
export const isConcrete = (type) => isReference(type) && (type & CONCRETE) !== 0;
export const isNullable = (type) => (type & NULLABLE) !== 0;
/** Byte of an abstract heap type; undefined for a concrete one, and for numbers. */
export const abstractHeap = (type) => (isReference(type) && !isConcrete(type) ? type & 0xff : undefined);
/** Index of the type that a reference names. */
export const typeIndex = (type) => type & INDEX;
/** Whether JavaScript may have no value of this type. */
export const isUnseen = (type) => type === V128 || abstractHeap(type) === EXN || abstractHeap(type) === NOEXN;

function signedLeb(value) {
  const bytes = leb(value);
  if (bytes.at(-1) & 0x40) {
    bytes[bytes.length - 1] |= 0x80;
    bytes.push(0);
  }
  return bytes;
}

function valueType(type) {
  if (!isReference(type)) return [type];
  return [isNullable(type) ? 0x63 : 0x64, ...(isConcrete(type) ? signedLeb(typeIndex(type)) : [type & 0xff])];
}

const text = (name) => [...leb(name.length), ...Buffer.from(name)];
const vector = (items) => [...leb(items.length), ...items.flat()];
const section = (id, items) => (items.length === 0 ? [] : [id, ...leb(vector(items).length), ...vector(items)]);
const limits = ({ minimum, maximum, table64 }) => {
  const flags = (maximum === null ? 0 : 1) | (table64 ? 4 : 0);
  return [flags, ...leb(Number(minimum)), ...(maximum === null ? [] : leb(Number(maximum)))];
};

/** Whether the JS API cannot make what a module imports; `made` says whether the companion can. */
export function isOfObjects({ types }, entry) {
  const foreign = (type) => isReference(type) && !(isNullable(type) && [0x70, 0x6f].includes(abstractHeap(type)));
  if (entry.kind === 'tag') return typeAt(types, entry.type).params.some(foreign);
  return (entry.kind === 'global' || entry.kind === 'table') && foreign(entry.type);
}

/** The bytes of the module that stands beside one. */
function companionBytes(bytes, description) {
  const { types, imports } = description;
  const own = sections(bytes).find(({ id }) => id === 1);
  const count = readLeb(bytes, own.start);
  const parts = { types: [], functions: [], tables: [], tags: [], globals: [], exports: [], codes: [] };
  const add = (name, params, result, body) => {
    parts.types.push([0x60, ...vector(params), 1, ...result]);
    parts.exports.push([...text(name), 0, ...leb(parts.functions.length)]);
    parts.functions.push(leb(typeCount(types) + parts.types.length - 1));
    parts.codes.push([...leb(body.length + 2), 0, ...body, 0x0b]);
  };
  for (let index = 0; index < typeCount(types); index++) {
    const struct = isOfKind(types, index, KIND_STRUCT);
    if (!struct && !isOfKind(types, index, KIND_ARRAY)) continue;
    const heap = signedLeb(index);
    const cast = [0x20, 0, 0xfb, 0x16, ...heap];
    add(`is ${index}`, [[ANY]], [I32], [0x20, 0, 0xfb, 0x14, ...heap]);
    if (!struct) add(`length ${index}`, [[ANY]], [I32], [...cast, 0xfb, 0x0f]);
    typeAt(types, index).fields.forEach(([type], field) => {
      if (isUnseen(type)) return;
      const packed = type === PACKED_I8 || type === PACKED_I16;
      const result = packed ? [I32] : valueType(type);
      if (struct) add(`get ${index} ${field}`, [[ANY]], result, [...cast, 0xfb, packed ? 0x04 : 0x02, ...leb(index), ...leb(field)]);
      else add(`get ${index}`, [[ANY], [I32]], result, [...cast, 0x20, 1, 0xfb, packed ? 0x0d : 0x0b, ...leb(index)]);
    });
  }
  imports.forEach((entry, i) => {
    if (!isOfObjects(description, entry)) return;
    const name = text(`import ${i}`);
    if (entry.kind === 'tag') {
      parts.exports.push([...name, 4, ...leb(parts.tags.length)]);
      parts.tags.push([0, ...leb(entry.type)]);
    } else {
      const type = valueType(entry.type);
      const of = entry.kind === 'table' ? parts.tables : parts.globals;
      parts.exports.push([...name, entry.kind === 'table' ? 1 : 3, ...leb(of.length)]);
      if (entry.kind === 'table') of.push([...type, ...limits(entry)]);
      else of.push([...type, entry.mutable ? 1 : 0, 0xd0, ...type.slice(1), 0x0b]);
    }
  });
  const typeItems = [...bytes.subarray(count.end, own.end), ...parts.types.flat()];
  const typeSection = [...leb(count.value + parts.types.length), ...typeItems];
  return Uint8Array.from([
    ...bytes.subarray(0, 8),
    ...[1, ...leb(typeSection.length), ...typeSection],
    ...section(3, parts.functions),
    ...section(4, parts.tables),
    ...section(13, parts.tags),
    ...section(6, parts.globals),
    ...section(7, parts.exports),
    ...section(10, parts.codes),
  ]);
}

/** What a companion tells in one engine. */
export class Companion {
  #exports;
  #description;

  constructor(api, bytes, description) {
    this.#description = description;
    this.#exports = new api.Instance(new api.Module(companionBytes(bytes, description))).exports;
  }

  /** What the module imports as its import number `i`. */
  made(i) {
    return this.#exports[`import ${i}`];
  }

  /** What an object contains, as each type of the module that it is of; values are shown by `show`. */
  contents(object, show) {
    const { types } = this.#description;
    const lines = [];
    for (let index = 0; index < typeCount(types); index++) {
      if (this.#exports[`is ${index}`]?.(object) !== 1) continue;
      const { kind, fields } = typeAt(types, index);
      const values = [];
      if (kind === 'array') {
        const length = this.#exports[`length ${index}`](object);
        values.push(`${length}:`);
        const get = this.#exports[`get ${index}`];
        for (let i = 0; get !== undefined && i < Math.min(length, ELEMENTS); i++) values.push(show(get(object, i)));
      } else {
        fields.forEach((_, field) => {
          const get = this.#exports[`get ${index} ${field}`];
          if (get !== undefined) values.push(show(get(object)));
        });
      }
      lines.push(`${index}(${values.join(' ')})`);
    }
    return lines.join(' ');
  }
}
