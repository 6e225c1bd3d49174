// Memories that lie: own properties, prototypes and classes of JavaScript's are replaced, and WebAssembly writes and grows. Prints, as JSON, by case: how many bytes of the memory WebAssembly wrote, how
// many of other buffers, and its pages; and what is thrown for objects that only look like memories.

import { createMemory, parseWat, WebAssembly } from '../../../dist/ts/index.js';
import { addon } from '../../../dist/ts/link/addon.js';

const bytes = (shared) =>
  parseWat(`(module (memory (import "m" "m") 1 20 ${shared ? 'shared' : ''})
    (func (export "fill") (memory.fill (i32.const 0) (i32.const 65) (i32.const 60000)))
    (func (export "copy") (memory.copy (i32.const 61000) (i32.const 0) (i32.const 100)))
    (func (export "size") (result i32) (memory.size))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`);
const modules = [false, true].map((shared) => new WebAssembly.Module(bytes(shared)));
const { prototype } = WebAssembly.Memory;
const { get } = Object.getOwnPropertyDescriptor(prototype, 'buffer');
const { Uint8Array: Bytes, SharedArrayBuffer: Shared } = globalThis;

/** Other buffers, which no WebAssembly may touch. */
const others = [];
function other(shared) {
  const made = shared ? new Shared(65_536) : new ArrayBuffer(65_536);
  others.push(new Bytes(made));
  return made;
}

const set = (list) => list.reduce((sum, byte) => sum + (byte === 65 ? 1 : 0), 0);

/** By name: lies until what it returns is called. */
const lies = {
  'an own buffer': (memory, shared) => {
    Object.defineProperty(memory, 'buffer', { configurable: true, get: () => other(shared) });
    return () => delete memory.buffer;
  },
  'an own grow': (memory) => {
    memory.grow = () => 0;
    return () => delete memory.grow;
  },
  "the prototype's buffer": (_memory, shared) => {
    const kept = Object.getOwnPropertyDescriptor(prototype, 'buffer');
    Object.defineProperty(prototype, 'buffer', { ...kept, get: () => other(shared) });
    return () => Object.defineProperty(prototype, 'buffer', kept);
  },
  "the prototype's grow": () => {
    const { grow } = prototype;
    prototype.grow = () => 0;
    return () => {
      prototype.grow = grow;
    };
  },
  Uint8Array: (_memory, shared) => {
    globalThis.Uint8Array = class extends Bytes {
      constructor() {
        super(other(shared));
      }
    };
    return () => {
      globalThis.Uint8Array = Bytes;
    };
  },
  'the length of an ArrayBuffer': () => {
    const kept = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength');
    Object.defineProperty(ArrayBuffer.prototype, 'byteLength', { ...kept, get: () => 2 ** 30 });
    return () => Object.defineProperty(ArrayBuffer.prototype, 'byteLength', kept);
  },
  'another prototype': (memory) => {
    Object.setPrototypeOf(memory, null);
    return () => Object.setPrototypeOf(memory, prototype);
  },
};

const found = {};
for (const shared of [false, true]) {
  for (const [name, lie] of Object.entries(lies)) {
    for (const when of ['before', 'after']) {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 20, shared });
      let undo = when === 'before' ? lie(memory, shared) : undefined;
      const { exports } = new WebAssembly.Instance(modules[shared ? 1 : 0], { m: { m: memory } });
      undo ??= lie(memory, shared);
      const old = exports.grow(2);
      exports.fill();
      exports.copy();
      const refused = exports.grow(1000);
      const pages = exports.size();
      undo();
      found[`${name}, ${when}${shared ? ', shared' : ''}`] = [set(new Bytes(get.call(memory))), old, refused, pages];
    }
  }
}
found.others = others.reduce((sum, list) => sum + set(list), 0);

const kindOf = (act) => {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return error.name;
  }
};
const mapped = createMemory({ initial: 1, pageSize: 1 });
const fakes = {
  'an object': { buffer: new ArrayBuffer(65_536), grow: () => 1 },
  'the prototype alone': Object.create(prototype),
  'the prototype, and a buffer': Object.create(prototype, { buffer: { value: new ArrayBuffer(65_536) } }),
  'a proxy': new Proxy(new WebAssembly.Memory({ initial: 1, maximum: 20 }), {}),
  'what comes from a mapped memory': Object.create(mapped),
};
for (const [name, fake] of Object.entries(fakes)) {
  found[name] = kindOf(() => new WebAssembly.Instance(modules[0], { m: { m: fake } }));
  found[`${name}, to the addon`] = kindOf(() => addon().createMemory(fake, 0));
}
console.log(JSON.stringify(found));
