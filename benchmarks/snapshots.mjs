// Snapshots of suspended continuations (docs/snapshots.md): `node benchmarks/snapshots.mjs [--trials 5] [--repeats 60] [--count 1000000]`.
// N queens: a program asks `choose` for the row of the next queen, and a driver tries every answer, each on a version of the suspended program. By
// cont.clone; beside it the same program by Asyncify, where a version is a copy of Asyncify's buffer. The program asks behind some frames of
// other functions, which every version has. Then what a clone and a resume take alone, and what a million snapshots of distinct states take in memory.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ASYNCIFY, asyncifier } from './asyncify.mjs';
import { best, header, heddle, interleaved, option, report, runTrial, table, trial } from './harness.mjs';

/** The program, which is the same for both. */
const PROGRAM = `
  (global $n (mut i32) (i32.const 8))
  (global $solutions (mut i32) (i32.const 0))
  (global $runs (mut i32) (i32.const 0))
  ;; Places a queen in each column. 0 where two attack each other, 1 for a solution.
  (func $place (result i32)
    (local $column i32) (local $row i32) (local $rows i32) (local $up i32) (local $down i32) (local $bit i32)
    (loop $next
      (local.set $row (call $choose (global.get $n)))
      (local.set $bit (i32.shl (i32.const 1) (local.get $row)))
      (local.set $up (i32.shl (local.get $up) (i32.const 1)))
      (local.set $down (i32.shr_u (local.get $down) (i32.const 1)))
      (if (i32.and (local.get $bit) (i32.or (local.get $rows) (i32.or (local.get $up) (local.get $down)))) (then (return (i32.const 0))))
      (local.set $rows (i32.or (local.get $rows) (local.get $bit)))
      (local.set $up (i32.or (local.get $up) (local.get $bit)))
      (local.set $down (i32.or (local.get $down) (local.get $bit)))
      (local.set $column (i32.add (local.get $column) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $column) (global.get $n))))
    (i32.const 1))
  (func $behind (param $depth i32) (result i32)
    (if (result i32) (i32.eqz (local.get $depth))
      (then (call $place))
      (else (i32.sub (i32.add (call $behind (i32.sub (local.get $depth) (i32.const 1))) (local.get $depth)) (local.get $depth)))))
  (func (export "runs") (result i32) (global.get $runs))`;

const CLONES = `(module
  (type $g (func (param i32) (result i32))) (type $c (cont $g))
  (import "heddle" "cont.clone" (func $clone (param (ref null $c)) (result (ref $c))))
  (tag $choose (param i32) (result i32))
  ${PROGRAM}
  (func $choose (param i32) (result i32) (suspend $choose (local.get 0)))
  (elem declare func $behind)
  (func $all (param $c (ref null $c)) (param $n i32)
    (local $i i32) (local $next (ref null $c)) (local $m i32)
    (loop $each
      (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
      (block $done
        (block $asked (result i32 (ref $c))
          (global.set $solutions (i32.add (global.get $solutions)
            (resume $c (on $choose $asked) (local.get $i)
              ;; The last one goes on with the original.
              (if (result (ref null $c)) (i32.lt_u (i32.add (local.get $i) (i32.const 1)) (local.get $n))
                (then (call $clone (local.get $c))) (else (local.get $c))))))
          (br $done))
        (local.set $next) (local.set $m)
        (call $all (local.get $next) (local.get $m)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (local.get $n)))))
  (func (export "queens") (param $size i32) (param $depth i32) (result i32)
    (local $c (ref null $c)) (local $m i32)
    (global.set $n (local.get $size)) (global.set $solutions (i32.const 0)) (global.set $runs (i32.const 0))
    (block $asked (result i32 (ref $c))
      (drop (resume $c (on $choose $asked) (local.get $depth) (cont.new $c (ref.func $behind)))) (unreachable))
    (local.set $c) (local.set $m)
    (call $all (local.get $c) (local.get $m))
    (global.get $solutions)))`;

