// Overflows both kinds of stack, five times over, and recurses well on each afterwards. Arguments: where stacks come from, and what guards them.
import { configure, WebAssembly as Heddle, parseWat } from '../../../dist/heddle.mjs';

const [strategy, guard] = process.argv.slice(2);
configure({ stack: { strategy, guard, size: 64 * 1024 }, entryStackSize: 128 * 1024 });
const text = `(module (type $f (func (param i32) (result i32))) (type $k (cont $f)) (elem declare func $r)
  (func $r (export "entry") (type $f)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (i32.add (call $r (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))
  (func (export "continuation") (type $f) (resume $k (local.get 0) (cont.new $k (ref.func $r)))))`;
const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(text)));
const outcome = (name, depth) => {
  try {
    return String(exports[name](depth));
  } catch (error) {
    return error.message;
  }
};
const ends = [];
for (let i = 0; i < 5; i++)
  ends.push(outcome('entry', -1), outcome('continuation', -1), outcome('entry', 500), outcome('continuation', 500));
console.log(JSON.stringify(ends));
