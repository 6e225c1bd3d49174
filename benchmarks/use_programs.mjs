// The programs of uses.mjs. Each is written twice: `direct`, where a task calls $yield where it waits, and `machine`, a state machine by hand. Both
// are driven by the same `run`, which calls $start(i) and $next(i, value); $next gives what was yielded, or -1 at the end. `expected` says by
// arithmetic what a run returns: the sum of `work` of all values that were noted. Small functions are inlined in both, as compilers do.
import { ASYNCIFY } from './asyncify.mjs';

const ROUNDS = 24;

/** What is done with a value, for programs with work: some 20 ns or more. */
function work(value) {
  let x = value | 0;
  for (let i = 0; i < ROUNDS; i++) x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return x;
}

const WORK = `(func $work (param $x i32) (result i32)
    (local $i i32)
    (loop $next
      (local.set $x (i32.mul (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 15))) (i32.const 0x2c1b3c6d)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${ROUNDS}))))
    (local.get $x))`;

/** A task is a continuation. */
const CONTINUATIONS = `
  (type $g (func (param i32) (result i32))) (type $c (cont $g))
  (tag $yielded (param i32) (result i32))
  (table $tasks 4 (ref null $c))
  (elem declare func $task)
  (func $yield (param i32) (result i32) (suspend $yielded (local.get 0)))
  (func $start (param $i i32) (table.set $tasks (local.get $i) (cont.new $c (ref.func $task))))
  (func $next (param $i i32) (param $value i32) (result i32)
    (local $c (ref null $c))
    (block $on (result i32 (ref $c))
      (return (resume $c (on $yielded $on) (local.get $value) (table.get $tasks (local.get $i)))))
    (local.set $c)
    (table.set $tasks (local.get $i) (local.get $c)))`;

/** A task unwinds by Asyncify, each into a buffer of its own: 16 KiB at $i * 16384, and behind its head a word that says whether it has begun. */
const UNWOUND = `
  (global $buffer (mut i32) (i32.const 0))
  (global $value (mut i32) (i32.const 0))
  (func $yield (param $value i32) (result i32)
    (if (global.get $mode) (then (global.set $mode (i32.const 0)) (call $stopRewind) (return (global.get $value))))
    (global.set $mode (i32.const 1))
    (global.set $value (local.get $value))
    (call $startUnwind (global.get $buffer))
    (i32.const 0))
  (func $start (param $i i32) (i32.store offset=8 (i32.shl (local.get $i) (i32.const 14)) (i32.const 0)))
  (func $next (param $i i32) (param $value i32) (result i32)
    (local $buffer i32)
    (global.set $buffer (local.tee $buffer (i32.shl (local.get $i) (i32.const 14))))
    (if (i32.load offset=8 (local.get $buffer))
      (then
        (global.set $mode (i32.const 2))
        (global.set $value (local.get $value))
        (call $startRewind (local.get $buffer)))
      (else
        (i32.store (local.get $buffer) (i32.add (local.get $buffer) (i32.const 16)))
        (i32.store offset=4 (local.get $buffer) (i32.add (local.get $buffer) (i32.const 16384)))
        (i32.store offset=8 (local.get $buffer) (i32.const 1))))
    (local.set $value (call $task (local.get $value)))
    (if (global.get $mode) (then (global.set $mode (i32.const 0)) (call $stopUnwind) (return (global.get $value))))
    (local.get $value))`;

/** Adds 1 to a local. */
const increment = (local) => `(local.set ${local} (i32.add (local.get ${local}) (i32.const 1)))`;

const sumTo = (count, value = (i) => i) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + value(i)) | 0;
  return sum;
};

