// Makes, suspends and drops continuations, as many as the argument says; prints counters and memory half way and at the end.
import { parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const TEXT = `(module (type $f (func)) (type $k (cont $f)) (tag $t)
  (func $waits (suspend $t)) (elem declare func $waits)
  (func $one (drop (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $waits))) (return))))
  (func (export "run") (param $n i32)
    (loop $l (call $one) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`;

const count = Number(process.argv[2]);
const { run } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT))).exports;
const look = () => ({ ...statistics(), resident: process.memoryUsage.rss() });
run(count / 2);
const half = look();
run(count / 2);
process.stdout.write(JSON.stringify({ half, end: look() }));