/**
 * By Asyncify. The program unwinds into one buffer and rewinds from it; a choice keeps what it unwound in a buffer of a pool, and each answer but the
 * first gets a copy back. Where `inPlace`, nothing is copied: each choice unwinds into its own buffer and every answer rewinds from that, which
 * no program can do that has a stack in linear memory as well.
 */
const BY_ASYNCIFY = (inPlace) => `(module
  ${ASYNCIFY}
  (memory 16)
  ;; Buffers have 16 KiB. The first is the one that the program unwinds into; of the others, as many are in use as choices are open.
  (global $buffer (mut i32) (i32.const 0))
  (global $answer (mut i32) (i32.const 0))
  (global $asked (mut i32) (i32.const 0))
  ${PROGRAM}
  (func $choose (param i32) (result i32)
    (if (i32.eq (global.get $mode) (i32.const 2))
      (then (global.set $mode (i32.const 0)) (call $stopRewind) (return (global.get $answer))))
    (global.set $asked (local.get 0))
    (i32.store (global.get $buffer) (i32.add (global.get $buffer) (i32.const 8)))
    (i32.store offset=4 (global.get $buffer) (i32.add (global.get $buffer) (i32.const 16384)))
    (global.set $mode (i32.const 1))
    (call $startUnwind (global.get $buffer))
    (i32.const 0))
  ;; Goes on with an answer: whether it asks again.
  (func $go (param $from i32) (param $to i32) (param $answer i32) (result i32)
    (local $result i32)
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (global.set $answer (local.get $answer))
    (global.set $buffer (local.get $to))
    (global.set $mode (i32.const 2))
    (call $startRewind (local.get $from))
    (local.set $result (call $behind (i32.const 0)))
    (if (global.get $mode) (then (global.set $mode (i32.const 0)) (call $stopUnwind) (return (i32.const 1))))
    (global.set $solutions (i32.add (global.get $solutions) (local.get $result)))
    (i32.const 0))
  (func $all (param $kept i32) (param $n i32)
    (local $i i32) (local $length i32) (local $end i32)
    ${
      inPlace
        ? '(local.set $end (i32.load (local.get $kept)))'
        : `(local.set $length (i32.load (i32.const 0)))
    (memory.copy (local.get $kept) (i32.const 0) (local.get $length))`
    }
    (loop $each
      ${
        inPlace
          ? '(i32.store (local.get $kept) (local.get $end))'
          : '(if (local.get $i) (then (memory.copy (i32.const 0) (local.get $kept) (local.get $length))))'
      }
      (if (call $go ${inPlace ? '(local.get $kept) (i32.add (local.get $kept) (i32.const 16384))' : '(i32.const 0) (i32.const 0)'} (local.get $i))
        (then (call $all (i32.add (local.get $kept) (i32.const 16384)) (global.get $asked))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (local.get $n)))))
  (func (export "queens") (param $size i32) (param $depth i32) (result i32)
    (global.set $n (local.get $size)) (global.set $solutions (i32.const 0)) (global.set $runs (i32.const 0))
    (global.set $buffer (i32.const ${inPlace ? 16384 : 0}))
    (drop (call $behind (local.get $depth)))
    (global.set $mode (i32.const 0))
    (call $stopUnwind)
    (call $all (i32.const 16384) (global.get $asked))
    (global.get $solutions)))`;

