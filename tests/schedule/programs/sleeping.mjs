// A task sleeps for a day and is cancelled: nothing is left to wait for.
import { setImmediate as turn } from 'node:timers/promises';
import { WebAssembly as Heddle, parseWat, Scheduler } from '../../../dist/heddle.mjs';

const scheduler = new Scheduler();
const { instance } = await Heddle.instantiate(
  parseWat('(module (import "env" "sleep" (func $sleep (param f64))) (func (export "f") (call $sleep (f64.const 86400000))))'),
  {
    env: { sleep: scheduler.imports.sleep },
  },
);
const task = scheduler.spawn(instance.exports.f, [], { timeout: 80000000 });
await turn();
task.cancel('cancelled');
await task.promise.catch((reason) => console.log(reason));
