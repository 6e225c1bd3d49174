// Random trees of continuations against a model: `node tree.mjs SEED STEPS [WORDS]`. Each fiber asks what to do next and says what it has come to; a model in
// JavaScript decides, and knows what it must have come to. WORDS: `collect` and `hibernate` let it ask for that at random; `exit` ends the process at a random step, in
// the midst of it all; `signals` takes signals all the while; `mmap` and `malloc` name a strategy. Prints counters at the end. Needs --expose-gc.
import { collect, configure, hibernate, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const SLOTS = 64;
const TEXT = `(module
  (type $node (func (param i32 externref) (result i64))) (type $fresh (cont $node))
  (type $answer (func (param i64) (result i64))) (type $waiting (cont $answer))
  (import "m" "next" (func $next (param i32 i64 externref) (result i32)))
  (import "m" "value" (func $value (result i32)))
  (import "m" "object" (func $object (param i32) (result externref)))
  (import "m" "boom" (tag $boom (param i32)))
  (tag $near (param i64) (result i64)) (tag $far (param i64) (result i64))
  (table $kids ${SLOTS} (ref null $waiting))
  (elem declare func $node)

  ;; What a child that was resumed has come to: its result, or what it suspended with, where its continuation goes into the slot.
  (func $start (param $id i32) (param $root i32) (param $slot i32) (result i64) (local $v i64) (local $k (ref null $waiting))
    (if (local.get $root) (then
      (block $on (result i64 (ref $waiting))
        (return (resume $fresh (on $near $on) (on $far $on)
          (local.get $id) (call $object (local.get $id)) (cont.new $fresh (ref.func $node)))))
      (local.set $k) (local.set $v) (table.set $kids (local.get $slot) (local.get $k)) (return (local.get $v))))
    (block $on (result i64 (ref $waiting))
      (return (resume $fresh (on $near $on) (local.get $id) (call $object (local.get $id)) (cont.new $fresh (ref.func $node)))))
    (local.set $k) (local.set $v) (table.set $kids (local.get $slot) (local.get $k)) (local.get $v))
  (func $go (param $with i64) (param $root i32) (param $slot i32) (result i64) (local $v i64) (local $k (ref null $waiting))
    (local.set $k (table.get $kids (local.get $slot)))
    (table.set $kids (local.get $slot) (ref.null $waiting))
    (if (local.get $root) (then
      (block $on (result i64 (ref $waiting))
        (return (resume $waiting (on $near $on) (on $far $on) (local.get $with) (local.get $k))))
      (local.set $k) (local.set $v) (table.set $kids (local.get $slot) (local.get $k)) (return (local.get $v))))
    (block $on (result i64 (ref $waiting))
      (return (resume $waiting (on $near $on) (local.get $with) (local.get $k))))
    (local.set $k) (local.set $v) (table.set $kids (local.get $slot) (local.get $k)) (local.get $v))
  (func $into (param $code i32) (param $root i32) (param $slot i32) (result i64) (local $v i64) (local $k (ref null $waiting))
    (local.set $k (table.get $kids (local.get $slot)))
    (table.set $kids (local.get $slot) (ref.null $waiting))
    (if (local.get $root) (then
      (block $on (result i64 (ref $waiting))
        (return (resume_throw $waiting $boom (on $near $on) (on $far $on) (local.get $code) (local.get $k))))
      (local.set $k) (local.set $v) (table.set $kids (local.get $slot) (local.get $k)) (return (local.get $v))))
    (block $on (result i64 (ref $waiting))
      (return (resume_throw $waiting $boom (on $near $on) (local.get $code) (local.get $k))))
    (local.set $k) (local.set $v) (table.set $kids (local.get $slot) (local.get $k)) (local.get $v))

  (func $mix (param $a i64) (param $b i64) (result i64)
    (i64.add (i64.mul (local.get $a) (i64.const 31)) (local.get $b)))

  (func $node (export "root") (type $node) (local $a i64) (local $op i32) (local $slot i32) (local $root i32)
    (local.set $a (i64.extend_i32_u (local.get 0)))
    (local.set $root (i32.eqz (i32.rem_u (local.get 0) (i32.const 5))))
    (block $throw (loop $again
      (local.set $op (call $next (local.get 0) (local.get $a) (local.get 1)))
      (block $caught (result i32)
        (try_table (catch $boom $caught)
          (block $idle (block $trap (block $into (block $drop (block $go (block $start (block $far (block $near (block $end
            (br_table $end $near $far $start $go $drop $throw $into $trap $idle (local.get $op)))
            (return (local.get $a)))
            (local.set $a (call $mix (local.get $a) (suspend $near (local.get $a)))) (br $again))
            (local.set $a (call $mix (local.get $a) (suspend $far (local.get $a)))) (br $again))
            (local.set $slot (call $value))
            (local.set $a (call $mix (local.get $a) (call $start (call $value) (local.get $root) (local.get $slot)))) (br $again))
            (local.set $a (call $mix (local.get $a) (call $go (local.get $a) (local.get $root) (call $value)))) (br $again))
            (table.set $kids (call $value) (ref.null $waiting)) (br $again))
            (local.set $a (call $mix (local.get $a) (call $into (local.get 0) (local.get $root) (call $value)))) (br $again))
            (unreachable))
          (br $again))
        (unreachable))
      (local.set $slot)
      (local.set $a (call $mix (local.get $a) (i64.extend_i32_u (local.get $slot))))
      (br $again)))
    ;; Not in its own try_table: whoever resumed it catches.
    (throw $boom (local.get 0))))`;

const [END, NEAR, FAR, START, GO, DROP, THROW, INTO, TRAP, IDLE] = Array.from({ length: 10 }, (_, i) => i);
const seed = Number(process.argv[2]);
const steps = Number(process.argv[3]);
const words = process.argv.slice(4);
const strategy = words.find((word) => word === 'mmap' || word === 'malloc');
if (strategy !== undefined) configure({ stack: { strategy } });
let signals = 0;
if (words.includes('signals')) {
  process.on('SIGUSR2', () => signals++);
  process.stderr.write('ready\n');
}

let state = seed | 1;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}
const mix = (a, b) => BigInt.asIntN(64, a * 31n + b);
const isRoot = (id) => id % 5 === 0;
function wrong(what) {
  throw new Error(`seed ${seed}, step ${step}: ${what}`);
}