/** Clones of one state, and of states that are all distinct. */
const ALONE = `(module
  (type $g (func (param i32) (result i32))) (type $c (cont $g))
  (import "heddle" "cont.clone" (func $clone (param (ref null $c)) (result (ref $c))))
  (tag $choose (result i32))
  (table $all 0 (ref null $c))
  (global $one (mut (ref null $c)) (ref.null $c))
  (func $once (param i32) (result i32) (i32.add (suspend $choose) (local.get 0)))
  (func $count (param i32) (result i32)
    (loop $next (local.set 0 (i32.add (local.get 0) (suspend $choose))) (br $next)) (unreachable))
  (elem declare func $once $count)
  (func (export "grow") (param i32) (drop (table.grow $all (ref.null $c) (local.get 0))))
  (func (export "begin") (param $counts i32)
    (block $asked (result (ref $c))
      (drop (resume $c (on $choose $asked) (i32.const 1)
        (cont.new $c (if (result (ref $g)) (local.get $counts) (then (ref.func $count)) (else (ref.func $once))))))
      (unreachable))
    (global.set $one))
  (func (export "clone") (param $n i32)
    (loop $next
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (table.set $all (local.get $n) (call $clone (global.get $one)))
      (br_if $next (local.get $n))))
  (func (export "resume") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (local.set $sum (i32.add (local.get $sum) (resume $c (local.get $n) (table.get $all (local.get $n)))))
      (br_if $next (local.get $n)))
    (local.get $sum))
  (func (export "step and clone") (param $n i32)
    (loop $next
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (table.set $all (local.get $n) (call $clone (global.get $one)))
      (block $asked (result (ref $c))
        (drop (resume $c (on $choose $asked) (i32.const 1) (global.get $one))) (unreachable))
      (global.set $one)
      (br_if $next (local.get $n)))))`;

const trials = option('trials', 5);
const repeats = option('repeats', 60);
const count = option('count', 1_000_000);
const SOLUTIONS = { 6: 4, 8: 92 };
/** Frames before the choice, and how many queens; and what is aimed at: ratios to Asyncify in V8 and in Heddle. */
const DEPTHS = [
  { depth: 0, size: 8, v8: 1, heddle: 1.2 },
  { depth: 10, size: 6, v8: 0.8, heddle: 1 },
  { depth: 50, size: 6, v8: 0.6, heddle: 0.9 },
  { depth: 200, size: 6, v8: 1.1, heddle: 1.1 },
];
const AIMS = { clone: 40, resume: 45, bytes: 450 };

/** Nanoseconds a run of the program, for each depth: the best of all. */
function queens({ exports }) {
  const nanoseconds = {};
  for (const { depth, size } of DEPTHS) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repeats; i++) {
      const start = performance.now();
      const found = exports.queens(size, depth);
      least = Math.min(least, performance.now() - start);
      if (found !== SOLUTIONS[size]) throw new Error(`${size} queens have ${SOLUTIONS[size]} solutions, not ${found}`);
    }
    nanoseconds[depth] = (least * 1e6) / exports.runs();
  }
  report(nanoseconds);
}

const program = () => readFileSync(process.env.HEDDLE_PROGRAM);
const instance = async () => {
  const { WebAssembly } = await heddle();
  return (await WebAssembly.instantiate(program(), { heddle: {} })).instance;
};

async function alone() {
  const { exports } = await instance();
  const N = 1000;
  const sum = (N * (N - 1)) / 2 + N;
  const least = { clone: Number.POSITIVE_INFINITY, resume: Number.POSITIVE_INFINITY };
  const time = (what, run) => {
    const start = performance.now();
    const result = run();
    least[what] = Math.min(least[what], ((performance.now() - start) * 1e6) / N);
    return result;
  };
  exports.grow(N);
  exports.begin(0);
  for (let i = 0; i < repeats * 20; i++) {
    time('clone', () => exports.clone(N));
    if (time('resume', () => exports.resume(N)) !== sum) throw new Error('the sum is wrong');
  }
  report(least);
}

async function memory() {
  const { exports } = await instance();
  const { statistics } = await heddle();
  const resident = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  exports.grow(count);
  exports.begin(1);
  exports['step and clone'](1);
  const before = resident();
  const start = performance.now();
  exports['step and clone'](count);
  const ns = ((performance.now() - start) * 1e6) / count;
  if (statistics().continuationCopies < count) throw new Error('there are fewer copies than distinct states');
  report({ ns, bytes: (resident() - before) / count });
}

