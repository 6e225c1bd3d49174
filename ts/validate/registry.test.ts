import { describe, expect, test } from 'vitest';
import { concreteId, MOST_TYPES, TypeRegistry } from './registry.js';
import { FINAL, FIRST, KIND_CONT, KIND_FUNC, NO_SUPER, TYPES_HEAD } from './type_words.js';

const I32 = 0x7f;
const I64 = 0x7e;
const FUNCREF = 0xc000_0070;
const KIND_STRUCT = 2;
/** `(ref null $index)`. */
const ref = (index: number): number => (0xe000_0000 | index) >>> 0;

interface Type {
  readonly kind: 'func' | 'cont' | 'struct';
  readonly super?: number;
  readonly open?: boolean;
  readonly params?: readonly number[];
  readonly results?: readonly number[];
  /** Of a continuation type. */
  readonly cont?: number;
}

function recordOf({ kind, super: sup = NO_SUPER, open, params = [], results = [], cont = 0 }: Type, first: boolean): number[] {
  const head = (open === true ? 0 : FINAL) | (first ? FIRST : 0);
  if (kind === 'cont') return [KIND_CONT | head, sup, cont];
  if (kind === 'struct') return [KIND_STRUCT | head, sup, params.length, ...params.flatMap((type) => [type, 1])];
  return [KIND_FUNC | head, sup, params.length, results.length, ...params, ...results];
}

/** Groups of types as the crate gives them. */
function wordsOf(groups: readonly (readonly Type[])[]): Uint32Array {
  const records = groups.flatMap((group) => group.map((type, i) => recordOf(type, i === 0)));
  const words = new Uint32Array(TYPES_HEAD + records.length + records.reduce((sum, record) => sum + record.length, 0));
  words[0] = records.length;
  let at = TYPES_HEAD + records.length;
  records.forEach((record, i) => {
    words[TYPES_HEAD + i] = at;
    words.set(record, at);
    at += record.length;
  });
  return words;
}

/** A module of `count` function types that are all of one recursion group; no two `serial`s are of equal types. */
function large(count: number, serial: number): Uint32Array {
  const words = new Uint32Array(TYPES_HEAD + 5 * count + 1);
  words[0] = count;
  let at = TYPES_HEAD + count;
  for (let i = 0; i < count; i++) {
    words[TYPES_HEAD + i] = at;
    words[at++] = i === 0 ? FINAL | FIRST : FINAL;
    words[at++] = NO_SUPER;
    words[at++] = i === 0 ? 1 : 0;
    words[at++] = 0;
    if (i === 0) words[at++] = ref(0) - serial * 0x10_0000; // Words that no valid type has, and that differ.
  }
  return words;
}

class User {
  defined: number[][] = [];
  forgotten: number[] = [];
  reclaim = (): void => undefined;
  define = (words: Uint32Array): void => {
    this.defined.push([...words]);
  };
  forget = (ids: Uint32Array): void => {
    this.forgotten = this.forgotten.concat([...ids]);
  };
}

function made(): { readonly user: User; readonly registry: TypeRegistry } {
  const user = new User();
  const registry = new TypeRegistry({
    define: (words) => user.define(words),
    forget: (ids) => user.forget(ids),
    reclaim: () => user.reclaim(),
  });
  return { user, registry };
}

/** A collection that finds these ids. */
function collect(registry: TypeRegistry, ...found: readonly number[]): void {
  registry.marks.fill(0);
  for (const id of found) registry.marks[id >>> 5] = (registry.marks[id >>> 5] ?? 0) | (1 << (id & 31));
  registry.sweep();
}

const I64_TO_I64: Type = { kind: 'func', params: [I64], results: [I64] };
const I64_TO_FUNC: Type = { kind: 'func', params: [I64], results: [FUNCREF] };

