// What a sequence may do: calls of all of the public API.
import { getHeapStatistics } from 'node:v8';
import * as heddle from '../../../dist/heddle.mjs';
import { FUNCTIONS, PROGRAMS } from './programs.mjs';

const { WebAssembly: Heddle, Continuation, Scheduler } = heddle;

const NUMBERS = { i32: 3, i64: 4n, f64: 1.5, wait_i32: 5 };
/** What a right answer of an import is. */
const answerOf = (world, name) => {
  if (name === 'many') return world.chance(70) ? [1.5, world.any(), 3, 4n] : world.iterable([1.5, 'x', 3, 4n]);
  if (name === 'wait_two') return world.chance(70) ? [1, 2n] : world.iterable([1, 2n]);
  if (name === 'extern' || name === 'wait_extern') return world.any();
  if (name === 'funcs') return world.some('function') ?? null;
  return NUMBERS[name];
};

function suspending(world, name) {
  const scheduler = name === 'wait' && world.chance(20) ? world.some('scheduler') : undefined;
  if (scheduler !== undefined) return scheduler.imports.yield;
  return world.keep(
    'suspending',
    new Heddle.Suspending((..._args) => {
      world.meddle();
      const answer = world.twist(answerOf(world, name));
      switch (world.random.below(4)) {
        case 0:
          return answer;
        case 1:
          return world.thenable(answer);
        case 2:
          return Promise.resolve(answer);
        default:
          return new Promise((resolve, reject) => world.keep('settler', { resolve, reject, answer }));
      }
    }),
  );
}

function importOf(world, name) {
  if (world.chance(1)) return world.any();
  if (name in FUNCTIONS) {
    // An export of another instance, as it is: WebAssembly calls WebAssembly.
    if (!name.startsWith('wait') && world.chance(2)) return world.some('function') ?? world.callback(answerOf(world, name));
    return name.startsWith('wait') ? suspending(world, name) : world.callback(world.twist(answerOf(world, name)));
  }
  switch (name) {
    case 'memory':
      return world.chance(50) ? (world.some('memory') ?? newMemory(world)) : newMemory(world);
    case 'shared':
      return world.keep('memory', new Heddle.Memory({ initial: 1, maximum: 4, shared: true }));
    case 'table':
      return world.keep('table', new Heddle.Table({ element: 'anyfunc', initial: 2, maximum: 20 }));
    case 'externs':
      return world.keep('table', new Heddle.Table({ element: 'externref', initial: 2, maximum: 20 }, world.any()));
    case 'global':
      return world.keep('global', new Heddle.Global({ value: 'i32', mutable: true }, 1));
    case 'kept':
      return world.keep('global', new Heddle.Global({ value: 'externref', mutable: true }, world.any()));
    case 'js':
      return Heddle.JSTag;
    case 'tag':
      return world.keep('tag', new Heddle.Tag({ parameters: ['i32', 'externref'] }));
    default:
      return world.any();
  }
}

const newMemory = (world) => world.keep('memory', new Heddle.Memory({ initial: 1, maximum: 4 }));

/** An import object for a module. */
function importsFor(world, module) {
  const env = {};
  for (const { name } of Heddle.Module.imports(module)) env[name] = importOf(world, name);
  const imports = { env: world.chance(85) ? env : world.watched(env) };
  return world.chance(90) ? imports : world.twist(imports);
}

function remember(world, instance) {
  world.keep('instance', instance);
  world.instances.push(instance);
  for (const [name, value] of Object.entries(instance.exports)) {
    if (name === 'spin') {
      // Without a deadline it would go on for ever.
      world.spin = value;
    } else if (typeof value === 'function') {
      world.keep('function', value);
      if (name.includes('wait') || name === 'twice' || name === 'caught') world.keep('promising', Heddle.promising(value));
    } else if (value instanceof Heddle.Table) world.keep('table', value);
    else if (value instanceof Heddle.Global) world.keep('global', value);
    else if (value instanceof Heddle.Tag) world.keep('tag', value);
    else world.keep('memory', value);
  }
  return instance;
}

/** Arguments for a function of WebAssembly: mostly of the right number, seldom all of the right types. */
function argumentsFor(world, fn) {
  const count = world.chance(85) ? fn.length : world.random.below(4);
  const right = [
    () => world.small(),
    () => world.small(),
    () => BigInt(world.small()),
    () => world.any(),
    () => world.twist(world.small()),
  ];
  return Array.from({ length: count }, () => world.pick(right)());
}

const somePlace = (world) => world.some('instance') ?? makeInstance(world);

function makeInstance(world) {
  const module = world.pick(Object.values(world.compiled));
  return remember(world, new Heddle.Instance(module, importsFor(world, module)));
}