const fringe = {
  what: 'same fringe: the leaves of two trees, one by one',
  steps: (n) => 2 * n,
  expected: (n, noted) => Math.imul(2, sumTo(n, noted)),
  shared: `
    ;; A node: left, right, value. A leaf has no left.
    (func $build (param $low i32) (param $high i32) (param $parts i32) (result i32)
      (local $node i32) (local $middle i32)
      (local.set $node (call $allocate (i32.const 16)))
      (if (i32.eq (i32.sub (local.get $high) (local.get $low)) (i32.const 1))
        (then (i32.store offset=8 (local.get $node) (local.get $low)))
        (else
          (local.set $middle (i32.add (i32.add (local.get $low) (i32.const 1))
            (i32.div_u (i32.sub (i32.sub (local.get $high) (local.get $low)) (i32.const 1)) (local.get $parts))))
          (if (i32.eq (local.get $middle) (local.get $high)) (then (local.set $middle (i32.sub (local.get $middle) (i32.const 1)))))
          (i32.store (local.get $node) (call $build (local.get $low) (local.get $middle) (local.get $parts)))
          (i32.store offset=4 (local.get $node) (call $build (local.get $middle) (local.get $high) (local.get $parts)))))
      (local.get $node))
    (global $first (mut i32) (i32.const 0)) (global $second (mut i32) (i32.const 0))
    (func (export "prepare") (param $n i32)
      (global.set $first (call $build (i32.const 0) (local.get $n) (i32.const 2)))
      (global.set $second (call $build (i32.const 0) (local.get $n) (i32.const 3))))
    (func (export "run") (param $n i32) (result i32)
      (local $a i32)
      (global.set $sum (i32.const 0))
      (call $start (i32.const 0)) (call $start (i32.const 1))
      (loop $more
        (local.set $a (call $next (i32.const 0) (global.get $first)))
        (if (i32.ne (local.get $a) (call $next (i32.const 1) (global.get $second))) (then (return (i32.const 0))))
        (if (i32.ne (local.get $a) (i32.const -1))
          (then (call $note (local.get $a)) (call $note (local.get $a)) (br $more))))
      (global.get $sum))`,
  direct: `
    (func $walk (param $node i32)
      (if (i32.load (local.get $node))
        (then (call $walk (i32.load (local.get $node))) (call $walk (i32.load offset=4 (local.get $node))))
        (else (drop (call $yield (i32.load offset=8 (local.get $node)))))))
    (func $task (param $node i32) (result i32) (call $walk (local.get $node)) (i32.const -1))`,
  machine: `
    ;; A stack of nodes that are still to be visited; its pointer is in front, 0 before the first step.
    (func $start (param $i i32) (i32.store (i32.shl (local.get $i) (i32.const 14)) (i32.const 0)))
    (func $next (param $i i32) (param $root i32) (result i32)
      (local $base i32) (local $top i32) (local $node i32) (local $left i32)
      (local.set $base (i32.shl (local.get $i) (i32.const 14)))
      (local.set $top (i32.load (local.get $base)))
      (if (i32.eqz (local.get $top))
        (then (local.set $top (i32.add (local.get $base) (i32.const 8))) (i32.store offset=4 (local.get $base) (local.get $root))))
      (if (i32.eq (local.get $top) (i32.add (local.get $base) (i32.const 4))) (then (return (i32.const -1))))
      (local.set $node (i32.load (local.tee $top (i32.sub (local.get $top) (i32.const 4)))))
      (loop $down
        (if (local.tee $left (i32.load (local.get $node)))
          (then
            (i32.store (local.get $top) (i32.load offset=4 (local.get $node)))
            (local.set $top (i32.add (local.get $top) (i32.const 4)))
            (local.set $node (local.get $left))
            (br $down))))
      (i32.store (local.get $base) (local.get $top))
      (i32.load offset=8 (local.get $node)))`,
};

