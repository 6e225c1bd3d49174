// The service on each engine: a function that answers an exchange, `{ path, find(table, key), write(text), end() }`. The exchange's `find`
// returns a promise of text, `write` one where the client is slow.
import { readFileSync } from 'node:fs';
import { heddle } from '../harness.mjs';
import { serve } from './store.mjs';

/** A call's area in linear memory, in bytes: its stack, and below that what Asyncify keeps of it. */
const AREA = 8192;
const UNWOUND = 1024;

/** The exchanges that are under way, by number, and the imports that need no waiting. */
class Exchanges {
  #open = new Map();
  #last = 0;
  memory;

  add(exchange) {
    this.#open.set(++this.#last, exchange);
    return this.#last;
  }

  of(number) {
    return this.#open.get(number);
  }

  delete(number) {
    this.#open.delete(number);
  }

  /** Puts text into memory; its length in bytes. */
  put(text, to, size) {
    return new TextEncoder().encodeInto(text, new Uint8Array(this.memory.buffer, to, size)).written;
  }

  path = (number, to, size) => this.put(this.of(number).path, to, size);

  find = (number, table, key, to, size) =>
    this.of(number)
      .find(table, key)
      .then((text) => this.put(text, to, size));

  end = (number) => this.of(number).end();

  // The part is copied: the memory is the program's again before it is sent.
  write = (number, from, size) => this.of(number).write(Buffer.from(new Uint8Array(this.memory.buffer, from, size)));
}

/** Plain asynchronous functions. */
const javascript = async () => serve;

/** A task of Heddle's scheduler for each request; it is cancelled with its stream. */
async function onHeddle(file) {
  const { Scheduler, WebAssembly: Heddle } = await heddle();
  const exchanges = new Exchanges();
  const scheduler = new Scheduler();
  const { end, find, path, write } = exchanges;
  const { instance } = await Heddle.instantiate(
    readFileSync(file),
    { service: { path, end, find: new Heddle.Suspending(find), write: new Heddle.Suspending(write) } },
    { shadowStack: { size: AREA, allocator: { allocate: 'allocate', free: 'release' } } },
  );
  exchanges.memory = instance.exports.memory;
  return async (exchange) => {
    const number = exchanges.add(exchange);
    try {
      const task = scheduler.spawn(instance.exports.serve, [number]);
      exchange.onGone = () => task.cancel();
      await task.promise;
    } finally {
      exchanges.delete(number);
    }
  };
}

/** V8's promise integration. Each call gets a stack of its own in linear memory, and sets the pointer when it goes on (OWN_STACKS). */
async function jspi(file) {
  const exchanges = new Exchanges();
  const { end, find, path, write } = exchanges;
  const { instance } = await WebAssembly.instantiate(readFileSync(file), {
    service: { path, end, find: new WebAssembly.Suspending(find), write: new WebAssembly.Suspending(write) },
  });
  const { allocate, memory, release, serve: run, __stack_pointer: pointer } = instance.exports;
  exchanges.memory = memory;
  const start = WebAssembly.promising(run);
  return async (exchange) => {
    const number = exchanges.add(exchange);
    const area = allocate(AREA);
    try {
      pointer.value = area + AREA;
      await start(number);
    } finally {
      release(area);
      exchanges.delete(number);
    }
  };
}

/** Binaryen's Asyncify on V8: a call that waits returns to here, and is begun anew when it goes on. */
async function asyncify(file) {
  const exchanges = new Exchanges();
  let unwinding;
  let rewinding;
  let area = 0;
  const waiting =
    (fn) =>
    (...args) => {
      if (rewinding !== undefined) {
        const { result } = rewinding;
        rewinding = undefined;
        asyncified.asyncify_stop_rewind();
        return result;
      }
      const promise = fn(...args);
      if (promise === undefined) return undefined;
      unwinding = promise;
      new Uint32Array(exchanges.memory.buffer, area, 2).set([area + 8, area + UNWOUND]);
      asyncified.asyncify_start_unwind(area);
      return 0;
    };
  const { instance } = await WebAssembly.instantiate(readFileSync(file), {
    service: { path: exchanges.path, end: exchanges.end, find: waiting(exchanges.find), write: waiting(exchanges.write) },
  });
  const asyncified = instance.exports;
  exchanges.memory = asyncified.memory;
  return async (exchange) => {
    const number = exchanges.add(exchange);
    const own = asyncified.allocate(AREA);
    try {
      area = own;
      asyncified.__stack_pointer.value = own + AREA;
      asyncified.serve(number);
      while (unwinding !== undefined) {
        const promise = unwinding;
        unwinding = undefined;
        asyncified.asyncify_stop_unwind();
        const result = await promise;
        area = own;
        rewinding = { result };
        asyncified.asyncify_start_rewind(own);
        asyncified.serve(number);
      }
    } finally {
      asyncified.release(own);
      exchanges.delete(number);
    }
  };
}

/** By name: the build of service.c that it runs, if any, what starts it, and the least Node that it needs. */
export const ENGINES = {
  heddle: { title: 'Heddle', build: 'plain', start: onHeddle },
  jspi: { title: 'JSPI', build: 'stacks', start: jspi, needs: 25 },
  asyncify: { title: 'Asyncify on V8', build: 'asyncify', start: asyncify },
  javascript: { title: 'JavaScript', start: javascript },
};
