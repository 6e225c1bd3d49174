// One module on both engines: instantiated with equal imports, its functions called with equal arguments, everything that can be seen from outside compared after
// each call.
import { hasKind, KIND_ARRAY, KIND_STRUCT, typeAt } from '../../dist/ts/validate/type_words.js';
import { validateModule } from '../../dist/ts/validate/validate.js';
import { abstractHeap, Companion, isNullable, isOfObjects, isReference, isUnseen } from './companion.mjs';
import { HEDDLE, V8 } from './engines.mjs';
import { FUEL } from './generator.mjs';
import { endsComparison, HostError, outcome } from './outcomes.mjs';
import { mix, Random } from './random.mjs';
import { randomValue, show } from './values.mjs';

/** Loops and calls that one call may make. */
const FUEL_FOR_CALL = 300;
/** Calls of each exported function. */
const CALLS = 3;
/** Of an import's calls, one in so many throws. */
const HOST_THROWS = 16;
/** Structures and arrays whose contents are compared after each call. */
const OBJECTS = 12;

/** A module's instance in one engine, with its imports and a record of how those were called. */
class Side {
  constructor(name, api, seed, changed) {
    this.name = name;
    this.changed = changed;
    this.api = api;
    this.seed = seed;
    this.trace = [];
    this.made = [];
    this.functions = [];
    /** Structures and arrays in the order in which they were seen. */
    this.objects = [];
    this.show = (value) => show(value, (object) => this.#number(object));
  }

  instantiate(module, description, bytes) {
    const { types } = description;
    if (hasKind(types, KIND_STRUCT) || hasKind(types, KIND_ARRAY)) this.companion = new Companion(this.api, bytes, description);
    this.exports = new this.api.Instance(module, this.#imports(description)).exports;
    this.functions = Object.values(this.exports).filter((value) => typeof value === 'function');
  }

  #number(object) {
    let number = this.objects.indexOf(object);
    if (number < 0) number = this.objects.push(object) - 1;
    return `#${number}`;
  }

  #imports(description) {
    const imports = {};
    description.imports.forEach((entry, i) => {
      imports[entry.module] ??= {};
      imports[entry.module][entry.name] = this.#import(entry, i, description);
    });
    return imports;
  }

  #import(entry, number, description) {
    const { types } = description;
    if (isOfObjects(description, entry)) return this.#keep(this.companion.made(number));
    const random = new Random(mix(this.seed, number));
    switch (entry.kind) {
      case 'func':
        return this.#function(number, typeAt(types, entry.type));
      case 'global': {
        const value = randomValue(random, entry.type);
        return this.#keep(new this.api.Global({ value: typeName(entry.type), mutable: entry.mutable }, value));
      }
      case 'table':
        return this.#keep(this.api.makeTable({ initial: Number(entry.minimum), ...bound(entry) }, typeName(entry.type), entry.table64));
      case 'memory':
        return this.#keep(this.api.makeMemory({ initial: Number(entry.minimum), ...bound(entry), shared: entry.shared }, entry.memory64));
      case 'tag':
        return this.#keep(new this.api.Tag({ parameters: typeAt(types, entry.type).params.map(typeName) }));
      default:
        throw new Error(`no import of kind ${entry.kind}`);
    }
  }

  #keep(object) {
    this.made.push(object);
    return object;
  }

  #function(number, { results }) {
    return (...args) => {
      this.trace.push(`${number}(${args.map(this.show).join(', ')})`);
      const random = new Random(mix(this.seed, number, this.trace.length));
      if (random.below(HOST_THROWS) === 0) throw new HostError(String(number));
      const values = results.map((type) => randomValue(random, type, this));
      return this.changed(this.name, values.length < 2 ? values[0] : values);
    };
  }

  /** Everything that can be seen from outside, as lines. */
  state() {
    const lines = [`imports called: ${this.trace.join(' ')}`];
    for (const [name, value] of [...Object.entries(this.exports), ...this.made.map((object, i) => [`import ${i}`, object])]) {
      if (typeof value === 'function') continue;
      if (name === FUEL || 'value' in value) lines.push(`${name} = ${outcome(() => value.value, this.show)}`);
      else if ('buffer' in value) lines.push(`${name}: ${value.buffer.byteLength} bytes, ${checksum(value.buffer)}`);
      else if ('length' in value) lines.push(`${name}: ${tableText(value, this.show)}`);
    }
    // What is seen for the first time while this is written comes next time.
    const seen = this.objects.slice(-OBJECTS);
    for (const object of seen) lines.push(`${this.#number(object)} = ${outcome(() => this.companion.contents(object, this.show), String)}`);
    return lines;
  }
}

const V128 = 0x7b;
const FUNC = 0x70;
const NAMES = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [V128, 'v128'],
]);

function typeName(type) {
  return NAMES.get(type) ?? (abstractHeap(type) === FUNC ? 'anyfunc' : 'externref');
}

