// What one sequence has made so far, and how values for its calls are chosen: right ones, wrong ones, and objects that run more of the
// sequence when they are looked at.
import * as heddle from '../../../dist/heddle.mjs';
import { Random } from '../random.mjs';

const { WebAssembly: Heddle } = heddle;

/** Everything that a hostile object has thrown: only these may come out of a call besides typed errors. */
const thrown = new WeakSet();
export const isOurs = (value) =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? thrown.has(value)
    : typeof value === 'string'
      ? value.startsWith('hostile ')
      : PRIMITIVES_THROWN.includes(value);
const PRIMITIVES_THROWN = [undefined, null, 7, 8n];

/** Calls of the sequence inside calls of it. */
const DEEPEST = 3;
/** Actions of a sequence, those inside calls included. */
const MOST_ACTIONS = 100;
/** Objects of each kind that are remembered. */
const MOST_KEPT = 12;

const KINDS = [
  'module',
  'instance',
  'function',
  'memory',
  'table',
  'global',
  'tag',
  'exception',
  'continuation',
  'promising',
  'scheduler',
  'task',
  'group',
  'buffer',
  'settler',
  'suspending',
];

export class World {
  /** `actions` is a list of functions (world) => anything; `compiled` are modules by name. */
  constructor(seed, actions, compiled, log) {
    this.random = new Random(seed);
    this.actions = actions;
    this.compiled = compiled;
    this.log = log;
    this.depth = 0;
    this.left = MOST_ACTIONS;
    this.pending = [];
    this.instances = [];
    this.spin = undefined;
    this.kept = Object.fromEntries(KINDS.map((kind) => [kind, []]));
    /** What was wrong: nobody may swallow it. */
    this.wrong = [];
  }

  chance(percent) {
    return this.random.below(100) < percent;
  }

  pick(list) {
    return list[this.random.below(list.length)];
  }

  keep(kind, object) {
    const list = this.kept[kind];
    if (list.length < MOST_KEPT) list.push(object);
    else list[this.random.below(MOST_KEPT)] = object;
    return object;
  }

  /** One of a kind, mostly of the newest; undefined where there is none. */
  some(kind) {
    const list = this.kept[kind];
    if (list.length === 0) return undefined;
    return this.chance(30) ? list[list.length - 1] : this.pick(list);
  }

  /** Lets go of everything, so that closures that are still somewhere hold nothing. */
  clear() {
    this.left = 0;
    for (const list of Object.values(this.kept)) list.length = 0;
    this.pending.length = 0;
    this.instances.length = 0;
    this.spin = undefined;
  }

  note(text) {
    this.log?.(`${'  '.repeat(this.depth)}${text}`);
  }

  /** Does something of the sequence. What it throws is looked at. */
  act(action = this.pick(this.actions)) {
    if (this.left <= 0 || this.depth >= DEEPEST) return;
    this.left--;
    this.note(action.name);
    this.depth++;
    try {
      const result = action(this);
      if (typeof result?.then === 'function') this.wait(result, action.name);
    } catch (error) {
      this.check(error, action.name);
    }
    this.depth--;
  }

  /** Looks at how a promise ends, some time. */
  wait(promise, name) {
    this.pending.push(
      Promise.resolve(promise).then(
        () => {},
        (error) => this.check(error, name),
      ),
    );
  }

  check(error, name) {
    const why = wrongness(error);
    if (why === undefined) {
      this.note(`  ${name}: ${brief(error)}`);
      return;
    }
    this.note(`  WRONG ${name}: ${why}`);
    this.wrong.push(`${name}: ${why}`);
  }

