// What a talk of 2023 said of the first implementation of stack switching, beside the same now: library calls an instruction, sizes with and without
// Asyncify, and ten million coroutines (which are taken from the results).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peersFolder, root } from '../harness.mjs';

/** As the talk gave them. Sizes in kB, of TinyGo's modules: with Asyncify, and by stack switching. */
export const THEN = {
  c10m: { time: 0.2, memory: 1.0 },
  sizes: { large: [597, 156], small: [40, 7.2] },
  calls: { 'cont.new': 1, resume: 4, 'cont.bind': 3, suspend: 3 },
};

const INSTRUCTIONS = `(module
  (type $f (func (param i64) (result i64))) (type $c (cont $f))
  (type $g (func (result i64))) (type $d (cont $g))
  (tag $t (param i64) (result i64))
  (elem declare func $f0)
  (func $f0 (export "suspend") (type $f) (suspend $t (local.get 0)))
  (func (export "cont.new") (result (ref $c)) (cont.new $c (ref.func $f0)))
  (func (export "cont.bind") (param (ref $c)) (result (ref $d)) (cont.bind $c $d (i64.const 1) (local.get 0)))
  (func (export "resume") (param (ref $d)) (result i64)
    (block $on (result i64 (ref $c)) (return (resume $d (on $t $on) (local.get 0))))
    (drop)))`;
const ORDER = ['suspend', 'cont.new', 'cont.bind', 'resume'];

/** What runs between an instruction's start and its end, by Cranelift's form: calls in blocks that are not marked cold. A `try_call` is the switch. */
function countCalls(clif) {
  let cold = false;
  let count = 0;
  for (const line of clif.split('\n')) {
    const block = /^\s*block\d+(\(.*\))?( cold)?:/.exec(line);
    if (block !== null) cold = block[2] !== undefined;
    else if (!cold && /\s(=|\]) call(_indirect)? |^@?\S*\s+call(_indirect)? /.test(line)) count++;
  }
  return count;
}

/** Library calls of each instruction where nothing is out of the ordinary, from `heddle inspect --clif`. */
export function libraryCalls(folder) {
  const file = join(folder, 'instructions.wat');
  writeFileSync(file, INSTRUCTIONS);
  const text = execFileSync(process.execPath, [join(root, 'bin/heddle.cjs'), 'inspect', '--clif', file], { encoding: 'utf8' });
  const functions = text.split(/^;; function .*$/m).slice(1);
  if (functions.length !== ORDER.length) throw new Error(`heddle inspect shows ${functions.length} functions`);
  return Object.fromEntries(ORDER.map((name, i) => [name, countCalls(functions[i])]));
}

/** Bytes of a module that TinyGo has made, and of the same after Asyncify, both through Binaryen's -Oz as TinyGo does; undefined where it is missing. */
export function goSizes(tools, folder) {
  const packageFolder = join(root, 'node_modules/@wasm-fmt/gofmt');
  const file = join(packageFolder, 'gofmt.wasm');
  if (tools.binaryen.missing !== undefined || !existsSync(file)) return undefined;
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  // Half a minute's work, whose result depends on two versions.
  const kept = join(peersFolder, `go-${version}-${tools.binaryen.version.replace(' ', '-')}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'));
  const size = (name, passes) => {
    const to = join(folder, name);
    const optimizer = join(tools.binaryen.folder, 'bin/wasm-opt');
    execFileSync(process.execPath, [optimizer, '--all-features', ...passes, '-Oz', file, '-o', to], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return statSync(to).size;
  };
  const sizes = {
    name: `gofmt (@wasm-fmt/gofmt ${version})`,
    plain: size('go.wasm', []),
    asyncify: size('go.asyncify.wasm', ['--asyncify']),
  };
  mkdirSync(peersFolder, { recursive: true });
  writeFileSync(kept, JSON.stringify(sizes));
  return sizes;
}
