// The two modules of a pair, in the binary format: one exports a thing of each type, the other imports such things and calls what it gets.
import { FUNCREF, I32, I64 } from './pair_types.mjs';

export const leb = (value) => {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return bytes;
  }
};
/** A small number that is not negative, signed. */
const signed = (value) => (value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]);
const vector = (items) => [...leb(items.length), ...items.flat()];
const section = (id, content) => [id, ...leb(content.length), ...content];
const text = (name) => [...leb(name.length), ...Buffer.from(name)];

const END = 0x0b;
const REF_NULL = 0x63;
const MUTABLE = 1;

const heapType = (value) => (value === FUNCREF ? [FUNCREF] : signed(value.index));
const valueType = (value) => (typeof value === 'number' ? [value] : [REF_NULL, ...heapType(value)]);

function typeBytes({ open, super: above, params, results }) {
  const inner = [0x60, ...vector(params.map(valueType)), ...vector(results.map(valueType))];
  if (!open && above < 0) return inner;
  return [open ? 0x50 : 0x4f, ...vector(above < 0 ? [] : [leb(above)]), ...inner];
}

const groupBytes = (group) => (group.length === 1 ? typeBytes(group[0]) : [0x4e, ...vector(group.map(typeBytes))]);

const typeSection = (groups) => section(1, vector(groups.map(groupBytes)));

/** A value of a type that tells who made it: `number` where it can. */
function constant(value, number) {
  if (value === I32) return [0x41, ...signed(number)];
  if (value === I64) return [0x42, ...signed(number)];
  return [0xd0, ...heapType(value)];
}

const body = (code) => {
  const bytes = [0, ...code, END];
  return [...leb(bytes.length), ...bytes];
};

const module = (...sections) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);

/** Tags of functions with results are none for exceptions, and V8 has no others. */
const hasTag = ({ results }) => results.length === 0;

/**
 * Exports `f…`, a function of each type, which returns numbers of its own; `table` with them all, in order; with `typed`, `g…` and `m…`, a constant and a variable that hold it, and `t…`, a table of such; with
 * `tags`, `e…`, a tag of it.
 */
export function exporter(groups, { typed, tags }) {
  const types = groups.flat();
  const globals = types.flatMap((_, i) => [
    [...valueType({ index: i }), 0, 0xd2, ...leb(i), END],
    [...valueType({ index: i }), MUTABLE, 0xd2, ...leb(i), END],
  ]);
  const tables = [[FUNCREF, 0, ...leb(types.length)], ...(typed ? types.map((_, i) => [...valueType({ index: i }), 0, 1]) : [])];
  const thrown = tags ? types.flatMap((type, i) => (hasTag(type) ? [[0, ...leb(i)]] : [])) : [];
  let tag = 0;
  const exported = [
    [...text('table'), 1, 0],
    ...types.map((_, i) => [...text(`f${i}`), 0, ...leb(i)]),
    ...(typed
      ? types.flatMap((_, i) => [
          [...text(`g${i}`), 3, ...leb(2 * i)],
          [...text(`m${i}`), 3, ...leb(2 * i + 1)],
          [...text(`t${i}`), 1, ...leb(1 + i)],
        ])
      : []),
    ...(tags ? types.flatMap((type, i) => (hasTag(type) ? [[...text(`e${i}`), 4, ...leb(tag++)]] : [])) : []),
  ];
  return module(
    typeSection(groups),
    section(3, vector(types.map((_, i) => leb(i)))),
    section(4, vector(tables)),
    thrown.length > 0 ? section(13, vector(thrown)) : [],
    typed ? section(6, vector(globals)) : [],
    section(7, vector(exported)),
    section(9, vector([[0, 0x41, 0, END, ...vector(types.map((_, i) => leb(i)))]])),
    section(10, vector(types.map(({ results }, i) => body(results.flatMap((value) => constant(value, i + 1)))))),
  );
}

/** Imports one thing of the exporter as if it were of type `index` of these groups: `kind` is the letter of its name. */
export function importer(groups, kind, name, index) {
  const description = {
    f: () => [0, ...leb(index)],
    g: () => [3, ...valueType({ index }), 0],
    m: () => [3, ...valueType({ index }), MUTABLE],
    t: () => [1, ...valueType({ index }), 0, 0],
    e: () => [4, 0, ...leb(index)],
  }[kind]();
  return module(typeSection(groups), section(2, vector([[...text('a'), ...text(name), ...description]])));
}

/** Imports the exporter's table, and exports `c…`, for each type of these groups a function that calls the element of an index as that type and returns its own number. */
export function caller(groups) {
  const types = groups.flat();
  const count = types.length;
  // One more type behind: i32 -> i32.
  const all = [...groups, [{ open: false, super: -1, params: [I32], results: [I32] }]];
  const code = types.map(({ params, results }, i) =>
    body([
      ...params.flatMap((value) => constant(value, 0)),
      ...[0x20, 0, 0x11, ...leb(i), 0],
      ...results.map(() => 0x1a),
      ...[0x41, ...signed(i + 1)],
    ]),
  );
  return module(
    typeSection(all),
    section(2, vector([[...text('a'), ...text('table'), 1, FUNCREF, 0, ...leb(0)]])),
    section(3, vector(types.map(() => leb(count)))),
    section(7, vector(types.map((_, i) => [...text(`c${i}`), 0, ...leb(i)]))),
    section(10, vector(code)),
  );
}
