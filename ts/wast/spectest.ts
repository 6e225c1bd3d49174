/**
 * The module that the specification's scripts import as `spectest`. Its functions are WebAssembly's own, so that their types are checked.
 */

import { Table } from '../api/objects.js';
import { Instance, Module } from '../api/web_assembly.js';
import { V8 } from '../errors/v8.js';
import { parseWat } from '../source/bytes.js';

const PRINTS: readonly (readonly [name: string, types: string])[] = [
  ['print', ''],
  ['print_i32', 'i32'],
  ['print_i64', 'i64'],
  ['print_f32', 'f32'],
  ['print_f64', 'f64'],
  ['print_i32_f32', 'i32 f32'],
  ['print_f64_f64', 'f64 f64'],
];

const TEXT = `(module
  ${PRINTS.map(([name, types]) => `(import "host" "${name}" (func $${name} (param ${types})))`).join('\n  ')}
  ${PRINTS.map(
    ([name, types]) => `(func (export "${name}") (param ${types})
    ${types
      .split(' ')
      .filter(Boolean)
      .map((_, i) => `(local.get ${i})`)
      .join(' ')} (call $${name}))`,
  ).join('\n  ')}
  (global (export "global_i32") i32 (i32.const 666))
  (global (export "global_i64") i64 (i64.const 666))
  (global (export "global_f32") f32 (f32.const 666.6))
  (global (export "global_f64") f64 (f64.const 666.6))
  (table (export "table64") i64 10 20 funcref))`;

let module: Module | undefined;

/** A fresh `spectest`. `print` gets what its functions are called with. */
export function spectest(print: (values: readonly unknown[]) => void): Record<string, unknown> {
  module ??= new Module(parseWat(TEXT));
  const host = Object.fromEntries(PRINTS.map(([name]) => [name, (...values: unknown[]) => print(values)]));
  return {
    ...new Instance(module, { host }).exports,
    table: new Table({ element: 'funcref', initial: 10, maximum: 20 }),
    memory: new V8.Memory({ initial: 1, maximum: 2 }),
    shared_memory: new V8.Memory({ initial: 1, maximum: 2, shared: true }),
  };
}