function makeShadow(world) {
  const bytes = heddle.parseWat(PROGRAMS.shadow);
  const options = world.pick([
    undefined,
    { shadowStack: { size: 4096 } },
    { shadowStack: { allocator: { allocate: 'malloc', free: 'free' } } },
    { shadowStack: { pointer: '__stack_pointer' } },
    { shadowStack: false },
  ]);
  const module = new Heddle.Module(bytes, world.twist(options));
  return remember(world, new Heddle.Instance(module, importsFor(world, module)));
}

function callExport(world) {
  const fn = world.some('function');
  if (fn === undefined) return somePlace(world);
  const args = argumentsFor(world, fn);
  if (world.chance(15)) return heddle.call(world.twist(fn), world.twist(args), world.twist({ deadline: world.twist(5) }));
  return world.chance(90) ? fn(...args) : Reflect.apply(fn, world.any(), args);
}

function continueWith(world, step) {
  if (step?.done === false) {
    world.keep('continuation', step.continuation);
    world.keep('tag', step.tag);
  }
  return step;
}

/** Of the module of continuations, more often than by chance. */
function controlled(world) {
  const module = world.compiled.control;
  const { exports } = remember(world, new Heddle.Instance(module, importsFor(world, module)));
  for (const name of ['plain_stop', 'gives', 'waits', 'nested', 'inner']) world.keep('continuation', new Continuation(exports[name]));
}

function resume(world) {
  const continuation = world.some('continuation');
  if (continuation === undefined) return controlled(world);
  const args = world.pick([[], [], [1], [1, 'x'], [world.twist(2), world.any()], [world.any()]]);
  continueWith(world, continuation.resume(...args));
}

