// How many levels JavaScript and WebAssembly nest that call each other, how it ends, and what a call gives afterwards.
import { parseWat, WebAssembly } from '../../../dist/heddle.mjs';

const text =
  '(module (import "m" "js" (func $js (param i32) (result i32))) (func (export "w") (param i32) (result i32) (call $js (local.get 0))))';
let levels = 0;
const js = (down) => {
  levels++;
  return down === 0 ? 42 : w(down);
};
const { w } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)), { m: { js } }).exports;
let name = '';
try {
  w(1);
} catch (error) {
  name = error.name;
}
console.log(levels, name, w(0));
