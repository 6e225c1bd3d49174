// Garbage-collected objects, in nanoseconds of processor time an object: binary trees that are made and looked at, objects that die at once, of several sizes, arrays of
// several lengths, and a test of a type. Beside V8 of Node 26 (HEDDLE_PEER_NODE).
// `node benchmarks/trees.mjs [--trials 3] [--depth 16]`.
import { best, header, heddle, interleaved, keep, option, peerNode, report, runTrial, table, trial } from './harness.mjs';

const COUNT = 2_000_000;
const ROUNDS = 4;
/** Structures by their number of references, and arrays by that of their elements. */
const FIELDS = [1, 6, 20];
const LENGTHS = [1, 4, 20];

/** Makes so many objects of a type one after the other, each with the number of its turn, and adds up what is read from them. A global has the last one: an engine may not leave them out. */
const loop = (name, type, make, read) => `
  (func (export "${name}") (param $n i32) (result i32) (local $i i32) (local $sum i32) (local $o (ref null ${type}))
    (loop $next
      (global.set $last (local.tee $o (${make})))
      (local.set $sum (i32.add (local.get $sum) (${read})))
      (br_if $next (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum))`;
const structure = (count) =>
  `(type $s${count} (struct (field i32) ${'(field (ref null $tree)) '.repeat(count)}))` +
  loop(
    `a structure of ${count} references`,
    `$s${count}`,
    `struct.new $s${count} (local.get $i) ${'(ref.null $tree) '.repeat(count)}`,
    `struct.get $s${count} 0 (local.get $o)`,
  );
const arrays = (count) =>
  [
    ['new', `array.new $ints (local.get $i) (i32.const ${count})`],
    ['new_default', `array.new_default $ints (i32.const ${count})`],
    ['new_fixed', `array.new_fixed $ints ${count} ${'(local.get $i) '.repeat(count)}`],
  ]
    .map(([name, make]) => loop(`array.${name} of ${count} i32`, '$ints', make, 'array.get $ints (local.get $o) (i32.const 0)'))
    .join('');

const TEXT = `(module
  (type $tree (struct (field (ref null $tree)) (field (ref null $tree))))
  (type $ints (array (mut i32)))
  (type $a (sub (struct (field i32)))) (type $b (sub $a (struct (field i32))))
  (type $c (sub $b (struct (field i32)))) (type $d (sub $c (struct (field i32))))
  (table $t 4 (ref null $a))
  (global $last (mut anyref) (ref.null any))
  (func $make (param $d i32) (result (ref $tree))
    (if (result (ref $tree)) (i32.eqz (local.get $d))
      (then (struct.new $tree (ref.null $tree) (ref.null $tree)))
      (else (struct.new $tree
        (call $make (i32.sub (local.get $d) (i32.const 1))) (call $make (i32.sub (local.get $d) (i32.const 1)))))))
  (func $check (param $t (ref null $tree)) (result i32)
    (if (result i32) (ref.is_null (local.get $t)) (then (i32.const 0))
      (else (i32.add (i32.const 1) (i32.add
        (call $check (struct.get $tree 0 (local.get $t))) (call $check (struct.get $tree 1 (local.get $t))))))))
  (func (export "trees") (param $max i32) (result i32)
    (local $sum i32) (local $long (ref null $tree)) (local $d i32) (local $n i32) (local $i i32)
    (local.set $sum (call $check (call $make (i32.add (local.get $max) (i32.const 1)))))
    (local.set $long (call $make (local.get $max)))
    (local.set $d (i32.const 4))
    (loop $depths
      (local.set $n (i32.shl (i32.const 1) (i32.add (i32.sub (local.get $max) (local.get $d)) (i32.const 4))))
      (local.set $i (i32.const 0))
      (loop $again
        (local.set $sum (i32.add (local.get $sum) (call $check (call $make (local.get $d)))))
        (br_if $again (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (br_if $depths (i32.le_s (local.tee $d (i32.add (local.get $d) (i32.const 2))) (local.get $max))))
    (i32.add (local.get $sum) (call $check (local.get $long))))
  ${FIELDS.map(structure).join('')}
  ${LENGTHS.map(arrays).join('')}
  (func (export "ref.test, 2 deep") (param $n i32) (result i32) (local $i i32) (local $sum i32)
    (table.set $t (i32.const 0) (struct.new $a (i32.const 1))) (table.set $t (i32.const 1) (struct.new $b (i32.const 2)))
    (table.set $t (i32.const 2) (struct.new $c (i32.const 3))) (table.set $t (i32.const 3) (struct.new $d (i32.const 4)))
    (loop $l
      (local.set $sum (i32.add (local.get $sum) (ref.test (ref $c) (table.get $t (i32.and (local.get $i) (i32.const 3))))))
      (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum)))`;

/** Objects of `trees`. */
function objects(depth) {
  let count = 2 ** (depth + 2) - 1 + 2 ** (depth + 1) - 1;
  for (let d = 4; d <= depth; d += 2) count += 2 ** (depth - d + 4) * (2 ** (d + 1) - 1);
  return count;
}

/** Names, exports, arguments, and how many objects a call makes. */
const CASES = [
  ...[12, option('depth', 16)].map((depth) => [`trees of depth ${depth}`, 'trees', depth, objects(depth)]),
  ...FIELDS.map((count) => `a structure of ${count} references`).map((name) => [name, name, COUNT, COUNT]),
  ...LENGTHS.flatMap((count) => ['new', 'new_default', 'new_fixed'].map((how) => `array.${how} of ${count} i32`)).map((name) => [
    name,
    name,
    COUNT,
    COUNT,
  ]),
  ['ref.test, 2 deep', 'ref.test, 2 deep', COUNT, COUNT],
];

/** One case in a process of its own: how much is made between two collections depends on what was made before. */
async function measure() {
  const [engine, number] = trial.split(' ');
  const { WebAssembly: Heddle, parseWat } = await heddle();
  const api = engine === 'v8' ? WebAssembly : Heddle;
  const [, called, argument, count] = CASES[number];
  const run = new api.Instance(new api.Module(parseWat(TEXT))).exports[called];
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    keep(run(argument));
    const { user, system } = process.cpuUsage(start);
    times.push(((user + system) * 1000) / count);
  }
  report({ time: best(times) });
}

function main() {
  header('garbage-collected objects, ns of processor time each');
  const peer = peerNode();
  const engines = [['heddle', process.execPath], ...(peer === undefined ? [] : [['v8', peer.path]])];
  const args = ['--depth', String(option('depth', 16))];
  const rows = CASES.map(([name], number) => {
    const runs = engines.map(([engine, node]) => [engine, () => runTrial(import.meta.url, `${engine} ${number}`, { node: [node], args })]);
    const times = interleaved(runs, option('trials', 3)).map((results) => {
      const failed = results.find(({ error }) => error !== undefined);
      if (failed !== undefined) throw new Error(failed.error);
      return best(results.map(({ time }) => time));
    });
    return [name, ...times, ...(times.length > 1 ? [times[0] / times[1]] : [])];
  });
  table(['', 'heddle', ...(peer === undefined ? [] : [`V8 of Node ${peer.version}`, 'heddle/V8'])], rows);
}

await (trial === undefined ? main() : measure());
