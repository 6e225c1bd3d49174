/** A program that uses all of Heddle's types, under the strictest flags and without the DOM library. Only compiled (tests/types). */
import * as heddle from 'heddle';
import {
  Continuation,
  call,
  createMemory,
  type HeddleErrorFields,
  inspect,
  parseWat,
  type Resumption,
  Scheduler,
  statistics,
  type Task,
  WebAssembly,
} from 'heddle';
import { V8 } from 'heddle/register';
import { coroutine, Tag } from 'heddle/typed';

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** A compile error where they are not. */
const same = <_A, _B>(_: Same<_A, _B>): void => undefined;

interface Odds {
  add(a: number, b: number): number;
  wide(a: bigint): bigint;
  readonly memory: WebAssembly.Memory;
  readonly limit: WebAssembly.Global<'i64'>;
}

// Every class is a type by its name.
export const all: {
  module?: WebAssembly.Module;
  instance?: WebAssembly.Instance;
  memory?: WebAssembly.Memory;
  table?: WebAssembly.Table;
  global?: WebAssembly.Global;
  tag?: WebAssembly.Tag;
  exception?: WebAssembly.Exception;
  suspending?: WebAssembly.Suspending;
  imports?: WebAssembly.Imports;
  exports?: WebAssembly.Exports;
  errors?: WebAssembly.CompileError | WebAssembly.LinkError | WebAssembly.RuntimeError | WebAssembly.SuspendError;
  fn?: heddle.ExportedFunction;
  statistics?: heddle.EngineStatistics;
} = {};

const sleep = new WebAssembly.Suspending(async (milliseconds: number) => milliseconds);
const imports: WebAssembly.Imports = { env: { sleep, tag: new WebAssembly.Tag({ parameters: ['i32', 'externref'] }) } };
const { module, instance } = await WebAssembly.instantiate<Odds>(parseWat('(module)'), imports, { builtins: ['js-string'] });
same<typeof module, WebAssembly.Module>(true);
const { add, wide, memory, limit } = instance.exports;
new Uint8Array(memory.buffer).fill(0);
same<typeof limit.value, bigint>(true);

const waits = WebAssembly.promising(add, { timeout: 100 });
same<ReturnType<typeof waits>, Promise<number>>(true);
same<Parameters<typeof waits>, [a: number, b: number]>(true);
const called = call(wide, [1n], { deadline: 50 });
same<typeof called, bigint>(true);
// @ts-expect-error A number is no bigint.
call(wide, [1]);
// @ts-expect-error An option that there is not.
call(wide, [1n], { dedline: 50 });

const scheduler = new Scheduler({ maximum: 10 });
const task = scheduler.spawn(add, [1, 2], { name: 'a sum' });
same<typeof task, Task<number>>(true);
same<Awaited<typeof task.promise>, number>(true);
await using group = scheduler.group();
const inGroup = group.spawn(wide, [1n]);
same<Awaited<typeof inGroup.promise>, bigint>(true);

// What a module exports is not known unless it is said.
const plain = new WebAssembly.Instance(await WebAssembly.compile(new Uint8Array()));
scheduler.spawn(plain.exports['anything'], [1, 'two']);
const mine: Resumption = new Continuation(plain.exports['anything']).resume(1);
if (!mine.done) mine.continuation.cancel();

try {
  add(1, 2);
} catch (error) {
  if (error instanceof WebAssembly.RuntimeError) {
    const { code, offset } = error;
    same<typeof code, string | undefined>(true);
    same<typeof offset, number | undefined>(true);
  }
  if (heddle.isHeddleError(error)) {
    const fields: HeddleErrorFields = error;
    const { code, message } = error;
    same<typeof code, string>(true);
    console.log(code, message, fields.offset);
  }
  if (error instanceof WebAssembly.Exception) console.log(error.code, error.message, error.getArg(error.tag, 0));
}

const names: ('function' | 'table' | 'memory' | 'global' | 'tag')[] = WebAssembly.Module.exports(module).map(({ kind }) => kind);
const bytes: number = createMemory({ initial: 1n, address: 'i64' }).buffer.byteLength;
const milliseconds: number = statistics().compileMilliseconds;
const states = inspect({ limit: 10 }).fibers.map(({ state }) => state);
console.log(names, bytes, milliseconds, states, new V8.Memory({ initial: 1 }).buffer, WebAssembly.Tag === heddle.WebAssembly.Tag);

const yields = new Tag({ parameters: ['i32'], results: ['i64'] });
const counts = coroutine(plain.exports['count'], { parameters: ['i32'], results: ['f64'], yields });
const step = counts.start(1).resume();
if (step.done) same<typeof step.value, number>(true);
// A tag with types is one of WebAssembly's, too.
const tag: WebAssembly.Tag = yields;
console.log(tag);

// @ts-expect-error The constructor of Heddle's own use is none of users'.
WebAssembly.Module.wrap;
// @ts-expect-error The same.
WebAssembly.Instance.make;
// @ts-expect-error The same.
WebAssembly.Tag.unwrap;
// @ts-expect-error An import is no module.
void WebAssembly.instantiate('(module)');
