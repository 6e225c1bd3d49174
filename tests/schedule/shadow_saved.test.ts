/**
 * Functions without a frame that save the stack pointer and give it back in a handler, as LLVM writes them (`try { wait(); … } catch …` in C++, unwinding in Rust, setjmp): a model that knows
 * only which bytes are in use watches random calls of them.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat, type ShadowStackOptions } from '../../ts/index.js';

type Address = 'i32' | 'i64';
const TOP = 65_536;
const FRAME = 32;

/** `address` is the type of the memory's addresses. */
const program = (address: Address): string => {
  const a = address;
  const sub = `${a}.sub`;
  const add = `${a}.add`;
  return `(module
  (import "m" "wait" (func $wait (param i32) (result i32)))
  (import "m" "open" (func $open (param ${a} i32)))
  (import "m" "close" (func $close (param ${a} i32)))
  (import "m" "invoke" (func $invoke (param i32) (result i32)))
  (import "m" "take" (func $take (param ${a}) (result ${a})))
  (import "m" "drop" (func $drop (param ${a})))
  (export "take" (func $take)) (export "drop" (func $drop))
  (memory (export "memory") ${a === 'i64' ? 'i64' : ''} 8) (tag $e (param i32))
  (global $__stack_pointer (export "__stack_pointer") (mut ${a}) (${a}.const ${TOP}))
  (global (export "__stack_low") ${a} (${a}.const 1024))
  (func $leaf (param $v i32) (result i32) (local $sp ${a}) (local $r i32)
    (global.set $__stack_pointer (local.tee $sp (${sub} (global.get $__stack_pointer) (${a}.const ${FRAME}))))
    (call $open (local.get $sp) (local.get $v))
    (i32.store (local.get $sp) (local.get $v))
    (local.set $r (call $wait (local.get $v)))
    (if (i32.ne (i32.load (local.get $sp)) (local.get $v)) (then (unreachable)))
    (call $close (local.get $sp) (local.get $v))
    (global.set $__stack_pointer (${add} (local.get $sp) (${a}.const ${FRAME})))
    (local.get $r))
  ;; Throws with its frame on the stack.
  (func $thrower (export "thrower") (param $v i32) (local $sp ${a})
    (global.set $__stack_pointer (local.tee $sp (${sub} (global.get $__stack_pointer) (${a}.const ${FRAME}))))
    (call $open (local.get $sp) (local.get $v))
    (if (i32.and (local.get $v) (i32.const 1)) (then (drop (call $wait (local.get $v)))))
    (call $close (local.get $sp) (local.get $v))
    (throw $e (local.get $v)))
  ;; No frame: saves the pointer, waits, and gives it back in the handler. Calls itself in between.
  (func $guard (export "guard") (param $v i32) (param $depth i32) (result i32) (local $sp ${a}) (local $r i32)
    (local.set $sp (global.get $__stack_pointer))
    (local.set $r (call $wait (local.get $v)))
    (if (local.get $depth) (then
      (local.set $r (i32.add (local.get $r) (call $guard (i32.add (local.get $v) (i32.const 1)) (i32.sub (local.get $depth) (i32.const 1)))))))
    (block $h (result i32) (try_table (catch $e $h) (call $thrower (local.get $v))) (unreachable))
    (global.set $__stack_pointer (local.get $sp))
    (i32.add (i32.add (i32.mul (i32.const 100)) (local.get $r)) (call $leaf (local.get $v))))
  ;; With a frame below which such functions are.
  (func (export "framed") (param $v i32) (param $depth i32) (result i32) (local $sp ${a}) (local $r i32)
    (global.set $__stack_pointer (local.tee $sp (${sub} (global.get $__stack_pointer) (${a}.const ${FRAME}))))
    (call $open (local.get $sp) (local.get $v))
    (local.set $r (call $guard (local.get $v) (local.get $depth)))
    (call $close (local.get $sp) (local.get $v))
    (global.set $__stack_pointer (${add} (local.get $sp) (${a}.const ${FRAME})))
    (local.get $r))
  ;; By way of JavaScript, which saves the pointer, as Emscripten's invoke_… do.
  (func (export "outside") (param $v i32) (param $depth i32) (result i32)
    (drop (call $wait (local.get $v)))
    (i32.add (call $invoke (local.get $v)) (call $guard (local.get $v) (local.get $depth))))
  (func (export "stackSave") (result ${a}) (global.get $__stack_pointer))
  (func (export "stackRestore") (param ${a}) (global.set $__stack_pointer (local.get 0))))`;
};

/** What the functions give, where a wait gives its argument. */
const guard = (v: number, depth: number): number => 100 * v + v + (depth === 0 ? 0 : guard(v + 1, depth - 1)) + v;
const results: Readonly<Record<string, (v: number, depth: number) => number>> = {
  guard,
  framed: guard,
  outside: (v, depth) => 7 * v + guard(v, depth),
};
const names = Object.keys(results);

/** The model: frames that are open and blocks that are taken, by address. */
class Watched {
  readonly exports: Heddle.Exports;
  readonly waits: (() => void)[] = [];
  /** How many lie at an address: where frames are moved each call sees its own there. */
  readonly #frames = new Map<number, number>();
  readonly #blocks = new Map<number, number>();
  #inside = 0;
  begun = 0;