const trie = {
  what: 'all entries of a hash trie, 16 ways a node',
  steps: (n) => n,
  expected: (n, noted) => sumTo(n, noted),
  shared: `
    ;; An inner node: 16 words, each null, an inner node, or the address of an entry plus 1. An entry: hash, value.
    (func $insert (param $node i32) (param $shift i32) (param $entry i32)
      (local $place i32) (local $there i32) (local $inner i32)
      (local.set $place (i32.add (local.get $node) (i32.shl
        (i32.and (i32.shr_u (i32.load (local.get $entry)) (local.get $shift)) (i32.const 15)) (i32.const 2))))
      (local.set $there (i32.load (local.get $place)))
      (if (i32.eqz (local.get $there))
        (then (i32.store (local.get $place) (i32.add (local.get $entry) (i32.const 1))) (return)))
      (if (i32.and (local.get $there) (i32.const 1))
        (then
          (i32.store (local.get $place) (local.tee $inner (call $allocate (i32.const 64))))
          (call $insert (local.get $inner) (i32.add (local.get $shift) (i32.const 4)) (i32.sub (local.get $there) (i32.const 1)))
          (local.set $there (local.get $inner))))
      (call $insert (local.get $there) (i32.add (local.get $shift) (i32.const 4)) (local.get $entry)))
    (global $root (mut i32) (i32.const 0))
    (func (export "prepare") (param $n i32)
      (local $i i32) (local $entry i32)
      (global.set $root (call $allocate (i32.const 64)))
      (loop $more
        (local.set $entry (call $allocate (i32.const 8)))
        (i32.store (local.get $entry) (i32.mul (local.get $i) (i32.const 0x9e3779b1)))
        (i32.store offset=4 (local.get $entry) (local.get $i))
        (call $insert (global.get $root) (i32.const 0) (local.get $entry))
        ${increment('$i')}
        (br_if $more (i32.lt_u (local.get $i) (local.get $n)))))
    (func (export "run") (param $n i32) (result i32)
      (local $value i32)
      (global.set $sum (i32.const 0))
      (call $start (i32.const 0))
      (loop $more
        (local.set $value (call $next (i32.const 0) (global.get $root)))
        (if (i32.ne (local.get $value) (i32.const -1)) (then (call $note (local.get $value)) (br $more))))
      (global.get $sum))`,
  direct: `
    (func $walk (param $node i32)
      (local $end i32) (local $there i32)
      (local.set $end (i32.add (local.get $node) (i32.const 64)))
      (loop $each
        (if (local.tee $there (i32.load (local.get $node)))
          (then
            (if (i32.and (local.get $there) (i32.const 1))
              (then (drop (call $yield (i32.load offset=3 (local.get $there)))))
              (else (call $walk (local.get $there))))))
        (local.set $node (i32.add (local.get $node) (i32.const 4)))
        (br_if $each (i32.lt_u (local.get $node) (local.get $end)))))
    (func $task (param $node i32) (result i32) (call $walk (local.get $node)) (i32.const -1))`,
  machine: `
    ;; A stack of where each node goes on, and its end. The pointer to the top is in front; 0 before the first.
    (func $start (param $i i32) (i32.store (i32.const 0) (i32.const 0)))
    (func $next (param $i i32) (param $root i32) (result i32)
      (local $top i32) (local $node i32) (local $end i32) (local $there i32)
      (local.set $top (i32.load (i32.const 0)))
      (if (local.get $top)
        (then (local.set $node (i32.load (local.get $top))) (local.set $end (i32.load offset=4 (local.get $top))))
        (else
          (local.set $top (i32.const 8))
          (local.set $node (local.get $root))
          (local.set $end (i32.add (local.get $root) (i32.const 64)))))
      (loop $again
        (if (i32.eq (local.get $node) (local.get $end))
          (then
            (if (i32.eq (local.get $top) (i32.const 8)) (then (return (i32.const -1))))
            (local.set $top (i32.sub (local.get $top) (i32.const 8)))
            (local.set $node (i32.load (local.get $top)))
            (local.set $end (i32.load offset=4 (local.get $top)))
            (br $again)))
        (local.set $there (i32.load (local.get $node)))
        (local.set $node (i32.add (local.get $node) (i32.const 4)))
        (br_if $again (i32.eqz (local.get $there)))
        (if (i32.eqz (i32.and (local.get $there) (i32.const 1)))
          (then
            (i32.store (local.get $top) (local.get $node))
            (i32.store offset=4 (local.get $top) (local.get $end))
            (local.set $top (i32.add (local.get $top) (i32.const 8)))
            (local.set $node (local.get $there))
            (local.set $end (i32.add (local.get $there) (i32.const 64)))
            (br $again))))
      (i32.store (local.get $top) (local.get $node))
      (i32.store offset=4 (local.get $top) (local.get $end))
      (i32.store (i32.const 0) (local.get $top))
      (i32.load offset=3 (local.get $there)))`,
};