describe('equal types', () => {
  test('are one id in all modules; recursion groups are compared whole', () => {
    const { registry } = made();
    const [a, b, c] = registry.register(wordsOf([[I64_TO_I64], [I64_TO_FUNC], [I64_TO_I64]]));
    expect(a).toBe(c);
    expect(a).not.toBe(b);
    const pair = wordsOf([[I64_TO_I64, I64_TO_FUNC]]);
    const [p, q] = registry.register(pair);
    expect(new Set([a, b, p, q]).size).toBe(4);
    expect([...registry.register(pair)]).toEqual([p, q]);
    expect(registry.functionType([I64], [I64])).toBe(a);
    expect(registry.size).toBe(4);
  });

  test('a reference inside a group is its place there, any other the type itself', () => {
    const { registry } = made();
    // $a = (func (param (ref null $a))), twice; then one that names the first of them, which is no such type.
    const self = (index: number): Type => ({ kind: 'func', params: [ref(index)] });
    const [a, b, c] = registry.register(wordsOf([[self(0)], [self(1)], [self(0)]]));
    expect(b).toBe(a);
    expect(c).not.toBe(a);
    expect(registry.type(a ?? 0).params.map(concreteId)).toEqual([a]);
    expect(registry.type(c ?? 0).params.map(concreteId)).toEqual([a]);
  });

  test('supertype, finality, kind, order of values and mutability tell types apart', () => {
    const { registry } = made();
    const open: Type = { kind: 'func', open: true };
    const words = wordsOf([
      [open],
      [{ kind: 'func' }],
      [{ kind: 'func', super: 0 }],
      [{ kind: 'func', super: 0, open: true }],
      [{ kind: 'func', params: [I32, I64] }],
      [{ kind: 'func', params: [I64, I32] }],
      [{ kind: 'func', params: [I32], results: [I64] }],
      [{ kind: 'struct', params: [I32, I64] }],
      [{ kind: 'cont', cont: 0 }],
      [{ kind: 'cont', cont: 1 }],
    ]);
    const ids = registry.register(words);
    expect(new Set(ids).size).toBe(ids.length);
    const [top = 0, , sub = 0, middle = 0] = ids;
    expect(registry.isSubtype(sub, top)).toBe(true);
    expect(registry.isSubtype(top, sub)).toBe(false);
    expect(registry.isSubtype(sub, middle)).toBe(false);
    expect(registry.type(ids[8] ?? 0)).toMatchObject({ kind: 'cont', cont: top });
  });
});

/** A module made of random groups whose references go to itself. */
function randomGroups(random: () => number): Type[][] {
  const groups: Type[][] = [];
  let first = 0;
  const pick = (count: number): number => Math.floor(random() * count);
  while (first < 7) {
    const size = 1 + pick(3);
    const value = (): number => [I32, I64, FUNCREF, ref(pick(first + size))][pick(4)] ?? I32;
    const values = (): number[] => Array.from({ length: pick(3) }, value);
    groups.push(
      Array.from({ length: size }, (_, i): Type => {
        const sup = pick(4) === 0 && first + i > 0 ? { super: pick(first + i) } : {};
        return { kind: pick(4) === 0 ? 'struct' : 'func', ...sup, open: pick(2) === 0, params: values(), results: values() };
      }),
    );
    first += size;
  }
  return groups;
}

/** By type index: what tells a type from others, by the specification: its group, closed over what that names, and its place there. */
function closedForms(groups: readonly (readonly Type[])[]): string[] {
  const forms: string[] = [];
  for (const group of groups) {
    const start = forms.length;
    const name = (index: number): string => (index < start ? (forms[index] ?? '') : `place ${index - start}`);
    const value = (type: number): string => (concreteId(type) !== 0 || type === ref(0) ? `ref ${name(type & 0xf_ffff)}` : `${type}`);
    const text = group.map(
      ({ kind, super: sup, open, params = [], results = [] }) =>
        `${kind} ${open} <${sup === undefined ? '' : name(sup)}> (${params.map(value)}) (${kind === 'func' ? results.map(value) : ''})`,
    );
    for (let i = 0; i < group.length; i++) forms.push(`{${text.join(';')}}.${i}`);
  }
  return forms;
}

test('ids are equal exactly where types are, whatever a collection has dropped', () => {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const { registry, user } = made();
  /** What the modules that live name, and the ids that they have. */
  let live: { readonly forms: string[]; readonly ids: Uint32Array }[] = [];
  let dropped = 0;
  for (let round = 0; round < 150; round++) {
    const groups = randomGroups(random);
    live.push({ forms: closedForms(groups), ids: registry.register(wordsOf(groups)) });
    if (random() < 0.3) {
      live = live.filter(() => random() < 0.5);
      collect(registry, ...live.flatMap(({ ids }) => [...ids]));
      dropped += user.forgotten.length;
      user.forgotten = [];
    }
    const byForm = new Map<string, number>();
    for (const { forms, ids } of live) {
      forms.forEach((form, i) => {
        expect(byForm.get(form) ?? ids[i]).toBe(ids[i]);
        byForm.set(form, ids[i] ?? 0);
        expect(registry.type(ids[i] ?? 0).id).toBe(ids[i]);
      });
    }
    expect(new Set(byForm.values()).size).toBe(byForm.size);
  }
  expect(dropped).toBeGreaterThan(300);
});

