/** Structures, arrays and i31 references between WebAssembly and JavaScript. What is expected is what the JS API says, and V8 does. */
import { describe, expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat, statistics } from '../../ts/api/index.js';

type Exports = Record<string, (...args: unknown[]) => unknown>;
const instance = (text: string, imports: Record<string, Record<string, unknown>> = {}): Exports =>
  new Heddle.Instance(new Heddle.Module(parseWat(text)), imports).exports as Exports;

const TYPES = `
  (type $pair (sub (struct (field (mut i32)) (field (mut anyref)))))
  (type $triple (sub $pair (struct (field (mut i32)) (field (mut anyref)) (field i64))))
  (type $bytes (array (mut i8)))`;
const MAKERS = `
  (func (export "pair") (param i32 anyref) (result (ref $pair)) (struct.new $pair (local.get 0) (local.get 1)))
  (func (export "triple") (param i32) (result (ref $pair)) (struct.new $triple (local.get 0) (ref.null any) (i64.const 7)))
  (func (export "bytes") (param i32) (result (ref array)) (array.new_default $bytes (local.get 0)))
  (func (export "first") (param (ref $pair)) (result i32) (struct.get $pair 0 (local.get 0)))
  (func (export "second") (param (ref $pair)) (result anyref) (struct.get $pair 1 (local.get 0)))
  (func (export "length") (param (ref null $bytes)) (result i32) (array.len (local.get 0)))`;

describe('an object', () => {
  const made = instance(`(module ${TYPES} ${MAKERS}
    (global $kept (mut anyref) (ref.null any))
    (func (export "keep") (param anyref) (global.set $kept (local.get 0)))
    (func (export "kept") (result anyref) (global.get $kept))
    (func (export "same") (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1))))`);
  const { pair, triple, bytes, first, second, keep, kept, same } = made as Required<typeof made>;

  test('is one object to JavaScript for as long as that has it, whichever way it comes', () => {
    const object = pair?.(1, null);
    keep?.(object);
    expect(kept?.()).toBe(object);
    const outer = pair?.(2, object);
    expect(second?.(outer)).toBe(object);
    expect(outer).not.toBe(object);
    expect(same?.(object, kept?.())).toBe(1);
    expect(same?.(object, outer)).toBe(0);
    collect();
    expect(kept?.()).toBe(object);
    expect(first?.(kept?.())).toBe(1);
  });

  test('has nothing that JavaScript could see or change', () => {
    for (const object of [pair?.(1, null), bytes?.(3)] as object[]) {
      expect(typeof object).toBe('object');
      expect(Object.getPrototypeOf(object)).toBe(null);
      expect(Reflect.ownKeys(object)).toEqual([]);
      expect(Object.isFrozen(object)).toBe(true);
      expect(() => Object.assign(object, { x: 1 })).toThrow(TypeError);
      expect(() => delete (object as { x?: number }).x).toThrow(TypeError);
      expect(Reflect.setPrototypeOf(object, {})).toBe(false);
      expect(() => structuredClone(object)).toThrow();
    }
  });

  test('may be of a type below the one that is wanted, and of no other', () => {
    expect(first?.(triple?.(9))).toBe(9);
    for (const value of [bytes?.(1), 5, {}, 'x', Object.create(null), null, undefined, first])
      expect(() => first?.(value)).toThrow(TypeError);
    expect(() => made['length']?.(pair?.(1, null))).toThrow(TypeError);
    expect(made['length']?.(bytes?.(70_000))).toBe(70_000);
    expect(() => made['length']?.(null)).toThrow('null array reference');
  });

  test('of another module is of the same type where the declarations are the same', () => {
    const other = instance(`(module ${TYPES} ${MAKERS})`);
    expect(first?.(other['triple']?.(4))).toBe(4);
    const unlike = instance(`(module (type $pair (sub (struct (field (mut i32)) (field anyref))))
      (func (export "pair") (result (ref $pair)) (struct.new $pair (i32.const 1) (ref.null any))))`);
    expect(() => first?.(unlike['pair']?.())).toThrow(TypeError);
  });

  test('that JavaScript alone has lives; that nobody has is freed, with what it refers to', () => {
    const object = pair?.(1, pair?.(2, pair?.(3, null)));
    collect();
    const before = statistics().objectsCollected;
    for (let i = 0; i < 1000; i++) pair?.(i, null);
    expect(first?.(second?.(second?.(object)))).toBe(3);
    expect(statistics().objectsCollected).toBeGreaterThanOrEqual(before);
  });
});

