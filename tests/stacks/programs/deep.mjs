// Continuations that run deep, at once or when eight more are there, until there is no stack for another: the first argument is the import that
// makes them (`usual`: the instruction), the second when they do, the third the limit in bytes. Prints how many there were and by how much the
// process grew.
import { configure, parseWat, WebAssembly } from '../../../dist/heddle.mjs';

const [, , kind, when, limit] = process.argv;
configure({ stack: { memory: Number(limit) } });
const text = `(module (type $f (func)) (type $k (cont $f)) (tag $t)
  ${kind === 'usual' ? '' : `(import "heddle" "${kind}" (func $new (param (ref null $f)) (result (ref $k))))`}
  (table $all 4000 (ref null $k))
  (func $deep (param i32)
    (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (suspend $t))))
  (func $run (suspend $t) (call $deep (i32.const 4000)))
  (elem declare func $run)
  (func (export "make") (param $n i32)
    (table.set $all (local.get $n) (${kind === 'usual' ? 'cont.new $k' : 'call $new'} (ref.func $run)))
    (call $go (local.get $n)))
  (func $go (export "go") (param $n i32) (local $k (ref null $k))
    (block $on (result (ref $k)) (resume $k (on $t $on) (table.get $all (local.get $n))) (return))
    (local.set $k)
    (table.set $all (local.get $n) (local.get $k))))`;
const { make, go } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)), {}).exports;
const before = process.memoryUsage.rss();
const behind = when === 'later' ? 8 : 0;
let made = 0;
let code;
try {
  for (; made < 4000; made++) {
    make(made);
    if (made >= behind) go(made - behind);
  }
} catch (error) {
  code = error.code;
}
process.stdout.write(JSON.stringify({ code, made, grown: process.memoryUsage.rss() - before }));