const fibonacci = {
  what: 'a stream of Fibonacci numbers',
  steps: (n) => n,
  expected(n, noted) {
    let [a, b] = [0, 1];
    return sumTo(n, () => {
      const value = a;
      [a, b] = [b, (a + b) | 0];
      return noted(value);
    });
  },
  shared: `
    (func (export "prepare") (param $n i32))
    (func (export "run") (param $n i32) (result i32)
      (global.set $sum (i32.const 0))
      (call $start (i32.const 0))
      (loop $more
        (call $note (call $next (i32.const 0) (i32.const 0)))
        (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (global.get $sum))`,
  direct: `
    (func $task (param i32) (result i32)
      (local $a i32) (local $b i32) (local $c i32)
      (local.set $b (i32.const 1))
      (loop $more
        (drop (call $yield (local.get $a)))
        (local.set $c (i32.add (local.get $a) (local.get $b)))
        (local.set $a (local.get $b))
        (local.set $b (local.get $c))
        (br $more))
      (unreachable))`,
  machine: `
    (func $start (param $i i32) (i32.store (i32.const 0) (i32.const 0)) (i32.store (i32.const 4) (i32.const 1)))
    (func $next (param $i i32) (param i32) (result i32)
      (local $a i32) (local $b i32)
      (local.set $a (i32.load (i32.const 0)))
      (local.set $b (i32.load (i32.const 4)))
      (i32.store (i32.const 0) (local.get $b))
      (i32.store (i32.const 4) (i32.add (local.get $a) (local.get $b)))
      (local.get $a))`,
};

const channel = {
  what: 'numbers through a channel with one place',
  steps: (n) => 2 * n,
  expected: (n, noted) => Math.imul(2, sumTo(n, noted)),
  shared: `
    (global $full (mut i32) (i32.const 0)) (global $place (mut i32) (i32.const 0)) (global $n (mut i32) (i32.const 0))
    (func (export "prepare") (param $n i32))
    (func (export "run") (param $n i32) (result i32)
      (global.set $sum (i32.const 0)) (global.set $full (i32.const 0)) (global.set $n (local.get $n))
      (call $start (i32.const 0)) (call $start (i32.const 1))
      (loop $more
        (if (i32.eqz (global.get $full)) (then (drop (call $next (i32.const 0) (i32.const 0)))))
        (br_if $more (i32.ne (call $next (i32.const 1) (i32.const 1)) (i32.const -1))))
      (global.get $sum))`,
  direct: `
    (func $produce
      (local $i i32)
      (loop $more
        (call $note (local.get $i))
        (loop $again (if (global.get $full) (then (drop (call $yield (i32.const 0))) (br $again))))
        (global.set $place (local.get $i)) (global.set $full (i32.const 1))
        ${increment('$i')}
        (br_if $more (i32.lt_u (local.get $i) (global.get $n)))))
    (func $consume
      (local $i i32)
      (loop $more
        (loop $again (if (i32.eqz (global.get $full)) (then (drop (call $yield (i32.const 0))) (br $again))))
        (global.set $full (i32.const 0))
        (call $note (global.get $place))
        ${increment('$i')}
        (br_if $more (i32.lt_u (local.get $i) (global.get $n)))))
    (func $task (param $consumes i32) (result i32)
      (if (local.get $consumes) (then (call $consume)) (else (call $produce)))
      (i32.const -1))`,
  machine: `
    ;; Of each: how many it has done. The producer has one noted that it could not put: the word behind.
    (func $start (param $i i32) (i64.store (i32.shl (local.get $i) (i32.const 14)) (i64.const 0)))
    (func $next (param $i i32) (param i32) (result i32)
      (if (result i32) (local.get $i) (then (call $consumer)) (else (call $producer))))
    (func $producer (result i32)
      (local $i i32)
      (local.set $i (i32.load (i32.const 0)))
      (loop $more
        (if (i32.eqz (i32.load (i32.const 4))) (then (call $note (local.get $i))))
        (if (global.get $full)
          (then (i32.store (i32.const 0) (local.get $i)) (i32.store (i32.const 4) (i32.const 1)) (return (i32.const 0))))
        (i32.store (i32.const 4) (i32.const 0))
        (global.set $place (local.get $i)) (global.set $full (i32.const 1))
        ${increment('$i')}
        (br_if $more (i32.lt_u (local.get $i) (global.get $n))))
      (i32.const -1))
    (func $consumer (result i32)
      (local $i i32)
      (local.set $i (i32.load (i32.const 16384)))
      (loop $more
        (if (i32.eqz (global.get $full)) (then (i32.store (i32.const 16384) (local.get $i)) (return (i32.const 0))))
        (global.set $full (i32.const 0))
        (call $note (global.get $place))
        ${increment('$i')}
        (br_if $more (i32.lt_u (local.get $i) (global.get $n))))
      (i32.const -1))`,
};

