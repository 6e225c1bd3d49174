// Tries its share of the types (main.mjs), and tells the parent what it is at and how that ended.
import { configure, parseWat, WebAssembly } from '../../../dist/heddle.mjs';
import { moduleOf, RESULTS, SIZES } from './module.mjs';
import { argumentsOf, COUNTS, REFERENCES, random, resultsOf, TYPES, typesOf } from './shapes.mjs';

const [part = 'small', seed = '1', share = '0', shares = '1'] = process.argv.slice(2);
const draw = random(Number(seed));
/** Every stack that says nothing else is as small as one may be, those of calls from JavaScript, too. */
configure({ stack: { size: SIZES[0] }, entryStackSize: SIZES[0] });

/** Levels of the recursion tried around the deepest that works, and further ones drawn below it. */
const AROUND = [-2, 12];
const DRAWN = part === 'small' ? 4 : 12;
/** A level's frame has at least so many bytes. */
const LEVEL = 16;
/** Types with more values than this need not fit the smallest stack. */
const FITS = 100;

/** The types to try: all of `all`; few of each kind otherwise, other ones with each seed. */
function shapes() {
  const list = [];
  const add = (p, params, r, results) => list.push({ params: typesOf(p, params, draw), results: typesOf(r, results, draw) });
  const types = [...TYPES, 'mixed'];
  const forms = [
    (n, type) => add(n, type, 0, type),
    (n, type) => add(0, type, n, type),
    (n, type) => add(n, type, n, type),
    (n, type) => add(n, type, 7, 'i32'),
    (n, type) => add(7, 'i32', n, type),
  ];
  if (part === 'all') {
    for (const n of COUNTS) for (const type of types) for (const form of forms) form(n, type);
    return list;
  }
  const counts = part === 'small' ? [0, 3, 9, 33, 100] : COUNTS.filter((n) => n <= 100);
  counts.forEach((n, i) => forms[(i + Number(seed)) % forms.length](n, types[draw(types.length)]));
  if (part === 'small') return list;
  // Params that go over the stack, with results through memory that are few, and the other way round.
  forms[3](1000, 'v128');
  forms[4](1000, 'v128');
  forms[0](1000, 'i64');
  forms[2](250, 'mixed');
  forms[2](999, TYPES[draw(TYPES.length)]);
  return list;
}

const objects = Array.from({ length: REFERENCES }, (_, i) => ({ i }));
const tell = (message) => (process.send === undefined ? console.log(message) : process.send(message));

/** Everything for one type. */
class Trial {
  #functions = [];
  #run;
  #runWaiting;
  #exports;

  constructor(shape) {
    this.shape = shape;
    this.args = argumentsOf(shape);
    this.results = resultsOf(shape, this.args);
    this.vectors = [...shape.params, ...shape.results].includes('v128');
    const { text, ways } = moduleOf(shape);
    this.ways = ways;
    const host = (...args) => this.#host(args);
    const env = { host, waits: new WebAssembly.Suspending(async (...args) => host(...args)) };
    for (const [i, object] of objects.entries()) env[`e${i}`] = object;
    const module = new WebAssembly.Module(parseWat(text));
    /** Whether the instance's start function makes a call. */
    this.instantiate = (starts) => {
      this.#exports = new WebAssembly.Instance(module, { env: { ...env, starts } }).exports;
      this.#functions = objects.map((_, i) => this.#exports[`n${i}`]);
      this.#run = this.#exports.run;
      this.#runWaiting = WebAssembly.promising(this.#exports.run);
    };
    this.instantiate(0);
  }