  /** A value that is thrown. */
  token() {
    if (this.chance(20)) return this.pick(PRIMITIVES_THROWN);
    if (this.chance(20)) return `hostile ${this.random.below(9)}`;
    const exception = this.chance(30) ? this.some('exception') : undefined;
    if (exception !== undefined) {
      thrown.add(exception);
      return exception;
    }
    const makes = [
      () => new Error('hostile'),
      () => new TypeError('hostile'),
      () => Object.freeze({ hostile: true }),
      () => Object.assign(() => {}, { hostile: true }),
      () => new Proxy(new Error('hostile'), {}),
      () => new Heddle.RuntimeError('hostile'),
    ];
    const token = this.pick(makes)();
    thrown.add(token);
    return token;
  }

  /** What hostile objects do when they are looked at: some of the sequence, and perhaps a throw. */
  meddle() {
    if (this.chance(60)) this.act();
    if (this.chance(15)) this.act();
    if (this.chance(12)) {
      const token = this.token();
      this.note(`throws ${brief(token)}`);
      throw token;
    }
  }

  primitive() {
    return this.pick([
      undefined,
      null,
      true,
      false,
      0,
      -0,
      1,
      2,
      3,
      -1,
      1.5,
      2 ** 31,
      -(2 ** 31),
      2 ** 32,
      2 ** 53,
      65_536,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      0n,
      1n,
      -1n,
      2n ** 64n,
      2n ** 63n,
      '',
      '3',
      'i32',
      'externref',
      'hostile text',
      Symbol.iterator,
    ]);
  }

  /** An object that converts to `value`, and meddles before. */
  converting(value) {
    const world = this;
    const convert = () => {
      world.meddle();
      return value;
    };
    switch (this.random.below(5)) {
      case 0:
        return { valueOf: convert, toString: convert };
      case 1:
        return { [Symbol.toPrimitive]: convert };
      case 2:
        return { __proto__: null, valueOf: convert };
      case 3:
        return {
          get [Symbol.toPrimitive]() {
            world.meddle();
            return convert;
          },
        };
      default:
        return { valueOf: () => ({}), toString: convert };
    }
  }

  /** `object`, whose properties meddle when they are read. */
  watched(object) {
    const world = this;
    if (this.chance(50)) {
      const getters = {};
      for (const [key, value] of Object.entries(object)) {
        Object.defineProperty(getters, key, {
          enumerable: true,
          configurable: true,
          get() {
            world.meddle();
            return value;
          },
        });
      }
      return getters;
    }
    return new Proxy(object, this.traps());
  }

  traps() {
    const traps = {};
    for (const name of Object.getOwnPropertyNames(Reflect)) {
      if (typeof Reflect[name] !== 'function' || !this.chance(70)) continue;
      traps[name] = (...args) => {
        this.meddle();
        return Reflect[name](...args);
      };
    }
    return traps;
  }

  /** `values` by an iterator that meddles. */
  iterable(values) {
    const world = this;
    return {
      *[Symbol.iterator]() {
        for (const value of values) {
          world.meddle();
          yield value;
        }
      },
    };
  }

  thenable(value) {
    const world = this;
    return {
      get then() {
        world.meddle();
        return (resolve, reject) => {
          world.meddle();
          if (world.chance(80)) resolve(value);
          if (world.chance(20)) reject(world.token());
          if (world.chance(20)) resolve(value);
        };
      },
    };
  }

  /** A function that meddles and gives something. */
  callback(value) {
    return (...args) => {
      for (const arg of args) if (typeof arg === 'function' && this.chance(20)) this.keep('function', arg);
      this.meddle();
      return this.chance(75) ? value : this.any();
    };
  }