describe('what fails half-way', () => {
  test('leaves nothing: an error of the listener', () => {
    const { registry, user } = made();
    const [kept] = registry.register(wordsOf([[I64_TO_I64]]));
    const { define } = user;
    user.define = () => {
      throw new RangeError('no');
    };
    const group = wordsOf([[I64_TO_FUNC, I64_TO_I64], [{ kind: 'func' }]]);
    expect(() => registry.register(group)).toThrow('no');
    expect(() => registry.functionType([I32], [])).toThrow('no');
    user.define = define;
    expect(registry.size).toBe(1);
    const [other] = registry.register(wordsOf([[{ kind: 'func', params: [I32] }]]));
    const ids = registry.register(group);
    expect(new Set([kept, other, ...ids]).size).toBe(5);
    expect(registry.type(ids[0] ?? 0).results).toEqual([FUNCREF]);
    expect(registry.type(other ?? 0).params).toEqual([I32]);
  });

  test('leaves nothing: the stack runs out anywhere', () => {
    const { registry } = made();
    const group = wordsOf([[I64_TO_FUNC, I64_TO_I64]]);
    let outcome = '';
    /** '' where the stack ran out before. */
    const at = (depth: number): string => {
      outcome = '';
      const deep = (n: number): void => {
        if (n > 0) return deep(n - 1);
        try {
          registry.register(group);
          outcome = 'done';
        } catch {
          outcome = 'failed';
        }
      };
      try {
        deep(depth);
      } catch {}
      return outcome;
    };
    let low = 0;
    // Frames have their last size once V8 has optimized them.
    for (let i = 0; i < 4; i++) {
      low = 0;
      for (let high = 1 << 20; high - low > 1; ) {
        const middle = (low + high) >>> 1;
        if (at(middle) === '') high = middle;
        else low = middle;
      }
    }
    const outcomes = new Set<string>();
    for (let depth = low + 20; depth > low - 200 && !outcomes.has('done'); depth--) outcomes.add(at(depth));
    expect(outcomes).toContain('failed');
    const [a, b] = registry.register(group);
    const [c] = registry.register(wordsOf([[I64_TO_I64]]));
    expect(registry.size).toBe(3);
    expect(new Set([a, b, c]).size).toBe(3);
    expect(registry.type(a ?? 0).results).toEqual([FUNCREF]);
  });
});

describe('ids', () => {
  test('what nothing names is dropped, children before parents; ids come back', () => {
    const { registry, user } = made();
    // $0 func, $1 cont $0, $2 func (param (ref null $1)), $3 func
    const words = wordsOf([
      [{ kind: 'func', params: [I32] }],
      [{ kind: 'cont', cont: 0 }],
      [{ kind: 'func', params: [ref(1)] }],
      [{ kind: 'func', params: [I64] }],
    ]);
    const [a = 0, b = 0, c = 0, d = 0] = registry.register(words);
    collect(registry, c);
    expect(user.forgotten).toEqual([d]);
    expect([a, b, c].map((id) => registry.type(id).kind)).toEqual(['func', 'cont', 'func']);
    expect(() => registry.type(d)).toThrow(`type id ${d} is not registered`);
    const [next] = registry.register(wordsOf([[{ kind: 'func', results: [I64] }]]));
    expect(next).toBe(d);
    expect(registry.type(d)).toMatchObject({ params: [], results: [I64] });
    collect(registry);
    expect(user.forgotten.sort((x, y) => x - y)).toEqual([a, b, c, d, d].sort((x, y) => x - y));
    expect(registry.size).toBe(0);
  });

  test('one type of a group keeps the whole; a supertype and a field keep theirs', () => {
    const { registry } = made();
    const words = wordsOf([
      [{ kind: 'func', open: true }],
      [{ kind: 'func', params: [I64] }],
      [
        { kind: 'func', super: 0, params: [] },
        { kind: 'struct', params: [ref(1)] },
      ],
    ]);
    const ids = registry.register(words);
    collect(registry, ids[3] ?? 0);
    expect([...ids].map((id) => registry.type(id).id)).toEqual([...ids]);
    expect([...registry.register(words)]).toEqual([...ids]);
  });

  test('run out at 2^20 - 1 live types, with an error that leaves nothing; after a collection they are there again', () => {
    const { registry, user } = made();
    user.define = () => undefined;
    user.forget = () => undefined;
    const half = 2 ** 19;
    const first = registry.register(large(half, 1));
    const second = registry.register(large(half - 1, 2));
    expect(registry.size).toBe(MOST_TYPES);
    expect(MOST_TYPES).toBe(2 ** 20 - 1);
    expect(new Set([...first, ...second]).size).toBe(MOST_TYPES);
    let reclaimed = 0;
    user.reclaim = () => {
      reclaimed++;
      collect(registry, ...[first[0] ?? 0, second[0] ?? 0]);
    };
    const one = wordsOf([[I64_TO_I64]]);
    expect(() => registry.register(one)).toThrow(expect.objectContaining({ code: 'HEDDLE_TYPES' }));
    expect(() => registry.functionType([I64], [I64])).toThrow(expect.objectContaining({ code: 'HEDDLE_TYPES' }));
    expect(reclaimed).toBe(2);
    // What is known needs no id.
    expect(registry.register(large(half, 1))[0]).toBe(first[0]);
    user.reclaim = () => collect(registry, second[0] ?? 0);
    const [id = 0] = registry.register(one);
    expect(first.includes(id)).toBe(true);
    expect(registry.size).toBe(half);
    expect(registry.type(id).results).toEqual([I64]);
  });

  test('are told to the user with their supertypes and layouts', () => {
    const { registry, user } = made();
    const words = wordsOf([
      [{ kind: 'func', open: true, params: [I32] }],
      [{ kind: 'cont', cont: 0 }],
      [{ kind: 'func', super: 0, params: [I32], results: [] }],
      [{ kind: 'func', params: [ref(1)], results: [I64, FUNCREF] }],
      // Behind a head of 8 bytes: an i8 at 8, an i32 at 12, references at 16 and 24, an i16 at 32.
      [{ kind: 'struct', params: [0x78, I32, FUNCREF, ref(0), 0x77] }],
    ]);
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = registry.register(words);
    const [func, cont, struct] = [1, 2, 3];
    expect(user.defined).toEqual([
      [
        ...[a, 0, func, 1, 0, I32],
        ...[b, 0, cont, 0, 0],
        ...[c, a, func, 1, 0, I32],
        ...[d, 0, func, 1, 2, 0x6f, I64, 0x6f],
        ...[e, 0, struct, 40, 0b1100, 0],
      ],
    ]);
    registry.register(words);
    expect(user.defined).toHaveLength(1);
  });
});

