// One sequence, from its seed.
import { setImmediate as turn } from 'node:timers/promises';
import * as heddle from '../../../dist/heddle.mjs';
import { ACTIONS } from './actions.mjs';
import { PROGRAMS } from './programs.mjs';
import { World } from './world.mjs';

const { WebAssembly: Heddle, Continuation } = heddle;

/** The modules, made once. */
export const compiled = Object.fromEntries(
  Object.entries(PROGRAMS)
    .filter(([name]) => name !== 'shadow')
    .map(([name, text]) => {
      const bytes = heddle.parseWat(text);
      return [name, Object.assign(new Heddle.Module(bytes), { bytes })];
    }),
);

const canary = new Heddle.Instance(
  new Heddle.Module(
    heddle.parseWat(`(module (tag $t (param i32) (result i32)) (memory (export "memory") 1) (table (export "table") 1 externref)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "stop") (param i32) (result i32) (i32.mul (suspend $t (local.get 0)) (i32.const 3)))
    (func (export "store") (param i32) (result i32) (i32.store (i32.const 4) (local.get 0)) (i32.load (i32.const 4))))`),
  ),
).exports;

/** What must work whatever came before; the first thing that does not, or undefined. */
function broken() {
  const { add, stop, store, table } = canary;
  if (add(40, 2) !== 42) return 'add';
  if (store(77) !== 77) return 'memory';
  const value = {};
  table.set(0, value);
  if (table.get(0) !== value) return 'table';
  table.set(0, undefined);
  const first = new Continuation(stop).resume(5);
  if (first.done || first.payload[0] !== 5 || first.continuation.resume(7).value !== 21) return 'continuation';
  const { fibers, total } = heddle.inspect();
  if (fibers.length > total) return 'inspect';
  return undefined;
}

const TURNS = 6;

/** Runs it; gives what was wrong, one line each. */
export async function runSequence(seed, log) {
  const world = new World(seed, ACTIONS, compiled, log);
  const { wrong } = world;
  const late = (error) => world.check(error, 'unhandled');
  process.on('unhandledRejection', late);
  process.on('uncaughtException', late);
  // Something to begin with: instances of two modules, and continuations.
  world.left += 3;
  for (const name of ['makeInstance', 'makeInstance', 'controlled']) world.act(ACTIONS.find((action) => action.name === name));
  const count = 3 + world.random.below(20);
  for (let i = 0; i < count; i++) {
    world.act();
    if (world.chance(25)) await turn();
  }
  // What waits goes on, as far as it comes; the rest is given up.
  for (const { resolve, answer } of [...world.kept.settler]) resolve(answer);
  for (let i = 0; i < TURNS; i++) await turn();
  world.left = 0;
  for (const task of world.kept.task) task.cancel('hostile end');
  for (const group of world.kept.group) group.cancel('hostile end');
  for (const continuation of world.kept.continuation) {
    try {
      continuation.cancel();
    } catch (error) {
      world.check(error, 'cancel');
    }
  }
  for (let i = 0; i < 2; i++) await turn();
  for (const { resolve, answer } of [...world.kept.settler]) resolve(answer);
  for (let i = 0; i < 2; i++) await turn();
  for (const instance of world.instances) heddle.dispose(instance);
  world.clear();
  const fault = broken();
  if (fault !== undefined) wrong.push(`afterwards: ${fault}`);
  process.off('unhandledRejection', late);
  process.off('uncaughtException', late);
  return wrong;
}