  /** Bytes of any kind of buffer, or a view of it. */
  buffer(bytes = new Uint8Array(this.random.below(64))) {
    const plain = bytes.slice().buffer;
    switch (this.random.below(9)) {
      case 0: {
        structuredClone(plain, { transfer: [plain] });
        return plain;
      }
      case 1: {
        const shared = new SharedArrayBuffer(bytes.length);
        new Uint8Array(shared).set(bytes);
        return this.keep('buffer', this.chance(50) ? shared : new Uint8Array(shared));
      }
      case 2: {
        const resizable = new ArrayBuffer(bytes.length, { maxByteLength: bytes.length * 2 + 8 });
        new Uint8Array(resizable).set(bytes);
        return this.keep('buffer', this.chance(50) ? resizable : new Uint8Array(resizable));
      }
      case 3:
        return new DataView(plain);
      case 4: {
        const view = new Uint8Array(plain);
        structuredClone(plain, { transfer: [plain] });
        return view;
      }
      case 5:
        return this.keep('buffer', plain);
      case 6: {
        const world = this;
        // A subclass that lies of itself.
        return new (class extends Uint8Array {
          get buffer() {
            world.meddle();
            return super.buffer;
          }
          get byteLength() {
            world.meddle();
            return 1000;
          }
          get length() {
            world.meddle();
            return 5;
          }
        })(bytes);
      }
      default:
        return this.keep('buffer', new Uint8Array(plain));
    }
  }

  /** Any value at all. */
  any() {
    const kind = this.random.below(12);
    if (kind < 4) return this.primitive();
    if (kind < 6) return this.converting(this.primitive());
    if (kind < 8) {
      const kept = this.some(this.pick(KINDS));
      if (kept === undefined) return this.primitive();
      if (this.chance(20)) return new Proxy(kept, this.traps());
      return this.chance(10) ? Object.create(kept) : kept;
    }
    if (kind === 8) return this.buffer();
    if (kind === 9) return this.callback(this.primitive());
    if (kind === 10) return this.pick([this.iterable([1, 2n]), this.thenable(1), [], [1, 2], {}]);
    return this.pick([
      () => Heddle.Table.prototype,
      () => Heddle.Instance.prototype,
      () => heddle.Continuation.prototype,
      () => globalThis,
      () => Heddle.JSTag,
      () => new Heddle.SuspendError('hostile'),
      () => this.watched({ initial: 1, element: 'anyfunc', value: 'i32' }),
      () => Object.freeze([]),
      () => new WebAssembly.Memory({ initial: 1 }),
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ])();
  }

  /** `value` mostly, or something that converts to it, or anything. */
  twist(value) {
    const how = this.random.below(10);
    if (how < 6) return value;
    if (how < 9) {
      if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) return this.watched(value);
      return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string' ? this.converting(value) : value;
    }
    return this.any();
  }

  small() {
    return this.random.below(6);
  }
}

export function brief(value) {
  try {
    if (value instanceof Error) return `${value.name} ${value.code ?? ''} ${value.message}`.slice(0, 150);
    return String(value).slice(0, 80);
  } catch {
    return 'something hostile';
  }
}

/** Messages of V8's that say that our code has used a value for what it is not. */
const CARELESS =
  /Cannot read prop|Cannot set prop|Cannot destructure|is not a function|is not defined|Cannot access|Invalid array length|BigInt too/;
const V8_ERRORS = [TypeError, RangeError, SyntaxError];

/** Why an error is none that may come out; undefined where it may. */
export function wrongness(error) {
  if (isOurs(error)) return undefined;
  let code, stack;
  try {
    ({ code, stack } = error);
  } catch {
    return 'an unknown hostile object';
  }
  if (code === 'HEDDLE_INTERNAL') return `HEDDLE_INTERNAL ${stack}`;
  if (typeof code === 'string' && (code.startsWith('HEDDLE_') || code === 'ABORT_ERR')) return undefined;
  if (typeof code === 'string' && code.startsWith('ERR_') && error instanceof TypeError) return undefined;
  const own = /^\s+at .*$/m.exec(String(stack))?.[0] ?? '';
  const inDist = own.includes('/dist/');
  if (V8_ERRORS.some((type) => error instanceof type)) {
    if (!inDist || !CARELESS.test(error.message)) return undefined;
    return stack;
  }
  if (typeof error === 'object' && error instanceof DOMException) return undefined;
  if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError || error instanceof WebAssembly.RuntimeError) {
    return `without a code: ${stack}`;
  }
  return `${stack ?? brief(error)}`;
}
