// 100 queries in flight, each in a function of SQL that waits for a promise. V8 leaves the C stack where it is, so there it is one after the other.
import sqlite3InitModule from '@sqlite.org/sqlite-wasm';

const { capi, wasm, oo1 } = await sqlite3InitModule({ print: () => {}, printErr: () => {} });
// Exports `f`, which is the import `e.f`: (i32, i32, i32) -> ().
const bytes = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 3, 127, 127, 127, 0],
  ...[2, 7, 1, 1, 101, 1, 102, 0, 0, 7, 5, 1, 1, 102, 0, 0],
);
let most = 0;
let waiting = 0;
const wait = async (context, _, values) => {
  const value = capi.sqlite3_value_int(wasm.peekPtr(values));
  most = Math.max(most, ++waiting);
  await new Promise((resolve) => setTimeout(resolve, (value * 7) % 11));
  waiting--;
  capi.sqlite3_result_int(context, value * value);
};
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { f: new WebAssembly.Suspending(wait) } });
const table = wasm.functionTable();
const pointer = table.grow(1);
table.set(pointer, exports.f);

const step = WebAssembly.promising(wasm.exports.sqlite3_step);
async function query(i) {
  const db = new oo1.DB(':memory:');
  const name = wasm.allocCString('wait');
  wasm.exports.sqlite3_create_function(db.pointer, name, 1, capi.SQLITE_UTF8, 0, pointer, 0, 0);
  const statement = db.prepare(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select sum(wait(i + ${i})) from n`,
  );
  await step(statement.pointer);
  const sum = capi.sqlite3_column_int(statement.pointer, 0);
  statement.finalize();
  db.close();
  return sum;
}
const all = Array.from({ length: 100 }, (_, i) => i);
const sums = [];
if (process.env.PACKAGES_USE === 'heddle') sums.push(...(await Promise.all(all.map(query))));
else for (const i of all) sums.push(await query(i));
// (i + 1)^2 + (i + 2)^2 + (i + 3)^2
const right = sums.filter((sum, i) => sum === 3 * i * i + 12 * i + 14).length;
console.log(right, sums[99]);
if (process.env.PACKAGES_USE === 'heddle' && most < 100) throw new Error(`only ${most} waited at once`);
