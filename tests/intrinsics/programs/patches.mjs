// JavaScript's built-in objects, property by property, and what may be done to each.

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;

const NAMES =
  'Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean Buffer DataView Date Error FinalizationRegistry Float32Array Float64Array Function Int16Array Int32Array Int8Array JSON Map Math Number Object Promise Proxy RangeError Reflect RegExp Set SharedArrayBuffer String Symbol TextDecoder TextEncoder TypeError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet AbortController AbortSignal EventTarget queueMicrotask setImmediate setTimeout clearTimeout structuredClone';

/** [where, object, key] of every property. */
function properties() {
  const list = [];
  const seen = new Set();
  const add = (place, object) => {
    if (seen.has(object)) return;
    seen.add(object);
    for (const key of Reflect.ownKeys(object)) {
      list.push([`${place}${typeof key === 'symbol' ? `[${key.description}]` : `.${key}`}`, object, key]);
      const value = getOwnPropertyDescriptor(object, key).value;
      if (key === 'prototype' && typeof value === 'object' && value !== null) add(`${place}.prototype`, value);
    }
  };
  for (const name of NAMES.split(' ')) {
    list.push([name, globalThis, name]);
    add(name, globalThis[name]);
  }
  for (const name of ['Memory', 'Module', 'Instance', 'Table', 'Global', 'CompileError']) {
    list.push([`WebAssembly.${name}`, WebAssembly, name]);
    add(`WebAssembly.${name}`, WebAssembly[name]);
  }
  const hidden = {
    'an iterator of arrays': [][Symbol.iterator](),
    'an iterator of maps': new Map()[Symbol.iterator](),
    'an iterator of sets': new Set()[Symbol.iterator](),
    'a generator': (function* () {})(),
    'a typed array': new Uint8Array(),
    'an async function': async () => {},
  };
  for (const [name, object] of Object.entries(hidden)) {
    for (let one = getPrototypeOf(object); one !== null; one = getPrototypeOf(one)) add(`the prototype of ${name}`, one);
  }
  return list;
}

/** What a patched function does. */
const WAYS = {
  throws: () => {
    throw new TypeError('patched');
  },
  lies: () => undefined,
};

/** What is patched and how, as a name and two functions, one to do it and one to undo it. */
export function* patches() {
  for (const [place, object, key] of properties()) {
    const kept = getOwnPropertyDescriptor(object, key);
    if (!kept.configurable && !kept.writable) continue;
    const undo = () => defineProperty(object, key, kept);
    const replace = (descriptor) => () => defineProperty(object, key, { __proto__: null, ...kept, ...descriptor });
    for (const [way, act] of Object.entries(WAYS)) {
      const value = function (...args) {
        return act(this, args);
      };
      if (typeof kept.value === 'function') yield { name: `${place} ${way}`, apply: replace({ value }), undo };
      else if (kept.get !== undefined) yield { name: `${place} ${way}`, apply: replace({ get: value }), undo };
    }
    if ('value' in kept && typeof kept.value !== 'function' && kept.configurable) {
      yield { name: `${place} is something else`, apply: replace({ value: 1 }), undo };
    }
  }
  // What is not there, and has an effect where it is.
  for (const [place, object] of [
    ['Object.prototype', Object.prototype],
    ['Array.prototype', Array.prototype],
    ['Function.prototype', Function.prototype],
    ['String.prototype', String.prototype],
    ['Error.prototype', Error.prototype],
    ['Uint8Array.prototype', Uint8Array.prototype],
    ['Promise.prototype', Promise.prototype],
  ]) {
    for (const key of [
      ...'0123',
      'toJSON',
      'get',
      'set',
      'value',
      'writable',
      'enumerable',
      'configurable',
      'maximum',
      'buffer',
      'base',
      'address',
      'barrier',
      'stack',
      'done',
    ]) {
      if (Object.hasOwn(object, key)) continue;
      const undo = () => delete object[key];
      const accessor = { __proto__: null, configurable: true, get: () => 1, set: () => {} };
      yield {
        name: `${place}.${key} is added`,
        apply: () => defineProperty(object, key, { __proto__: null, configurable: true, writable: true, value: 1 }),
        undo,
      };
      yield { name: `${place}.${key} is added with accessors`, apply: () => defineProperty(object, key, accessor), undo };
    }
  }
}