  constructor(
    readonly address: Address,
    readonly options: ShadowStackOptions,
    /** Called by imports: may begin other calls. */
    readonly turn: (of: Watched) => void,
  ) {
    const wait = new Heddle.Suspending((v: number) => {
      this.#nested();
      return new Promise((resolve) => this.waits.push(() => resolve(v)));
    });
    const imports = {
      wait,
      open: (at: number | bigint) => this.#open(Number(at)),
      close: (at: number | bigint) => this.#close(Number(at)),
      invoke: (v: number) => {
        const saved = this.exports['stackSave']?.();
        this.#nested();
        expect(() => this.exports['thrower']?.(2 * v)).toThrow();
        this.exports['stackRestore']?.(saved);
        return 7 * v;
      },
      take: (size: number | bigint) => this.#word(this.#take(Number(size))),
      drop: (at: number | bigint) => expect(this.#blocks.delete(Number(at))).toBe(true),
    };
    const module = new Heddle.Module(parseWat(program(address)), { shadowStack: options });
    this.exports = new Heddle.Instance(module, { m: imports }).exports as typeof this.exports;
  }

  get pointer(): number {
    return Number((this.exports['__stack_pointer'] as unknown as { value: number | bigint }).value);
  }

  get open(): number {
    return [...this.#frames.values()].reduce((a, b) => a + b, 0);
  }

  #word(value: number): number | bigint {
    return this.address === 'i64' ? BigInt(value) : value;
  }

  #nested(): void {
    if (this.#inside > 1) return;
    this.#inside++;
    this.turn(this);
    this.#inside--;
  }

  /** A frame lies on the module's stack, or in a block that is taken, and in no other frame. */
  #open(at: number): void {
    const inBlock = [...this.#blocks].some(([low, size]) => at >= low && at + FRAME <= low + size);
    expect(inBlock || (at >= 1024 && at + FRAME <= TOP)).toBe(true);
    if (this.options.move !== true) for (const low of this.#frames.keys()) expect(at + FRAME <= low || at >= low + FRAME).toBe(true);
    this.#frames.set(at, (this.#frames.get(at) ?? 0) + 1);
  }

  #close(at: number): void {
    const count = this.#frames.get(at) ?? 0;
    expect(count).toBeGreaterThan(0);
    if (count === 1) this.#frames.delete(at);
    else this.#frames.set(at, count - 1);
  }

  /** First fit above the stack. */
  #take(size: number): number {
    let at = TOP + 16;
    while (this.#blocks.has(at)) at += size + 16;
    this.#blocks.set(at, size);
    return at;
  }
}

const allocator = { allocate: 'take', free: 'drop' };
const modes: readonly [string, Address, ShadowStackOptions][] = [
  ['slices', 'i32', { size: 1024 }],
  ['an allocator', 'i32', { allocator, size: 1024 }],
  ['slices, 64-bit', 'i64', { size: 1024 }],
  ['an allocator, 64-bit', 'i64', { allocator, size: 1024 }],
  ['frames that are moved', 'i32', { move: true }],
  ['frames that are moved, 64-bit', 'i64', { move: true }],
];

describe.each(modes)('with %s', (_, address, options) => {
  test('three calls, each of which catches after a wait without frames', async () => {
    const one = new Watched(address, options, () => undefined);
    const calls = [1, 2, 3].map((v) => Heddle.promising(one.exports['guard'])(v, 0));
    while (one.waits.length > 0) {
      one.waits.shift()?.();
      await new Promise(setImmediate);
    }
    expect(await Promise.all(calls)).toEqual([1, 2, 3].map((v) => guard(v, 0)));
    expect(one.pointer).toBe(TOP);
  });

  test.each([1, 2, 3, 4, 5, 6])('random calls, begun, set aside and ended in any order: seed %i', async (seed) => {
    let x = seed;
    const pick = (below: number): number => {
      x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
      return (x >>> 8) % below;
    };
    const calls: { readonly promise: Promise<unknown>; readonly expected: number }[] = [];
    const begin = (of: Watched): void => {
      if (calls.length >= 60) return;
      const name = names[pick(names.length)] ?? 'guard';
      const [v, depth] = [pick(50), pick(3)];
      calls.push({ promise: Heddle.promising(of.exports[name])(v, depth), expected: results[name]?.(v, depth) ?? Number.NaN });
    };
    const one = new Watched(address, options, (of) => {
      if (pick(3) === 0) begin(of);
    });
    while (calls.length < 60 || one.waits.length > 0) {
      if (one.waits.length === 0 || pick(3) === 0) begin(one);
      else one.waits.splice(pick(one.waits.length), 1)[0]?.();
      if (pick(2) === 0 || calls.length >= 60) await new Promise(setImmediate);
    }
    expect(await Promise.all(calls.map(({ promise }) => promise))).toEqual(calls.map(({ expected }) => expected));
    expect(one.open).toBe(0);
    expect(one.pointer).toBe(TOP);
  });
});