const LEVELS = 8;
const waits = {
  what: `async functions, ${LEVELS} that wait for each other`,
  steps: (n) => n,
  // Each level adds its number, the caller of each 1, and the event loop 1.
  expected: (n, noted) => sumTo(n, (i) => noted(i + LEVELS + 1 + (LEVELS * (LEVELS + 1)) / 2)),
  shared: `
    (global $n (mut i32) (i32.const 0))
    (func (export "prepare") (param $n i32))
    (func (export "run") (param $n i32) (result i32)
      (local $value i32)
      (global.set $sum (i32.const 0)) (global.set $n (local.get $n))
      (call $start (i32.const 0))
      (loop $more
        (local.set $value (call $next (i32.const 0) (i32.add (local.get $value) (i32.const 1))))
        (br_if $more (i32.ne (local.get $value) (i32.const -1))))
      (global.get $sum))`,
  direct: `
    (func $level (param $level i32) (param $x i32) (result i32)
      (if (i32.eqz (local.get $level)) (then (return (call $yield (local.get $x)))))
      (i32.add
        (call $level (i32.sub (local.get $level) (i32.const 1)) (i32.add (local.get $x) (i32.const 1)))
        (local.get $level)))
    (func $task (param i32) (result i32)
      (local $i i32)
      (loop $more
        (call $note (call $level (i32.const ${LEVELS}) (local.get $i)))
        ${increment('$i')}
        (br_if $more (i32.lt_u (local.get $i) (global.get $n))))
      (i32.const -1))`,
  machine: `
    ;; How many have begun, and behind it a stack with a frame for each level that waits: its number. -1 before the first.
    (func $start (param $i i32) (i32.store (i32.const 0) (i32.const -1)))
    (func $next (param i32) (param $x i32) (result i32)
      (local $i i32) (local $top i32) (local $level i32)
      (local.set $i (i32.load (i32.const 0)))
      (if (i32.ge_s (local.get $i) (i32.const 0))
        (then
          ;; The event loop's answer goes through all levels.
          (local.set $top (i32.load (i32.const 4)))
          (loop $return
            (local.set $top (i32.sub (local.get $top) (i32.const 4)))
            (local.set $x (i32.add (local.get $x) (i32.load (local.get $top))))
            (br_if $return (i32.gt_u (local.get $top) (i32.const 8))))
          (call $note (local.get $x))))
      ${increment('$i')}
      (if (i32.eq (local.get $i) (global.get $n)) (then (return (i32.const -1))))
      (local.set $x (local.get $i))
      (local.set $top (i32.const 8))
      (local.set $level (i32.const ${LEVELS}))
      (loop $call
        (i32.store (local.get $top) (local.get $level))
        (local.set $top (i32.add (local.get $top) (i32.const 4)))
        (local.set $x (i32.add (local.get $x) (i32.const 1)))
        (br_if $call (local.tee $level (i32.sub (local.get $level) (i32.const 1)))))
      (i32.store (i32.const 0) (local.get $i))
      (i32.store (i32.const 4) (local.get $top))
      (local.get $x))`,
};