/** The model. A node is { id, a, object, waits }; the running ones stand in a row, each resumed by the one before. `waits` is the slot that its resume of now fills. */
let row = [];
/** By slot: a chain of nodes, the outermost first, or undefined. */
let slots = [];
let values = [];
let ids = 0;
let step = 0;
const did = new Array(10).fill(0);

function suspended(tag, node) {
  // Who handles it: the resumer of `near`; for `far` the nearest node that is a root, or nobody.
  let at = row.length - 2;
  if (tag === FAR) while (at >= 0 && !isRoot(row[at].id)) at--;
  if (at < 0) wrong('nobody handles it');
  const chain = row.splice(at + 1);
  const resumer = row[at];
  slots[resumer.waits] = chain;
  resumer.a = mix(resumer.a, node.a);
}
const handled = (tag) => (tag === NEAR ? row.length > 1 : row.slice(0, -1).some((node) => isRoot(node.id)));
const free = () => slots.indexOf(undefined);
const used = () => {
  const all = slots.flatMap((chain, i) => (chain === undefined ? [] : [i]));
  return all.length === 0 ? -1 : all[random(all.length)];
};
/** What `run` throws where the model says so. */
let expectedEnd;

function choose() {
  if (row.length > 24) return END;
  if (step > steps) return row.length > 1 ? [END, THROW][random(2)] : END;
  for (;;) {
    const op = [NEAR, NEAR, FAR, START, START, START, GO, GO, GO, GO, DROP, INTO, THROW, END, IDLE, TRAP][random(16)];
    if ((op === NEAR || op === FAR) && !handled(op)) continue;
    if ((op === START && free() < 0) || ([GO, DROP, INTO].includes(op) && used() < 0)) continue;
    if (op === TRAP && random(50) !== 0) continue;
    if (op === END && row.length === 1 && random(50) !== 0) continue;
    if (op === THROW && row.length === 1) continue;
    return op;
  }
}

