// A program whose module is still being compiled for the cache when it has no more to do. Prints JSON: that thread's name and how much lower its priority is than the program's, and, when the program ends, whether that compile was at its end.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parseWat, WebAssembly } from '../../../dist/heddle.mjs';

// Some seconds of work for the compiler.
const body = Array.from(
  { length: 1500 },
  (_, i) => `(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const ${2 * i + 3})) (i32.const ${i})))`,
);
const functions = Array.from(
  { length: 60 },
  (_, i) =>
    `(func (export "f${i}") (param i32) (result i32) (local.set 0 (i32.xor (local.get 0) (i32.const ${i}))) ${body.join(' ')} (local.get 0))`,
);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(`(module ${functions.join('\n')} (func (export "small")))`)));
exports.small();

const entries = () => readdirSync(process.env.HEDDLE_CACHE).filter((name) => /^[0-9a-f]{64}$/.test(name));
/** Nice values of the process's threads (proc_pid_stat(5), field 19). */
const niceness = () =>
  readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
const [own] = niceness();
let lower = 0;
while (lower === 0 && entries().length === 0) {
  await setTimeout(20);
  lower = Math.max(...niceness()) - own;
}
// When it ends it leaves what it has made; that is another entry.
process.prependListener('exit', () => console.log(JSON.stringify({ lower, whole: entries().length })));
