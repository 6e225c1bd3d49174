// Hibernation, by the first argument; prints what tests/stacks/hibernation.test.ts looks at. Needs --expose-gc.
import { readFileSync } from 'node:fs';
import { Continuation, collect, configure, hibernate, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const MILLION = readFileSync(new URL('../../../examples/million.wat', import.meta.url), 'utf8');
const PAGE = 4096;

function instance(text, imports = {}) {
  return new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)), imports).exports;
}

function memory() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return bytes('VmRSS') + bytes('VmPTE');
}

const kinds = {
  /** Bytes that each of many takes, with as many others before it, so that what a process needs once does not count. */
  asked(count) {
    const [others, these] = [instance(MILLION), instance(MILLION)];
    const fill = (exports) => {
      exports.suspend(count);
      return hibernate();
    };
    fill(others);
    const before = memory();
    const emptied = fill(these);
    const each = (memory() - before) / count;
    const { continuationsHibernated, stacksHibernated } = statistics();
    const sum = String(these.finish(count));
    others.finish(count);
    return { emptied, each, continuationsHibernated, stacksHibernated, sum, after: statistics() };
  },

  /** As many as do not pass the budget, then many more. */
  budget(count) {
    const pages = 1000;
    configure({ stack: { budget: pages * PAGE } });
    const { suspend, finish } = instance(MILLION);
    const half = pages / 2;
    suspend(half);
    const below = statistics().hibernations;
    const sums = [finish(half)];
    suspend(count);
    const { stacksLive, stacksHibernated, hibernations } = statistics();
    sums.push(finish(count));
    return { below, occupied: stacksLive - stacksHibernated, hibernations, sums: sums.map(String), after: statistics() };
  },

  /** Some are resumed after a look at all: those stay when the others go. Numbers of those that had to wake at their next resume. */
  oldest(count) {
    configure({ stack: { budget: count * PAGE } });
    const { worker } = instance(`(module (type $f (func)) (type $k (cont $f)) (tag $t) (elem declare func $w)
      (func $w (export "worker") (loop $l (suspend $t) (br $l))))`);
    const start = () => new Continuation(worker).resume().continuation;
    const early = Array.from({ length: count }, start);
    const others = Array.from({ length: count / 8 }, start); // Past the budget: the first look.
    const put = statistics().hibernations;
    const again = early.slice(-count / 4).map((continuation) => continuation.resume().continuation);
    const late = Array.from({ length: count / 2 }, start);
    const { hibernations } = statistics();
    /** How many of these wake when they are resumed. A resume of one that is awake makes no other hibernate. */
    const woken = (list) => {
      const before = statistics().wakes;
      for (const continuation of list) continuation.resume();
      return statistics().wakes - before;
    };
    return { put, hibernations, again: woken(again), late: woken(late), others: others.length };
  },

  /** What frames that hibernate refer to lives, and what nothing refers to goes, copies and all. */
  async references(count) {
    const objects = Array.from({ length: count }, (_, i) => ({ i }));
    const weak = objects.map((object) => new WeakRef(object));
    const exports = instance(
      `(module (type $f (func (param externref) (result externref))) (type $k (cont $f)) (tag $t) (elem declare func $deep $hold)
        (type $w (func (result externref))) (type $kw (cont $w))
        (table $all ${count} (ref null $kw))
        ;; The reference is in a frame of an inner fiber of the chain only.
        (func $deep (type $f) (suspend $t) (local.get 0))
        (func $hold (type $f) (resume $k (local.get 0) (cont.new $k (ref.func $deep))))
        (func (export "park") (param i32 externref)
          (table.set $all (local.get 0)
            (block $h (result (ref $kw)) (drop (resume $k (on $t $h) (local.get 1) (cont.new $k (ref.func $hold)))) (unreachable))))
        (func (export "take") (param i32) (result externref) (resume $kw (table.get $all (local.get 0))))
        (func (export "drop") (param i32) (table.set $all (local.get 0) (ref.null $kw))))`,
    );
    objects.forEach((object, i) => {
      exports.park(i, object);
    });
    const emptied = hibernate();
    objects.length = 0;
    const settle = async () => {
      for (let i = 0; i < 3; i++) {
        collect();
        await new Promise(setImmediate);
        globalThis.gc();
      }
    };
    await settle();
    const kept = weak.filter((reference) => reference.deref() !== undefined).length;
    const right = weak.slice(0, count / 2).every((reference, i) => exports.take(i) === reference.deref() && reference.deref()?.i === i);
    for (let i = count / 2; i < count; i++) exports.drop(i);
    await settle();
    const left = weak.filter((reference) => reference.deref() !== undefined).length;
    return { emptied, kept, right, left, after: statistics() };
  },
};

process.stdout.write(JSON.stringify(await kinds[process.argv[2]](Number(process.argv[3]))));
