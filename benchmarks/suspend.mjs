// Calls that wait for promises, beside V8's own promise integration where a Node 26 is found: `node benchmarks/suspend.mjs [--trials 3] [--million 1]`.
//   sequence    one call that waits many times: nanoseconds a wait, by what the import gives
//   a frame     the same, where the call has a frame on the stack that C keeps in linear memory, which goes with it; V8's stays as it is
//   in flight   10,000 calls wait at once: microseconds a call, from its start to its end
//   a million   (with --million) 1,000,000 calls wait at once: gigabytes resident, and microseconds a call
import { best, header, heddle, interleaved, median, option, peerNode, report, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module (import "env" "wait" (func $wait (param i32) (result i32)))
  (func (export "loop") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $wait (local.get $n))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "one") (param i32) (result i32) (i32.add (call $wait (local.get 0)) (i32.const 1))))`;

/** As compilers of C make it: the loop's frame is there all the time, and a function that it calls has another. */
const FRAMES = `(module (import "env" "wait" (func $wait (param i32) (result i32)))
  (memory 2) (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536)) (data (i32.const 65536) "data")
  (func $inner (param $n i32) (result i32) (local $frame i32)
    (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 32))))
    (i32.store (local.get $frame) (local.get $n))
    (i32.sub (i32.add (call $wait (local.get $n)) (i32.load (local.get $frame))) (local.get $n))
    (global.set $sp (i32.add (local.get $frame) (i32.const 32))))
  (func (export "loop") (param $n i32) (result i32) (local $sum i32) (local $frame i32)
    (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 64))))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $inner (local.get $n))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (global.set $sp (i32.add (local.get $frame) (i32.const 64)))
    (local.get $sum))
  (func (export "one") (param i32) (result i32) (call $wait (local.get 0))))`;

const trials = option('trials', 3);

/** What the import gives. */
const GIVES = {
  'a resolved promise': (x) => Promise.resolve(x),
  'an async function that awaits once': async (x) => {
    await null;
    return x;
  },
  'a promise that a microtask resolves': (x) => new Promise((resolve) => queueMicrotask(() => resolve(x))),
};

function exportsOf(Api, bytes, wait) {
  const { exports } = new Api.Instance(new Api.Module(bytes), { env: { wait: new Api.Suspending(wait) } });
  return { loop: Api.promising(exports.loop), one: Api.promising(exports.one) };
}

/** Nanoseconds a wait. The first as many waits are for V8, which compiles the TypeScript around one until half a million have passed. */
async function timed(loop) {
  const waits = 1_000_000;
  await loop(waits);
  const start = performance.now();
  await loop(waits);
  return ((performance.now() - start) * 1e6) / waits;
}

async function sequence(Api, bytes) {
  const results = {};
  for (const [name, give] of Object.entries(GIVES)) results[name] = await timed(exportsOf(Api, bytes, give).loop);
  report(results);
}

async function withFrames(Api, _bytes, parseWat) {
  report({ ns: await timed(exportsOf(Api, parseWat(FRAMES), GIVES['a resolved promise']).loop) });
}

/** Starts `count` calls that wait at once, then lets them go on. */
async function flight(run, waiting, count) {
  const start = performance.now();
  const calls = [];
  for (let i = 0; i < count; i++) calls.push(run(i));
  const resident = process.memoryUsage.rss();
  for (const [i, resolve] of waiting.splice(0).entries()) resolve(i);
  const results = await Promise.all(calls);
  if (results.some((result, i) => result !== i + 1)) throw new Error('a call gave a wrong result');
  return { us: ((performance.now() - start) * 1e3) / count, gigabytes: resident / 1e9 };
}

async function inFlight(Api, bytes) {
  const waiting = [];
  const { one } = exportsOf(Api, bytes, () => new Promise((resolve) => waiting.push(resolve)));
  for (let i = 0; i < 3; i++) await flight(one, waiting, 10_000);
  const { us } = await flight(one, waiting, 10_000);
  report({ us });
}

async function million(Api, bytes) {
  const waiting = [];
  const { one } = exportsOf(Api, bytes, () => new Promise((resolve) => waiting.push(resolve)));
  report(await flight(one, waiting, 1_000_000));
}

const kinds = { sequence, 'a frame': withFrames, 'in flight': inFlight, 'a million': million };

/** Runs a trial: of Heddle's API, or of V8's with the bytes that Heddle assembles. */
async function run(name) {
  const [engine, kind] = name.split(': ');
  const { WebAssembly: Heddle, parseWat } = await heddle();
  await kinds[kind](engine === 'v8' ? WebAssembly : Heddle, parseWat(TEXT), parseWat);
}

function main() {
  header('Calls that wait for promises');
  const peer = peerNode();
  const engines = [['Heddle', 'heddle', [process.execPath]]];
  if (peer !== undefined) {
    engines.push([`Heddle on Node ${peer.version}`, 'heddle', [peer.path]], [`V8 of Node ${peer.version}`, 'v8', [peer.path]]);
  }
  const measure = (kind, among) =>
    interleaved(
      among.map(([, api, node]) => ['', () => runTrial(import.meta.url, `${api}: ${kind}`, { node })]),
      trials,
    );
  const rows = [];
  const add = (what, among, results, field) => {
    among.forEach(([name], k) => {
      const values = results[k].flatMap((result) => (result[field] === undefined ? [] : [result[field]]));
      rows.push(values.length === 0 ? [what, name, results[k][0].error, ''] : [what, name, best(values), median(values)]);
    });
  };
  const inSequence = measure('sequence', engines);
  for (const name of Object.keys(GIVES)) add(`ns a wait: ${name}`, engines, inSequence, name);
  add('ns a wait: a resolved promise, with frames', engines, measure('a frame', engines), 'ns');
  add('us a call, 10,000 in flight', engines, measure('in flight', engines), 'us');
  if (option('million', 0) > 0) {
    const results = measure('a million', engines.slice(0, 1));
    add('us a call, 1,000,000 in flight', engines.slice(0, 1), results, 'us');
    add('GB resident, 1,000,000 in flight', engines.slice(0, 1), results, 'gigabytes');
  }
  table(['', '', 'best', 'median'], rows);
}

await (trial === undefined ? main() : run(trial));
