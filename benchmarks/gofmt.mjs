// gofmt (a real module made by TinyGo) formatting 200 kB of Go, against V8 in the same process, rounds interleaved:
// `node benchmarks/gofmt.mjs [--trials 3] [--rounds 15] [--size 200000]`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { best, header, heddle, median, option, report, root, runTrial, table, trial } from './harness.mjs';

const trials = option('trials', 3);
const rounds = option('rounds', 15);
const size = option('size', 200_000);

/** Go source in bad shape, of about `length` bytes. */
function goSource(length) {
  const parts = ['package   main\nimport (\n"fmt"\n  "os"\n)\n'];
  for (let i = 0, bytes = 0; bytes < length; i++) {
    const part = `
// f${i} adds , multiplies and prints
func   f${i}( a int,b   []string ,c map[string]struct{x,y int})(int,error){
x:=a*${i}+len(b)
  if x>${i % 97}{ return x,nil } else if x== -1 {
return 0 , fmt.Errorf( "bad %d of %q",x,b )
}
for i:=0;i<len(b);i++{
switch b[ i ]{
case "a" ,"b": x+=  i
default:
x-=i<<2|1
}
}
    go func(){ defer os.Exit( ${i % 3} ); fmt.Println(x) }()
return x,nil
}
`;
    parts.push(part);
    bytes += part.length;
  }
  return parts.join('');
}

async function measure() {
  const { WebAssembly: Heddle } = await heddle();
  const folder = join(root, 'node_modules/@wasm-fmt/gofmt');
  const { format } = await import(join(folder, 'gofmt_binding.js'));
  const bytes = readFileSync(join(folder, 'gofmt.wasm'));
  const engines = {
    v8: (await WebAssembly.instantiate(bytes)).instance.exports,
    on: (await Heddle.instantiate(bytes, {})).instance.exports,
    off: (await Heddle.instantiate(bytes, {}, { interruptible: false })).instance.exports,
  };
  const source = goSource(size);
  const times = { v8: [], on: [], off: [] };
  for (const exports of Object.values(engines)) {
    exports._initialize();
    // V8 optimises in the first rounds.
    for (let i = 0; i < 5; i++) format(exports, source);
  }
  const expected = format(engines.v8, source);
  for (let i = 0; i < rounds; i++) {
    for (const [name, exports] of Object.entries(engines)) {
      const start = performance.now();
      const result = format(exports, source);
      times[name].push(performance.now() - start);
      if (result !== expected) throw new Error(`${name} formats differently`);
    }
  }
  report(times);
}

function main() {
  header(`gofmt, ${size} bytes of Go, ms; ratios to V8 in the same process`);
  const rows = [];
  for (let i = 0; i < trials; i++) {
    const result = runTrial(import.meta.url, 'measure', { args: process.argv.slice(2) });
    if (result.error) throw new Error(result.error);
    const ratio = (f, name) => f(result[name]) / f(result.v8);
    rows.push([`trial ${i + 1}`, best(result.v8), ratio(best, 'on'), ratio(median, 'on'), ratio(best, 'off'), ratio(median, 'off')]);
  }
  table(['', 'V8 best ms', 'interruptible best', 'median', 'not interruptible best', 'median'], rows);
}

await (trial === undefined ? main() : measure());