/** Record `i` has so many bytes. */
const length = (i) => 1 + (i % 23);
const CHUNK = 16;
const streamLength = (n) => {
  let bytes = 0;
  for (let i = 0; i < n; i++) bytes += 1 + length(i);
  return bytes + 1;
};
/** The next byte of the stream to $byte; where a piece is over the task waits for the next. */
const READ = `(if (i32.eq (local.get $at) (local.get $end))
          (then
            (drop (call $yield (i32.const 0)))
            (local.set $at (global.get $here))
            (local.set $end (global.get $end))))
        (local.set $byte (i32.load8_u (local.get $at)))
        ${increment('$at')}`;
const events = {
  what: `records parsed from a stream that comes in pieces of ${CHUNK} bytes`,
  steps: (n) => Math.ceil(streamLength(n) / CHUNK),
  expected: (n, noted) =>
    sumTo(n, (i) => {
      let sum = 0;
      for (let k = 0; k < length(i); k++) sum += (i + k) & 255;
      return noted(sum);
    }),
  shared: `
    ;; A record: how many bytes, and the bytes. 0 is the end.
    (global $data (mut i32) (i32.const 0)) (global $here (mut i32) (i32.const 0)) (global $end (mut i32) (i32.const 0))
    (func $byte (param $value i32) (i32.store8 (global.get $end) (local.get $value)) (global.set $end (i32.add (global.get $end) (i32.const 1))))
    (func (export "prepare") (param $n i32)
      (local $i i32) (local $k i32)
      (global.set $data (call $allocate (i32.const 0))) (global.set $end (global.get $data))
      (loop $records
        (local.set $k (i32.const 0))
        (call $byte (i32.add (i32.const 1) (i32.rem_u (local.get $i) (i32.const 23))))
        (loop $bytes
          (call $byte (i32.add (local.get $i) (local.get $k)))
          ${increment('$k')}
          (br_if $bytes (i32.le_u (local.get $k) (i32.rem_u (local.get $i) (i32.const 23)))))
        ${increment('$i')}
        (br_if $records (i32.lt_u (local.get $i) (local.get $n))))
      (call $byte (i32.const 0)))
    (func (export "run") (param $n i32) (result i32)
      (global.set $sum (i32.const 0)) (global.set $end (global.get $data))
      (call $start (i32.const 0))
      (loop $more
        (global.set $here (global.get $end))
        (global.set $end (i32.add (global.get $end) (i32.const ${CHUNK})))
        (br_if $more (i32.ne (call $next (i32.const 0) (i32.const 0)) (i32.const -1))))
      (global.get $sum))`,
  direct: `
    (func $task (param i32) (result i32)
      (local $left i32) (local $total i32) (local $at i32) (local $end i32) (local $byte i32)
      (local.set $at (global.get $here)) (local.set $end (global.get $end))
      (loop $records
        ${READ}
        (if (i32.eqz (local.tee $left (local.get $byte))) (then (return (i32.const -1))))
        (local.set $total (i32.const 0))
        (loop $bytes
          ${READ}
          (local.set $total (i32.add (local.get $total) (local.get $byte)))
          (br_if $bytes (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $note (local.get $total))
        (br $records))
      (unreachable))`,
  machine: `
    ;; How many bytes of the record are missing, and the sum of those that are there.
    (func $start (param $i i32) (i64.store (i32.const 0) (i64.const 0)))
    (func $next (param i32) (param i32) (result i32)
      (local $left i32) (local $total i32) (local $at i32) (local $end i32) (local $value i32)
      (local.set $left (i32.load (i32.const 0)))
      (local.set $total (i32.load (i32.const 4)))
      (local.set $at (global.get $here))
      (local.set $end (global.get $end))
      (loop $more
        (local.set $value (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (if (local.get $left)
          (then
            (local.set $total (i32.add (local.get $total) (local.get $value)))
            (if (i32.eqz (local.tee $left (i32.sub (local.get $left) (i32.const 1)))) (then (call $note (local.get $total)))))
          (else
            (if (i32.eqz (local.get $value)) (then (return (i32.const -1))))
            (local.set $left (local.get $value))
            (local.set $total (i32.const 0))))
        (br_if $more (i32.lt_u (local.get $at) (local.get $end))))
      (i32.store (i32.const 0) (local.get $left))
      (i32.store (i32.const 4) (local.get $total))
      (i32.const 0))`,
};