function bound({ maximum }) {
  return maximum === null ? {} : { maximum: Math.min(Number(maximum), 65_536) };
}

function tableText(table, text) {
  const index = typeof table.length === 'bigint' ? BigInt : Number;
  const elements = Array.from({ length: Number(table.length) }, (_, i) => outcome(() => table.get(index(i)), text));
  return `${table.length} elements: ${elements.join(' ')}`;
}

/** FNV over words: fast, and every byte counts. */
function checksum(buffer) {
  const words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
  let hash = 0;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193) + (hash >>> 15);
  return (hash >>> 0).toString(16);
}

function firstDifference(a, b) {
  const [left, right] = [a.state(), b.state()];
  const at = left.findIndex((line, i) => line !== right[i]);
  if (at >= 0) return `${a.name}: ${left[at]}\n${b.name}: ${right[at]}`;
  return left.length === right.length ? undefined : 'the exports differ';
}

const unchanged = (_name, value) => value;

/**
 * Compares. `changed` may change what the imports return in one engine, to show that a difference is seen. Returns the number of executions (calls, and the instantiation), and where the engines differ what differs. `skipped` says why nothing was compared,
 * where V8 does not take the module.
 */
export function compare(bytes, seed, changed = unchanged) {
  const sides = [new Side('V8', V8, seed, changed), new Side('Heddle', HEDDLE, seed, changed)];
  const [v8, heddle] = sides;
  let modules;
  try {
    modules = [new WebAssembly.Module(bytes)];
  } catch (error) {
    return { executions: 0, skipped: String(error.message).replace(/@.*|\+\d+|\d+/g, '') };
  }
  try {
    modules.push(new HEDDLE.Module(bytes));
  } catch (error) {
    return { executions: 0, difference: `V8 takes the module, Heddle says: ${error.message}` };
  }
  const { description } = validateModule(bytes);
  const why = incomparable(description);
  if (why !== undefined) return { executions: 0, skipped: why };
  // Heddle is first: its heap is small, and V8 fills an array of a gigabyte for seconds.
  const actualStart = outcome(() => heddle.instantiate(modules[1], description, bytes));
  let executions = 1;
  if (endsComparison(actualStart)) return { executions };
  const started = [outcome(() => v8.instantiate(modules[0], description, bytes)), actualStart];
  if (endsComparison(started[0])) return { executions };
  if (started[0] !== started[1]) return { executions, difference: `instantiation: V8 ${started[0]}, Heddle ${started[1]}` };
  if (started[0].startsWith('threw')) return { executions };
  const random = new Random(mix(seed, 1));
  const before = firstDifference(v8, heddle);
  if (before !== undefined) return { executions, difference: `after instantiation:\n${before}` };
  const functions = description.exports.filter(({ kind }) => kind === 'func');
  for (let round = 0; round < CALLS; round++) {
    for (const { name, index } of functions) {
      const params = paramsOf(description, index);
      const argumentSeed = random.bits();
      const call = (side) => {
        side.exports[FUEL].value = FUEL_FOR_CALL;
        const values = new Random(argumentSeed);
        const args = params.map((type) => randomValue(values, type, side));
        return { args, text: outcome(() => side.exports[name](...args), side.show) };
      };
      executions++;
      const actual = call(heddle);
      if (endsComparison(actual.text)) return { executions };
      const expected = call(v8);
      const what = `call of ${name}(${expected.args.map(v8.show).join(', ')})`;
      if (endsComparison(expected.text)) return { executions };
      if (expected.text !== actual.text) return { executions, difference: `${what}: V8 ${expected.text}, Heddle ${actual.text}` };
      const difference = firstDifference(v8, heddle);
      if (difference !== undefined) return { executions, difference: `after the ${what}:\n${difference}` };
    }
  }
  return { executions };
}

/** What only one of the engines can do, or what JavaScript cannot make, by what the module declares; undefined where there is nothing. */
function incomparable(description) {
  const { imports, memories, types } = description;
  if (imports.some(({ kind, type }) => kind === 'global' && type === V128)) return 'it imports a v128';
  if (
    imports.some(({ kind, type }) => (kind === 'tag' ? typeAt(types, type).params.some(isUnseen) : isReference(type) && isUnseen(type)))
  ) {
    return 'it imports something of exnref';
  }
  if (imports.some((entry) => entry.kind !== 'tag' && isOfObjects(description, entry) && !isNullable(entry.type))) {
    return 'it imports a reference that is never null';
  }
  if ([...memories, ...imports].some(({ memory64, shared }) => memory64 && shared)) return 'its shared memory has 64-bit addresses';
  return undefined;
}

function paramsOf({ imports, functions, types }, index) {
  const imported = imports.filter(({ kind }) => kind === 'func');
  const type = index < imported.length ? imported[index].type : functions[index - imported.length];
  return typeAt(types, type).params;
}
