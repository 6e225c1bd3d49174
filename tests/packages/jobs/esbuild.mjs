import { transform } from 'esbuild-wasm';

const { code } = await transform('const f = <T,>(x: T): T => x ?? (class { static #p = 1n }, x); enum E { A, B } console.log(f(E.B))', {
  loader: 'ts',
  minify: true,
  target: 'es2019',
});
console.log(code);
process.exit(0);
