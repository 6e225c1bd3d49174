import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { collectHandlers, mayResume } from '../module/handlers.js';
import { codegen } from '../support.test-helper.js';
import { OP, operatorEnd, operatorIndex } from './stream.js';

/** The opcodes of all functions of a module, found by walking its streams. */
function opcodes(binary: Uint8Array): number[] {
  const info = new codegen.ModuleInfo(binary, 1, true);
  const found: number[] = [];
  for (let i = 0; i < info.functions().length; i++) {
    const ops = info.ops(i);
    let at = 1 + 2 * (ops[0] ?? 0);
    while (at < ops.length) {
      found.push(ops[at] ?? -1);
      at = operatorEnd(ops, at);
    }
    expect(at).toBe(ops.length);
    expect(found.at(-1)).toBe(OP.end);
  }
  info.free();
  return found;
}

const one = (body: string, around = ''): number[] => opcodes(codegen.parse_wat(`(module ${around} (func (param i32 i64 v128) ${body}))`));

describe('operatorEnd()', () => {
  test.each([
    ['a branch table', '(block (br_table 0 1 0 1 (local.get 0)))', [OP.block, OP.localGet, OP.brTable, OP.end, OP.end]],
    [
      'constants',
      '(drop (i64.const 5)) (drop (f64.const 1)) (drop (f32.const 1))',
      [OP.i64Const, OP.drop, OP.f64Const, OP.drop, OP.f32Const, OP.drop, OP.end],
    ],
    [
      'a typed select',
      '(drop (select (result i32) (i32.const 1) (i32.const 2) (local.get 0)))',
      [OP.i32Const, OP.i32Const, OP.localGet, OP.selectTyped, OP.drop, OP.end],
    ],
    [
      'vectors',
      '(drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i32x4 1 2 3 4) (local.get 2)))',
      [OP.v128Const, OP.localGet, OP.i8x16Shuffle, OP.drop, OP.end],
    ],
  ])('walks over %s', (_, body, expected) => expect(one(body)).toEqual(expected));

  test('walks over memory, table, lane and atomic operators', () => {
    const found = one(
      `(v128.store8_lane 3 (local.get 0) (local.get 2)) (drop (i32x4.extract_lane 2 (local.get 2))) (drop (v128.load64_zero (local.get 0)))
       (i64.atomic.store (local.get 0) (i64.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 1))) (atomic.fence)
       (table.init 0 (local.get 0) (local.get 0) (local.get 0)) (memory.copy (local.get 0) (local.get 0) (local.get 0)) (elem.drop 0)`,
      '(memory 1 1 shared) (table 1 funcref) (elem func)',
    );
    expect(found).toContain(OP.tableInit);
    expect(found).toContain(0xfe003);
  });

  test('walks over exceptions, structures and casts', () => {
    const found = one(
      `(block $all (try_table (catch $e $all) (catch_all $all) (throw $e)))
       (drop (struct.get $s 0 (struct.new $s (local.get 0)))) (drop (array.len (array.new_fixed $a 2 (local.get 0) (local.get 0))))
       (block $cast (result i31ref) (br_on_cast $cast anyref i31ref (ref.i31 (local.get 0))) (drop) (ref.null i31)) (drop)`,
      '(tag $e) (type $s (struct (field i32))) (type $a (array (mut i32)))',
    );
    expect(found).toContain(OP.tryTable);
    expect(found).toContain(0xfb018);
  });

  test('gives every opcode an index of its own', () => {
    const words = [0, 0xff, 0xfb000, 0xfb01e, 0xfc000, 0xfc011, 0xfd000, 0xfd113, 0xfe000, 0xfe04e];
    expect(new Set(words.map(operatorIndex)).size).toBe(words.length);
  });
});

describe('collectHandlers()', () => {
  const binary = codegen.parse_wat(`(module (type $f (func)) (type $k (cont $f)) (tag $a) (tag $b)
    (func (param (ref $k)) (i32.const 0xe3) (drop))
    (func (param (ref $k)) (result (ref $k)) (resume $k (on $b 0) (on $a switch) (local.get 0)) (local.get 0))
    (func (param (ref $k)) (result (ref $k)) (resume $k (on $a switch) (on $b 0) (local.get 0)) (local.get 0)))`);
  const info = new codegen.ModuleInfo(binary, 0, true);

  test('finds each distinct list once, whatever the order of label and switch clauses', () => {
    const streams = [0, 1, 2].map((i) => info.ops(i));
    expect(collectHandlers(streams)).toEqual([{ labels: [1], switches: [0] }]);
  });

  test('mayResume() is a filter on bytes: no false no', () => {
    const bodies = info.bodies();
    const may = [0, 1, 2].map((i) => mayResume(binary.subarray(bodies[2 * i], bodies[2 * i + 1])));
    expect(may).toEqual([true, true, true]);
    expect(mayResume(Uint8Array.of(0, OP.nop, OP.end))).toBe(false);
  });
});

test('formats.md lists the immediates that the lowering reads', () => {
  const text = readFileSync(new URL('../../../contract/formats.md', import.meta.url), 'utf8');
  expect(text).toContain('br_table: `[n, default depth, n depths]`');
  expect(text).toContain('resume: `[cont type, n, (0 label, tag, depth | 1 switch, tag, 0)*]`');
});