test('nothing that a program can patch is asked', () => {
  const { registry } = made();
  const groups = wordsOf([[I64_TO_I64], [I64_TO_FUNC, { kind: 'cont', cont: 0 }], [{ kind: 'func', params: [ref(2)] }]]);
  const before = [...registry.register(groups)];
  const { defineProperty } = Reflect;
  const asked: string[] = [];
  const patches: {
    readonly object: object;
    readonly key: PropertyKey;
    readonly old: PropertyDescriptor;
    readonly now: PropertyDescriptor;
  }[] = [];
  const classes = [Array, Object, Map, Set, Function, Uint32Array, Object.getPrototypeOf(Uint32Array) as typeof Array, String, Number];
  for (const object of [...classes.map((one) => one.prototype as object), JSON, Math]) {
    for (const key of Reflect.ownKeys(object)) {
      const old = Object.getOwnPropertyDescriptor(object, key);
      if (old?.configurable !== true || key === 'constructor') continue;
      const get = (): undefined => {
        asked[asked.length] = String(key);
      };
      patches.push({ object, key, old, now: { get, configurable: true } });
    }
  }
  const { length } = patches;
  const results: Record<string, unknown> = {};
  const { user } = { user: { define: () => undefined, forget: () => undefined, reclaim: () => undefined } };
  const fresh = new TypeRegistry(user);
  // From here on only what was captured may run.
  for (let i = 0; i < length; i++) {
    const patch = patches[i];
    if (patch !== undefined) defineProperty(patch.object, patch.key, patch.now);
  }
  defineProperty(Array.prototype, 'toJSON', { value: () => 'Array', configurable: true });
  defineProperty(Array.prototype, '1', { set: () => undefined, get: () => 7, configurable: true });
  try {
    results['ids'] = fresh.register(groups);
    results['own'] = fresh.functionType([I32], [I64]);
    results['below'] = fresh.isSubtype(1, 2);
    results['type'] = fresh.type(2);
    fresh.marks[0] = 2;
    fresh.sweep();
    results['size'] = fresh.size;
  } finally {
    Reflect.deleteProperty(Array.prototype, '1');
    Reflect.deleteProperty(Array.prototype, 'toJSON');
    for (let i = 0; i < length; i++) {
      const patch = patches[i];
      if (patch !== undefined) defineProperty(patch.object, patch.key, patch.old);
    }
  }
  expect(asked).toEqual([]);
  expect([...(results['ids'] as Uint32Array)]).toEqual(before);
  expect(results).toMatchObject({ own: 5, below: false, type: { kind: 'func', params: [I64], results: [FUNCREF] }, size: 1 });
});