const kinds = {
  clones: async () => queens(await instance()),
  heddle: async () => queens(await instance()),
  v8: async () => queens((await globalThis.WebAssembly.instantiate(program())).instance),
  alone,
  memory,
};

const against = (ratio, aim) => `${ratio.toFixed(2)} (aim ${aim.toFixed(1)}${ratio <= aim ? '' : ', missed'})`;

async function main() {
  header('N queens by versions of a suspended program: ns a run, best of all; ratios of cont.clone to Asyncify');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-snapshots-'));
  const { parseWat } = await heddle();
  const asyncify = asyncifier();
  const path = (name) => join(folder, `${name}.wasm`);
  const heddles = (name, text) => {
    writeFileSync(path(name), parseWat(text));
    return { HEDDLE_PROGRAM: path(name) };
  };
  const args = ['--repeats', String(repeats), '--count', String(count)];
  const clones = heddles('clones', CLONES);
  const runs = [['cont.clone', () => runTrial(import.meta.url, 'clones', { env: clones, args })]];
  if (asyncify !== undefined) {
    const copied = { HEDDLE_PROGRAM: asyncify(path('copied'), parseWat(BY_ASYNCIFY(false))) };
    const inPlace = { HEDDLE_PROGRAM: asyncify(path('in_place'), parseWat(BY_ASYNCIFY(true))) };
    runs.push(
      ['Asyncify, V8', () => runTrial(import.meta.url, 'v8', { env: copied, args })],
      ['Asyncify, Heddle', () => runTrial(import.meta.url, 'heddle', { env: copied, args })],
      ['Asyncify without copies, V8', () => runTrial(import.meta.url, 'v8', { env: inPlace, args })],
    );
  }
  const results = interleaved(runs, trials);
  for (const { error } of results.flat()) if (error !== undefined) throw new Error(error);
  const times = DEPTHS.map(({ depth }) => results.map((all) => best(all.map((one) => one[depth]))));
  const ratios = (k, aims) => (times[0][k] === undefined ? '-' : times.map((all, i) => against(all[0] / all[k], aims(DEPTHS[i]))));
  table(
    ['', ...DEPTHS.map(({ depth, size }) => `${size} queens, ${depth} frames`)],
    [
      ...runs.map(([name], k) => [name, ...times.map((all) => all[k].toFixed(1))]),
      ...(asyncify === undefined
        ? []
        : [
            ['to Asyncify in V8', ...ratios(1, ({ v8 }) => v8)],
            ['to Asyncify in Heddle', ...ratios(2, (aims) => aims.heddle)],
          ]),
    ],
  );
  const text = heddles('alone', ALONE);
  const [single, many] = interleaved(
    [
      ['alone', () => runTrial(import.meta.url, 'alone', { env: text, args })],
      ['memory', () => runTrial(import.meta.url, 'memory', { env: text, args })],
    ],
    Math.min(trials, 3),
  );
  for (const { error } of [...single, ...many]) if (error !== undefined) throw new Error(error);
  const least = (all, what) => best(all.map((one) => one[what]));
  const row = (name, value, aim) => [name, value.toFixed(1), aim === undefined ? '' : `aim ${aim}${value <= aim ? '' : ', missed'}`];
  console.log();
  table(
    ['', 'best', ''],
    [
      row('a clone of a state that is copied already, ns', least(single, 'clone'), AIMS.clone),
      row('a clone resumed to its end, ns', least(single, 'resume'), AIMS.resume),
      row(`each of ${count} snapshots of distinct states, bytes resident`, least(many, 'bytes'), AIMS.bytes),
      row('a step to a distinct state and its snapshot, ns', least(many, 'ns')),
    ],
  );
  rmSync(folder, { recursive: true });
}

await (trial === undefined ? main() : kinds[trial]());
