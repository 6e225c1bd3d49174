// Deadlines that pass before a call has its first frame, or soon after: how many of 300 trap.
import { call, parseWat, WebAssembly } from '../../../dist/heddle.mjs';

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat('(module (func (export "loop") (loop (br 0))))')));
const DEADLINES = [0.000001, 0.001, 0.01, 0.1];
let trapped = 0;
for (let i = 0; i < 300; i++) {
  try {
    call(exports.loop, [], { deadline: DEADLINES[i % DEADLINES.length] });
  } catch (error) {
    if (error.code !== 'HEDDLE_TRAP_DEADLINE') throw error;
    trapped++;
  }
}
console.log(JSON.stringify(trapped));