  /** A value as JavaScript passes it. */
  #toJs(type, value) {
    if (type === 'funcref') return this.#functions[value];
    return type === 'externref' ? objects[value] : value;
  }

  /** The imported function, which does what the module's own does. */
  #host(args) {
    this.arrived = args.length === this.args.length && this.shape.params.every((type, i) => args[i] === this.#toJs(type, this.args[i]));
    const results = this.shape.results.map((type, i) => this.#toJs(type, this.results[i]));
    return results.length > 1 ? results : results[0];
  }

  /** What stands in a slot. */
  #slot(type, slot) {
    if (type === 'funcref') return this.#functions.indexOf(this.#exports.functions.get(slot));
    if (type === 'externref') return objects.indexOf(this.#exports.objects.get(slot));
    const view = new DataView(this.#exports.memory.buffer, 16 * slot, 16);
    switch (type) {
      case 'i32':
        return view.getInt32(0, true);
      case 'i64':
        return view.getBigInt64(0, true);
      case 'f32':
        return view.getFloat32(0, true);
      case 'f64':
        return view.getFloat64(0, true);
      default:
        return (view.getBigUint64(8, true) << 64n) | view.getBigUint64(0, true);
    }
  }

  /** The first value that is wrong after a call, if any. */
  #wrong(host) {
    if (host && !this.arrived) return 'wrong arguments';
    const { params, results } = this.shape;
    const param = host ? -1 : params.findIndex((type, i) => this.#slot(type, i) !== this.args[i]);
    if (param >= 0) return `param ${param} is ${this.#slot(params[param], param)}`;
    const result = results.findIndex((type, i) => this.#slot(type, RESULTS + i) !== this.results[i]);
    return result < 0 ? undefined : `result ${result} is ${this.#slot(results[result], RESULTS + result)}`;
  }

  /** Whether one call ended well; false for a stack overflow. Throws for everything else. */
  async attempt(way, depth, size) {
    const { host = false, waits = false } = this.ways[way];
    this.arrived = false;
    try {
      const run = waits ? this.#runWaiting : this.#run;
      await run(way, depth, size);
    } catch (error) {
      if (error?.code === 'HEDDLE_TRAP_STACK_OVERFLOW') return false;
      // A vector cannot go to JavaScript.
      if (host && this.vectors && error instanceof TypeError) return true;
      throw error;
    }
    const wrong = this.#wrong(host);
    if (wrong !== undefined) throw new Error(wrong);
    if (host && this.vectors) throw new Error('a vector went to JavaScript');
    return true;
  }

  /** A way with all the room that it may need, then with as little as it can do with, then with less. */
  async sweep(way) {
    for (let size = 0; size < SIZES.length; size++) {
      const most = SIZES[size] / LEVEL;
      if (!(await this.attempt(way, 0, size))) continue;
      let [low, high] = [0, most];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (await this.attempt(way, middle, size)) low = middle;
        else high = middle;
      }
      for (let depth = low + AROUND[0]; depth <= low + AROUND[1]; depth++) if (depth >= 0) await this.attempt(way, depth, size);
      for (let i = 0; i < DRAWN; i++) await this.attempt(way, Math.max(0, low - 200) + draw(600), size);
      return;
    }
    const { params, results } = this.shape;
    if (this.ways[way].usual && params.length + results.length > FITS) return;
    throw new Error('it overflows the largest stack');
  }

  /** By its start function, and called from JavaScript: the entry's own fiber is the smallest, too. */
  enter() {
    const few = this.args.length + this.results.length <= FITS;
    const attempt = (run) => {
      try {
        return run();
      } catch (error) {
        if (few || error?.code !== 'HEDDLE_TRAP_STACK_OVERFLOW') throw error;
        return undefined;
      }
    };
    const started = attempt(() => {
      this.instantiate(1);
      return true;
    });
    const wrong = started ? this.#wrong(false) : undefined;
    if (wrong !== undefined) throw new Error(`at the start ${wrong}`);
    if (this.vectors) return;
    const args = this.shape.params.map((type, i) => this.#toJs(type, this.args[i]));
    const given = attempt(() => ({ results: this.#exports.f(...args) }));
    const results = this.results.length > 1 ? given?.results : [given?.results];
    if (given === undefined || this.results.length === 0) return;
    const at = this.shape.results.findIndex((type, i) => results[i] !== this.#toJs(type, this.results[i]));
    if (at >= 0) throw new Error(`result ${at} of the exported function is ${results[at]}`);
  }
}

const describe = (types) => {
  const runs = [];
  for (const type of types) {
    if (runs.at(-1)?.type === type) runs.at(-1).count++;
    else runs.push({ type, count: 1 });
  }
  return `[${runs.map(({ type, count }) => (count > 1 ? `${count} ${type}` : type)).join(' ')}]`.slice(0, 100);
};

for (const [i, shape] of shapes().entries()) {
  if (i % Number(shares) !== Number(share)) continue;
  const name = `${i}: ${describe(shape.params)} -> ${describe(shape.results)}`;
  tell({ at: name });
  let trial;
  try {
    trial = new Trial(shape);
    trial.enter();
  } catch (error) {
    tell({ at: name, failure: error.stack ?? String(error) });
    continue;
  }
  for (const [way, { name: what }] of trial.ways.entries()) {
    const at = `${name}, ${what}`;
    tell({ at });
    try {
      await trial.sweep(way);
      tell({ at, passed: 1 });
    } catch (error) {
      tell({ at, failure: error.stack ?? String(error) });
    }
  }
}
process.disconnect?.();