function perform(op, node) {
  did[op]++;
  const resumer = row.at(-2);
  switch (op) {
    case END:
      row.pop();
      if (resumer === undefined) expectedEnd = node.a;
      else resumer.a = mix(resumer.a, node.a);
      return;
    case NEAR:
    case FAR:
      return suspended(op, node);
    case START: {
      const slot = free();
      const id = ++ids;
      values = [slot, id];
      node.waits = slot;
      row.push({ id, a: BigInt(id), object: { id } });
      return;
    }
    case GO: {
      const slot = used();
      values = [slot];
      node.waits = slot;
      const chain = slots[slot];
      slots[slot] = undefined;
      row.push(...chain);
      const inner = row.at(-1);
      inner.a = mix(inner.a, node.a);
      return;
    }
    case DROP: {
      const slot = used();
      values = [slot];
      slots[slot] = undefined;
      return;
    }
    case INTO: {
      // The innermost fiber catches it around its suspend.
      const slot = used();
      values = [slot];
      node.waits = slot;
      const chain = slots[slot];
      slots[slot] = undefined;
      row.push(...chain);
      const inner = row.at(-1);
      inner.a = mix(inner.a, BigInt(node.id));
      return;
    }
    case THROW:
      row.pop();
      resumer.a = mix(resumer.a, BigInt(node.id));
      return;
    case TRAP:
      expectedEnd = 'trap';
      row = [];
      return;
    default:
      if (words.includes('exit') && step > steps / 2 && random(50) === 0) process.exit(42);
      if (words.includes('collect') && random(20) === 0) collect();
      if (words.includes('hibernate') && random(4) === 0) hibernate();
  }
}

const imports = {
  next(id, a, object) {
    step++;
    const node = row.at(-1);
    if (node.id !== id) wrong(`node ${id} runs, ${node.id} should`);
    if (node.a !== a) wrong(`node ${id} has come to ${a}, should to ${node.a}`);
    if (node.object !== object) wrong(`node ${id} has lost its object`);
    const op = choose();
    perform(op, node);
    return op;
  },
  value: () => values.shift(),
  object: (id) => row.find((node) => node.id === id).object,
  boom: new WebAssembly.Tag({ parameters: ['i32'] }),
};
const module = new WebAssembly.Module(parseWat(TEXT));
let instance;
let calls = 0;
let traps = 0;
while (step < steps) {
  // A trap leaves what the table has; now and then a new instance begins, and the old one is garbage with all that waits in it.
  if (instance === undefined || random(10) === 0) {
    instance = new WebAssembly.Instance(module, { m: imports });
    slots = new Array(SLOTS).fill(undefined);
  }
  const root = { id: 0, a: 0n, object: { id: 0 } };
  row = [root];
  expectedEnd = undefined;
  let end;
  try {
    end = instance.exports.root(0, root.object);
  } catch (error) {
    if (error.code !== 'HEDDLE_TRAP_UNREACHABLE') throw error;
    end = 'trap';
    traps++;
  }
  if (end !== expectedEnd) wrong(`the call came to ${end}, should to ${expectedEnd}`);
  calls++;
  if (calls % 20 === 0) await new Promise(setImmediate);
}
instance = undefined;
slots = [];
for (let i = 0; i < 4; i++) {
  await new Promise(setImmediate);
  globalThis.gc();
  collect();
}
process.stdout.write(JSON.stringify({ calls, traps, did, signals, ...statistics() }));
// Whoever sends signals is to stop first: Node takes its handlers down before it ends.
if (words.includes('signals')) process.stdin.resume();