export const ACTIONS = [
  makeInstance,
  makeInstance,
  makeInstance,
  makeShadow,
  callExport,
  callExport,
  callExport,
  callExport,
  callExport,
  callExport,
  function spin(world) {
    return world.spin === undefined ? undefined : heddle.call(world.spin, [1], { deadline: 1 });
  },
  function callPromising(world) {
    const fn = world.some('promising');
    return fn === undefined ? somePlace(world) : fn(...argumentsFor(world, { length: fn.length || world.random.below(2) }));
  },
  function callPromising2(world) {
    const fn = world.some('promising');
    return fn === undefined ? somePlace(world) : fn(world.small());
  },
  function makePromising(world) {
    world.keep('promising', Heddle.promising(world.chance(80) ? world.some('function') : world.any()));
  },
  function settle(world) {
    const settler = world.some('settler');
    if (settler === undefined) return;
    if (world.chance(70)) settler.resolve(world.chance(80) ? settler.answer : world.any());
    else settler.reject(world.token());
  },
  function settleMany(world) {
    for (const { resolve, answer } of [...world.kept.settler]) resolve(answer);
  },
  function asyncModules(world) {
    const bytes = world.chance(50) ? world.buffer(world.compiled.calls.bytes) : world.buffer(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    return world.chance(50)
      ? Heddle.compile(world.twist(bytes), world.twist({ interruptible: true })).then((module) => world.keep('module', module))
      : Heddle.instantiate(world.twist(bytes), world.twist({}), world.twist({}));
  },
  function asyncInstance(world) {
    const module = world.pick(Object.values(world.compiled));
    return Heddle.instantiate(module, importsFor(world, module)).then((instance) => {
      // After the end of the sequence nothing is kept any more.
      if (world.left > 0) remember(world, instance);
      else heddle.dispose(instance);
    });
  },
  function moduleOfBytes(world) {
    const small = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...(world.chance(30) ? world.random.bytes(world.small()) : [])]);
    return world.keep('module', new Heddle.Module(world.twist(world.buffer(small)), world.twist({ interruptible: world.chance(50) })));
  },
  function validate(world) {
    return Heddle.validate(world.twist(world.buffer()));
  },
  function describeModule(world) {
    const module = world.twist(world.some('module') ?? world.compiled.calls);
    Heddle.Module.imports(module);
    Heddle.Module.exports(module);
    return Heddle.Module.customSections(module, world.twist('name'));
  },
  function text(world) {
    return heddle.parseWat(world.twist('(module (func))'));
  },
  function cloneModule(world) {
    return structuredClone(world.some('module') ?? world.compiled.memory);
  },

  function memory(world) {
    const descriptor = { initial: world.twist(world.small()), maximum: world.twist(world.small() + 3), shared: world.chance(30) };
    return world.keep('memory', new Heddle.Memory(world.twist(descriptor)));
  },
  function createMemory(world) {
    const wide = world.chance(50);
    const size = (n) => world.twist(wide ? BigInt(n) : n);
    const descriptor = {
      initial: size(world.small()),
      maximum: size(world.small() + 3),
      shared: world.chance(20),
      address: world.twist(wide ? 'i64' : 'i32'),
      pageSize: world.twist(world.pick([undefined, 1, 65_536])),
    };
    return world.keep('memory', heddle.createMemory(world.twist(descriptor)));
  },
  function grow(world) {
    return world.some('memory')?.grow(world.twist(world.pick([0, 1, 2, 1n])));
  },
  function buffers(world) {
    const buffer = world.some('memory')?.buffer;
    if (buffer === undefined) return;
    world.keep('buffer', buffer);
    if (buffer.byteLength > 0) new Uint8Array(buffer).fill(world.small(), 0, 64);
  },
  function transfer(world) {
    const memory = world.some('memory');
    const buffer = world.chance(50) ? memory?.buffer : world.some('buffer');
    if (buffer instanceof ArrayBuffer) structuredClone(buffer, { transfer: [buffer] });
  },
  function resize(world) {
    const buffer = world.some('buffer');
    if (buffer instanceof ArrayBuffer && buffer.resizable) buffer.resize(world.small());
  },
  function useBuffer(world) {
    const buffer = world.some('buffer');
    if (buffer === undefined) return;
    const view = ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer);
    for (let i = 0; i < Math.min(view.length ?? 0, 200_000); i += 4096) view[i] = (view[i] ?? 0) + 1;
  },

  function table(world) {
    const wide = world.chance(20);
    const size = (n) => world.twist(wide ? BigInt(n) : n);
    const element = world.twist(world.pick(['anyfunc', 'externref', 'funcref', 'anyref', 'exnref']));
    const descriptor = { element, initial: size(world.small()), maximum: size(world.small() + 5), address: wide ? 'i64' : undefined };
    return world.keep(
      'table',
      new Heddle.Table(world.twist(descriptor), world.pick([undefined, undefined, world.some('function'), world.any()])),
    );
  },
  function tableGet(world) {
    const table = world.some('table');
    const value = table?.get(world.twist(typeof table.length === 'bigint' ? BigInt(world.small()) : world.small()));
    if (typeof value === 'function') world.keep('function', value);
  },
  function tableSet(world) {
    const table = world.some('table');
    const index = typeof table?.length === 'bigint' ? BigInt(world.small()) : world.small();
    const value = world.chance(40) ? world.some('function') : world.any();
    if (world.chance(90)) table?.set(world.twist(index), value);
    else table?.set(world.twist(index));
  },
  function tableGrow(world) {
    const table = world.some('table');
    const delta = typeof table?.length === 'bigint' ? BigInt(world.small()) : world.small();
    return table?.grow(world.twist(delta), world.chance(50) ? world.some('function') : world.any());
  },

  function global(world) {
    const value = world.pick(['i32', 'i64', 'f32', 'f64', 'externref', 'anyfunc', 'anyref', 'v128']);
    return world.keep('global', new Heddle.Global(world.twist({ value: world.twist(value), mutable: world.twist(true) }), world.any()));
  },
  function globalSet(world) {
    const global = world.some('global');
    if (global !== undefined) global.value = world.chance(40) ? world.twist(world.small()) : world.any();
  },
  function globalGet(world) {
    const global = world.some('global');
    return [global?.value, global?.valueOf()].length;
  },

  function tag(world) {
    const parameters = Array.from({ length: world.random.below(3) }, () => world.twist(world.pick(['i32', 'i64', 'externref', 'f64'])));
    const descriptor = { parameters: world.chance(70) ? parameters : world.iterable(parameters) };
    if (world.chance(20)) descriptor.results = ['i32'];
    return world.keep('tag', new Heddle.Tag(world.twist(descriptor)));
  },
  function exception(world) {
    const payload = Array.from({ length: world.random.below(3) }, () => world.twist(world.pick([1, 2n, 'x'])));
    return world.keep(
      'exception',
      new Heddle.Exception(world.twist(world.some('tag')), world.chance(70) ? payload : world.iterable(payload)),
    );
  },
  function exceptionOf(world) {
    // Of a module's tag, rightly.
    const tag = world.some('tag');
    for (const payload of [[1, world.any()], [], [world.any()], [1]]) {
      try {
        return world.keep('exception', new Heddle.Exception(tag, payload));
      } catch (error) {
        if (!/parameters, not/.test(error?.message)) throw error;
      }
    }
  },
  function exceptionUse(world) {
    const exception = world.some('exception');
    const tag = world.twist(exception?.tag ?? world.some('tag'));
    return [exception?.is(tag), exception?.getArg(tag, world.twist(world.small()))].length;
  },

  function continuation(world) {
    return world.keep('continuation', new Continuation(world.twist(world.some('function'))));
  },
  controlled,
  resume,
  resume,
  resume,
  function resumeRightly(world) {
    const continuation = world.some('continuation');
    // Wrong numbers are refused before anything happens.
    for (const args of [[], [1], [1, world.any()]]) {
      try {
        return continueWith(world, continuation?.resume(...args));
      } catch (error) {
        if (!/takes \d values/.test(error?.message)) throw error;
      }
    }
  },

  function resumeAsync(world) {
    const continuation = world.some('continuation');
    return continuation?.resumeAsync(...world.pick([[], [1], [world.twist(2), world.any()]])).then((step) => continueWith(world, step));
  },
  function resumeThrow(world) {
    const tag = world.twist(world.some('tag'));
    const values = world.pick([[], [1], [1, 'x'], [world.any()]]);
    try {
      continueWith(world, world.some('continuation')?.resumeThrow(tag, ...values));
    } catch (error) {
      // With JSTag it is the value itself that is thrown.
      if (!values.some((value) => Object.is(value, error))) throw error;
    }
  },
  function bind(world) {
    const bound = world.some('continuation')?.bind(...world.pick([[], [1], [world.twist(1)], [world.any(), world.any()]]));
    if (bound !== undefined) world.keep('continuation', bound);
  },
  function snapshot(world) {
    const snapshot = world.some('continuation')?.snapshot();
    if (snapshot !== undefined) world.keep('continuation', snapshot);
  },
  function cancelContinuation(world) {
    const continuation = world.some('continuation');
    if (world.chance(50)) continuation?.cancel();
    else continuation?.[Symbol.dispose]();
  },
  function iterate(world) {
    const continuation = world.some('continuation');
    if (continuation === undefined) return;
    let n = 0;
    for (const _ of continuation) if (++n > 3 || world.chance(20)) break;
  },
  async function iterateAsync(world) {
    const continuation = world.some('continuation');
    if (continuation === undefined) return;
    let n = 0;
    for await (const _ of continuation) if (++n > 3) break;
  },
  function continuationState(world) {
    return world.some('continuation')?.state;
  },

  function scheduler(world) {
    return world.keep('scheduler', new Scheduler(world.twist({ maximum: world.twist(world.small()), budget: world.twist(world.small()) })));
  },
  function spawn(world) {
    const scheduler = world.some('scheduler') ?? world.keep('scheduler', new Scheduler());
    const owner = (world.chance(50) ? world.some('group') : undefined) ?? scheduler;
    const options = { priority: world.twist(world.small()), name: world.twist('name'), timeout: world.twist(world.pick([1, 5, 20])) };
    if (world.chance(20)) {
      const controller = new AbortController();
      options.signal = world.twist(controller.signal);
      setTimeout(() => controller.abort(), 1);
    }
    const fn = world.some('function');
    if (fn === undefined) return;
    const args = world.chance(80) ? argumentsFor(world, fn) : world.iterable(argumentsFor(world, fn));
    const task = owner.spawn(world.twist(fn), args, world.twist(options));
    world.keep('task', task);
    return task.promise;
  },
  function group(world) {
    const scheduler = world.some('scheduler');
    if (scheduler !== undefined) world.keep('group', scheduler.group());
  },
  function join(world) {
    return world.some('group')?.join();
  },
  function cancelGroup(world) {
    const group = world.some('group');
    if (world.chance(20)) return group?.[Symbol.asyncDispose]();
    return group?.cancel(world.token());
  },
  function cancelTask(world) {
    const task = world.some('task');
    task?.cancel(world.pick([undefined, world.token()]));
    return task?.signal?.aborted;
  },
  function schedulerUse(world) {
    const scheduler = world.some('scheduler');
    if (scheduler === undefined) return;
    scheduler.statistics();
    const { tasks } = scheduler;
    if (tasks.length > 0) world.pick(tasks).cancel();
    return world.chance(50) ? scheduler.sleep(world.twist(1)) : scheduler.yield();
  },

  function collect() {
    heddle.collect();
  },
  function collectBoth() {
    globalThis.gc?.({ type: 'minor' });
    heddle.collect();
  },
  function hibernate() {
    return heddle.hibernate();
  },
  function inspect(world) {
    const tree = heddle.inspect(world.twist({ limit: world.twist(100) }));
    JSON.stringify(tree);
    return tree.total;
  },
  function statistics(world) {
    return heddle.statistics(world.twist({ stacks: world.chance(50) }));
  },
  function configure(world) {
    // The engine is in use: an error always, whatever was given.
    heddle.configure(world.twist({ stack: world.twist({ size: world.twist(65_536), strategy: world.twist('pool') }) }));
  },
  function canSuspend() {
    return heddle.canSuspend();
  },
  function dispose(world) {
    const instance = world.twist(world.some('instance'));
    heddle.dispose(instance);
  },
  function makeSuspending(world) {
    return world.keep('suspending', new Heddle.Suspending(world.chance(50) ? world.callback(1) : world.any()));
  },
  function heap() {
    return getHeapStatistics().used_heap_size;
  },
];