describe('values under any', () => {
  const seen: unknown[] = [];
  const made = instance(
    `(module (import "m" "see" (func $see (param externref anyref) (result anyref)))
      (func (export "any") (param anyref) (result anyref) (local.get 0))
      (func (export "extern") (param externref) (result externref) (local.get 0))
      (func (export "inside") (param externref) (result anyref) (any.convert_extern (local.get 0)))
      (func (export "outside") (param anyref) (result externref) (extern.convert_any (local.get 0)))
      (func (export "both") (param externref anyref) (result anyref) (call $see (local.get 0) (local.get 1)))
      (func (export "kind") (param anyref) (result i32)
        (if (ref.test (ref i31) (local.get 0)) (then (return (i32.const 1))))
        (if (ref.test (ref eq) (local.get 0)) (then (return (i32.const 2))))
        (if (ref.test (ref any) (local.get 0)) (then (return (i32.const 3))))
        (i32.const 0))
      (func (export "kind_extern") (param externref) (result i32)
        (if (ref.test (ref i31) (any.convert_extern (local.get 0))) (then (return (i32.const 1)))) (i32.const 0)))`,
    {
      m: {
        see: (a: unknown, b: unknown) => {
          seen.push(a, b);
          return a;
        },
      },
    },
  );
  const I31 = [0, 1, -1, 5, 2 ** 30 - 1, -(2 ** 30)];
  const OTHERS = [
    -0,
    0.5,
    2 ** 30,
    -(2 ** 30) - 1,
    2 ** 31,
    2 ** 53,
    Number.NaN,
    Infinity,
    5n,
    '5',
    '',
    true,
    undefined,
    Symbol('s'),
    {},
    () => 1,
  ];

  test.each(['any', 'extern', 'inside', 'outside'])('any value comes back as it is by %s', (name) => {
    for (const value of [...I31, ...OTHERS, null]) expect(made[name]?.(value)).toBe(value);
  });

  test('integers of 31 bits are i31, all else are not', () => {
    for (const value of I31) {
      expect(made['kind']?.(value)).toBe(1);
      expect(made['kind_extern']?.(value)).toBe(1);
    }
    for (const value of OTHERS) {
      expect(made['kind']?.(value)).toBe(3);
      expect(made['kind_extern']?.(value)).toBe(0);
    }
    expect(made['kind']?.(null)).toBe(0);
  });

  test('reach imports, and come back from them', () => {
    for (const value of [...I31, ...OTHERS]) {
      seen.length = 0;
      expect(made['both']?.(value, value)).toBe(value);
      expect(seen).toEqual([value, value]);
    }
  });
});

describe('i31 references', () => {
  const made = instance(`(module
    (func (export "make") (param i32) (result i31ref) (ref.i31 (local.get 0)))
    (func (export "signed") (param i31ref) (result i32) (i31.get_s (local.get 0)))
    (func (export "unsigned") (param i31ref) (result i32) (i31.get_u (local.get 0)))
    (global (export "g") (mut i31ref) (ref.i31 (i32.const -5)))
    (table (export "t") 2 i31ref (ref.i31 (i32.const 9))))`) as Exports & {
    readonly g: { value: unknown };
    readonly t: { get(index: number): unknown; set(index: number, value?: unknown): void };
  };

  test('have the lowest 31 bits of a number', () => {
    for (const value of [0, 1, -1, 2 ** 30 - 1, 2 ** 30, -(2 ** 30), 2 ** 31 - 1, -(2 ** 31), 0x5555_5555, 0x2aaa_aaaa]) {
      const signed = (value << 1) >> 1;
      expect(made['make']?.(value)).toBe(signed);
      expect(made['signed']?.(signed)).toBe(signed);
      expect(made['unsigned']?.(signed)).toBe(value & 0x7fff_ffff);
    }
  });

  test('in globals and tables are numbers', () => {
    expect(made.g.value).toBe(-5);
    made.g.value = 7;
    expect(made.g.value).toBe(7);
    made.g.value = null;
    expect(made.g.value).toBe(null);
    for (const value of [2 ** 30, 1.5, '1', {}, 1n]) expect(() => (made.g.value = value)).toThrow(TypeError);
    expect([made.t.get(0), made.t.get(1)]).toEqual([9, 9]);
    made.t.set(1, -3);
    expect(made.t.get(1)).toBe(-3);
    made.t.set(1);
    expect(made.t.get(1)).toBe(null);
  });
});

