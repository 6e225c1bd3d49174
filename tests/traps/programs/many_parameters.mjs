// Functions of many parameters as continuations on the smallest stacks; prints what each returned.
import { configure, WebAssembly as Heddle, parseWat } from '../../../dist/heddle.mjs';

configure({ stack: { size: 64 * 1024 } });

const rows = (count, make) => Array.from({ length: count }, (_, i) => make(i)).join(' ');

function sum(count) {
  const text = `(module (type $f (func (param ${'i32 '.repeat(count)}) (result i32))) (type $k (cont $f))
    (func $sum (type $f) ${rows(count, (i) => `(local.get ${i})`)} ${'(i32.add)'.repeat(count - 1)}) (elem declare func $sum)
    (func (export "made") (drop (cont.new $k (ref.func $sum))))
    (func (export "run") (result i32) (resume $k ${rows(count, (i) => `(i32.const ${i})`)} (cont.new $k (ref.func $sum)))))`;
  const { made, run } = new Heddle.Instance(new Heddle.Module(parseWat(text))).exports;
  made();
  return run();
}

console.log(JSON.stringify([1, 100, 500, 600, 700, 900, 1000].map((count) => [count, sum(count)])));
