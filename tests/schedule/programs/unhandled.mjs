// Failures of tasks that nobody awaits are unhandled rejections; those that somebody awaits are not.
import { setImmediate as turn } from 'node:timers/promises';
import { WebAssembly as Heddle, parseWat, Scheduler } from '../../../dist/heddle.mjs';

const seen = [];
process.on('unhandledRejection', (reason) => seen.push(reason.message));

const scheduler = new Scheduler();
const { instance } = await Heddle.instantiate(parseWat('(module (import "env" "f" (func $f (param externref))) (export "f" (func $f)))'), {
  env: {
    f: (message) => {
      throw new Error(message);
    },
  },
});
const { f } = instance.exports;
scheduler.spawn(f, ['task: lonely']);
const awaited = scheduler.spawn(f, ['awaited']).promise.catch((error) => error.message);
const group = scheduler.group();
group.spawn(f, ['group: first']);
group.spawn(f, ['group: second']);
const joined = scheduler.group();
joined.spawn(f, ['joined']);
joined.join().catch(() => {});
for (let i = 0; i < 5; i++) await turn();
console.log(JSON.stringify({ seen, awaited: await awaited }));
