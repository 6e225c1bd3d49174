import { describe, expect, test } from 'vitest';
import { VMFunction, VMHandlers, VMInstance } from '../../generated/abi.js';
import { lowerText } from '../support.test-helper.js';
import type { ModuleLayout } from './layout.js';

const MODULE = `(module
  (type $f (func (param i32))) (type $none (func)) (type $k (cont $none))
  (import "" "f" (func (type $f))) (import "" "t" (table 1 funcref)) (import "" "m" (memory 1)) (import "" "g" (global i32))
  (import "" "tag" (tag $imported))
  (table 2 externref) (memory 3) (global i64 (i64.const 1)) (global f32 (f32.const 1)) (tag $a) (tag $b)
  (func (param (ref $k)) (result (ref $k)) (resume $k (on $a 0) (on $b switch) (local.get 0)) (local.get 0))
  (func (param (ref $k)) (result (ref $k)) (resume $k (on $b switch) (local.get 0)) (local.get 0))
  (func (param (ref $k)) (result (ref $k)) (resume $k (on $a 0) (on $b switch) (local.get 0)) (local.get 0))
  (func (param (ref $k)) (resume $k (local.get 0)))
  (func (param (ref $k)) (result (ref $k)) (resume $k (on $imported 0) (on $a 0) (local.get 0)) (local.get 0)))`;

/** Byte ranges of everything in a layout. */
function ranges(layout: ModuleLayout): [start: number, end: number][] {
  const { importedFunctions, tables, memories, tags, types, globals, functions, handlers } = layout;
  return [
    [0, VMInstance.$size],
    ...[importedFunctions, tables, memories, tags, types, globals, functions].map((region): [number, number] => [
      region.offset,
      region.end,
    ]),
    ...handlers.map((block): [number, number] => {
      const tags = block.labels.length + block.switches.length;
      return [block.offset, block.offset + VMHandlers.$size + 8 * (tags + 1)];
    }),
  ];
}

describe('moduleLayout()', () => {
  const { layout } = lowerText(MODULE).context;

  test('puts everything behind each other without overlap, inside the size', () => {
    const all = ranges(layout).sort((a, b) => a[0] - b[0]);
    let end = 0;
    for (const range of all) {
      expect(range[0]).toBeGreaterThanOrEqual(end);
      end = range[1];
    }
    expect(layout.size).toBeGreaterThanOrEqual(end);
    expect(layout.size % 16).toBe(0);
  });

  test('counts the imported entities first', () => {
    const counts = [layout.importedFunctions, layout.tables, layout.memories, layout.tags, layout.globals, layout.functions];
    expect(counts.map((region) => region.count)).toEqual([1, 2, 2, 3, 3, 5]);
    expect(layout.importedGlobals).toBe(1);
    expect(layout.functions.stride).toBe(VMFunction.$size);
  });

  test('aligns globals, functions and handlers to 16 bytes', () => {
    const offsets = [layout.globals.offset, layout.functions.offset, ...layout.handlers.map((block) => block.offset)];
    expect(offsets.filter((offset) => offset % 16 !== 0)).toEqual([]);
  });

  test('has one block for each distinct handler list, in order of first appearance', () => {
    expect(layout.handlers.map(({ labels, switches }) => [labels, switches])).toEqual([
      [[1], [2]],
      [[], [2]],
      [[], []],
      [[0, 1], []],
    ]);
  });

  test('says where tag addresses go, and a first tag only where a label clause is first', () => {
    const relative = layout.handlers.map((block) => block.tags.map(({ offset, tag }) => [offset - block.offset, tag]));
    const array = VMHandlers.$size;
    expect(relative.slice(0, 3)).toEqual([
      [
        [array, 1],
        [array + 8, 2],
        [VMHandlers.firstTag, 1],
      ],
      [[array, 2]],
      [],
    ]);
  });

  test('refuses an entry that does not exist and a handler list that was not collected', () => {
    expect(() => layout.tables.at(2)).toThrow(RangeError);
    expect(() => layout.handlerOffset({ labels: [2], switches: [] })).toThrow('was not collected');
  });

  test('is the same whoever computes it', () => {
    const other = lowerText(MODULE).context.layout;
    expect(ranges(other)).toEqual(ranges(layout));
  });
});