const actors = {
  what: 'two actors that send each other numbers',
  steps: (n) => n,
  expected: (n, noted) => sumTo(n, noted),
  shared: `
    ;; Mailboxes have one place: at 65,280 for each a word that says whether it is full, and the number. Actors that have mail wait in a ring.
    (global $n (mut i32) (i32.const 0)) (global $first (mut i32) (i32.const 0)) (global $last (mut i32) (i32.const 0))
    (func $send (param $to i32) (param $value i32)
      (i32.store offset=65280 (i32.shl (local.get $to) (i32.const 3)) (i32.const 1))
      (i32.store offset=65284 (i32.shl (local.get $to) (i32.const 3)) (local.get $value))
      (i32.store offset=65344 (i32.shl (i32.and (global.get $last) (i32.const 15)) (i32.const 2)) (local.get $to))
      (global.set $last (i32.add (global.get $last) (i32.const 1))))
    (func (export "prepare") (param $n i32))
    (func (export "run") (param $n i32) (result i32)
      (local $who i32)
      (global.set $sum (i32.const 0)) (global.set $n (local.get $n)) (global.set $first (global.get $last))
      (call $start (i32.const 0)) (call $start (i32.const 1))
      (call $send (i32.const 0) (i32.const 0))
      (loop $more
        (local.set $who (i32.load offset=65344 (i32.shl (i32.and (global.get $first) (i32.const 15)) (i32.const 2))))
        (global.set $first (i32.add (global.get $first) (i32.const 1)))
        (drop (call $next (local.get $who) (local.get $who)))
        (br_if $more (i32.ne (global.get $first) (global.get $last))))
      (global.get $sum))`,
  direct: `
    (func $task (param $me i32) (result i32)
      (local $box i32) (local $value i32)
      (local.set $box (i32.shl (local.get $me) (i32.const 3)))
      (loop $more
        (loop $again (if (i32.eqz (i32.load offset=65280 (local.get $box))) (then (drop (call $yield (i32.const 0))) (br $again))))
        (i32.store offset=65280 (local.get $box) (i32.const 0))
        (call $note (local.tee $value (i32.load offset=65284 (local.get $box))))
        ${increment('$value')}
        (if (i32.lt_u (local.get $value) (global.get $n))
          (then (call $send (i32.xor (local.get $me) (i32.const 1)) (local.get $value))))
        (br $more))
      (unreachable))`,
  machine: `
    (func $start (param $i i32))
    (func $next (param $me i32) (param i32) (result i32)
      (local $box i32) (local $value i32)
      (local.set $box (i32.shl (local.get $me) (i32.const 3)))
      (if (i32.eqz (i32.load offset=65280 (local.get $box))) (then (return (i32.const 0))))
      (i32.store offset=65280 (local.get $box) (i32.const 0))
      (call $note (local.tee $value (i32.load offset=65284 (local.get $box))))
      ${increment('$value')}
      (if (i32.lt_u (local.get $value) (global.get $n))
        (then (call $send (i32.xor (local.get $me) (i32.const 1)) (local.get $value))))
      (i32.const 0))`,
};

export const PROGRAMS = { fringe, trie, fibonacci, channel, waits, events, actors };

/** What `run(n)` of a program returns. */
export const expected = (program, n, works) => program.expected(n, works ? work : (value) => value) | 0;

/** A program's text. `how`: 'machine', 'continuations', 'asyncify'. */
export function text(program, how, works) {
  const ways = { machine: program.machine, continuations: CONTINUATIONS + program.direct, asyncify: UNWOUND + program.direct };
  return `(module
  ${how === 'asyncify' ? ASYNCIFY : ''}
  (memory 256)
  (global $sum (mut i32) (i32.const 0))
  (global $free (mut i32) (i32.const 65536))
  (func $allocate (param $bytes i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $bytes))))
  ${works ? WORK : ''}
  (func $note (param $value i32)
    (global.set $sum (i32.add (global.get $sum) ${works ? '(call $work (local.get $value))' : '(local.get $value)'})))
  ${program.shared}
  ${ways[how]})`;
}
