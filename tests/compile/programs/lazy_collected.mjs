// Modules whose functions are made at their first calls come and go. Prints JSON: how many pieces of code are left.
import { setTimeout } from 'node:timers/promises';
import { collect, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

for (let i = 0; i < 20; i++) {
  const module = new WebAssembly.Module(parseWat(`(module (func (export "f") (result i32) (i32.const ${i})))`), { compile: 'lazy' });
  if (new WebAssembly.Instance(module).exports.f() !== i) throw new Error('f gave something else');
}
for (let i = 0; i < 3; i++) {
  globalThis.gc();
  await setTimeout(50);
  collect();
}
process.stdout.write(JSON.stringify({ left: statistics().codes }), () => process.exit());