describe('types without values', () => {
  test.each(['nullref', 'nullexternref', 'nullfuncref'])('%s takes null alone', (type) => {
    const { f } = instance(`(module (func (export "f") (param ${type}) (result ${type}) (local.get 0)))`);
    expect(f?.(null)).toBe(null);
    for (const value of [0, 1, undefined, {}, 'x', f]) expect(() => f?.(value)).toThrow(TypeError);
  });
});

describe('descriptors of tables and globals', () => {
  const { pair, bytes } = instance(`(module ${TYPES} ${MAKERS})`) as Required<Exports>;
  const struct = pair?.(1, null);
  const array = bytes?.(2);
  // What V8 of Node 26 takes.
  const TAKES: readonly (readonly ['anyref' | 'eqref' | 'i31ref' | 'structref' | 'arrayref', readonly unknown[], readonly unknown[]])[] = [
    ['anyref', [null, 5, 2 ** 40, 'text', struct, array], []],
    ['eqref', [null, 5, struct, array], ['text', 2 ** 40]],
    ['i31ref', [null, -7, 2 ** 30 - 1], [2 ** 30, 0.5, 'text', struct]],
    ['structref', [null, struct], [5, array, 'text']],
    ['arrayref', [null, array], [5, struct, 'text']],
  ];

  test.each(TAKES)('name %s, whose values are these', (type, taken, refused) => {
    const table = new Heddle.Table({ element: type, initial: 1 });
    const global = new Heddle.Global({ value: type, mutable: true });
    expect([table.get(0), global.value]).toEqual([null, null]);
    for (const value of taken) {
      table.set(0, value);
      global.value = value as never;
      expect([table.get(0), global.value, new Heddle.Table({ element: type, initial: 2 }, value).get(1)]).toEqual([value, value, value]);
    }
    for (const value of refused) {
      expect(() => table.set(0, value)).toThrow(TypeError);
      expect(() => {
        global.value = value as never;
      }).toThrow(TypeError);
      expect(() => new Heddle.Table({ element: type, initial: 2 }, value)).toThrow(TypeError);
    }
  });

  test('give what modules import', () => {
    const table = new Heddle.Table({ element: 'anyref', initial: 2 });
    const { get } = instance(
      '(module (import "m" "t" (table 2 anyref)) (func (export "get") (param i32) (result anyref) (table.get (local.get 0))))',
      { m: { t: table } },
    ) as Required<Exports>;
    table.set(1, struct);
    expect([get?.(0), get?.(1)]).toEqual([null, struct]);
    expect(get?.(1)).toBe(struct);
    expect(() => instance('(module (import "m" "t" (table 2 eqref)))', { m: { t: table } })).toThrow(Heddle.LinkError);
  });
});

test('objects are thrown, caught and seen by JavaScript as what they are', () => {
  const made = instance(
    `(module ${TYPES} (import "m" "call" (func $call)) ${MAKERS}
      (tag $t (export "t") (param (ref $pair) i31ref))
      (func (export "throw") (param (ref $pair)) (throw $t (local.get 0) (ref.i31 (i32.const 6))))
      (func (export "catch") (result anyref i31ref)
        (block $h (result (ref $pair) i31ref) (try_table (catch $t $h) (call $call)) (unreachable))))`,
    { m: { call: () => made['throw']?.(object) } },
  );
  const object = made['pair']?.(1, null);
  const tag = (made as unknown as { t: InstanceType<typeof Heddle.Tag> }).t;
  let caught: InstanceType<typeof Heddle.Exception> | undefined;
  try {
    made['throw']?.(object);
  } catch (error) {
    caught = error as typeof caught;
  }
  expect(caught?.is(tag)).toBe(true);
  expect(caught?.getArg(tag, 0)).toBe(object);
  expect(caught?.getArg(tag, 1)).toBe(6);
  expect(made['catch']?.()).toEqual([object, 6]);
  expect(() => new Heddle.Exception(tag, [5, 5])).toThrow(TypeError);
  expect(new Heddle.Exception(tag, [object, 5]).getArg(tag, 0)).toBe(object);
});

test('an exception of JavaScript is a number inside where it is a small integer', () => {
  const { f } = new Heddle.Instance(
    new Heddle.Module(
      parseWat(`(module (import "m" "js" (tag $js (param externref))) (import "m" "call" (func $call))
        (func (export "f") (result i32) (i31.get_s (ref.cast (ref i31) (any.convert_extern
          (block $h (result externref) (try_table (catch $js $h) (call $call)) (unreachable)))))))`),
    ),
    {
      m: {
        js: Heddle.JSTag,
        call: () => {
          throw -12;
        },
      },
    },
  ).exports as Exports;
  expect(f?.()).toBe(-12);
});
