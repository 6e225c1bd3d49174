/** `heddle inspect`: a module's parts, or its functions on their way to machine code. */

import { baselineFeatures, type CompileSettings, compileSettings } from '../../compile/settings.js';
import { FunctionCompiler, prepare } from '../../compile/work.js';
import { unknownExport } from '../../errors/catalog.js';
import { typeName } from '../../instance/messages/type_text.js';
import { addon } from '../../link/addon.js';
import { indexSpaces } from '../../lower/module/spaces.js';
import type { ModuleDescription, ValueType } from '../../validate/description.js';
import { typeAt, typeCount } from '../../validate/type_words.js';
import { FEATURE_BITS, type ModuleNames } from '../../validate/validate.js';
import { loadModule, placed } from '../load.js';
import { operatorLines } from '../operator_text.js';
import { print } from '../report.js';
import { startQuickly } from '../tiering.js';

/** Options of `heddle inspect`. */
export interface InspectOptions {
  readonly ops?: boolean;
  readonly clif?: boolean;
  readonly asm?: boolean;
  readonly function?: string;
  readonly target?: string;
}

/** Prints what the options ask for. */
export function inspectFile(file: string, options: InspectOptions): number {
  startQuickly();
  const source = loadModule(file);
  const { bytes } = source;
  const { job, names } = placed(source, () => prepare(bytes, settingsFor(options.target)));
  if (!options.ops && !options.clif && !options.asm) {
    summary(bytes.length, job.description, names);
    return 0;
  }
  const compiler = new FunctionCompiler(job);
  const imported = indexSpaces(job.description).importedFunctions;
  for (const index of chosen(options.function, job.description, names)) {
    print(`;; function ${index}${names.functions.has(index) ? ` ${names.functions.get(index)}` : ''}`);
    if (options.ops) for (const line of operatorLines(compiler.operators(index - imported))) print(line);
    else print(compiler.list(index - imported, options.clif ? 'clif' : 'asm').trimEnd());
  }
  compiler.free();
  return 0;
}

/** This machine's settings, or a target's; the verifier has its say in either case. */
function settingsFor(target: string | undefined): CompileSettings {
  const options = { features: FEATURE_BITS, verify: true };
  if (target !== undefined) {
    const name = target === 'aarch64' ? 'arm64' : 'x64';
    return compileSettings(name, baselineFeatures(name), options);
  }
  const native = addon();
  return compileSettings(native.arch, native.cpuFeatures(), options);
}

/** Indices of the functions to print. */
function chosen(wanted: string | undefined, description: ModuleDescription, names: ModuleNames): number[] {
  const imported = indexSpaces(description).importedFunctions;
  const all = Array.from({ length: description.functions.length }, (_, i) => imported + i);
  if (wanted === undefined) return all;
  const name = wanted.replace(/^\$/, '');
  const exported = description.exports.find((e) => e.kind === 'func' && e.name === name)?.index;
  const found = all.filter((index) => String(index) === wanted || names.functions.get(index) === name || index === exported);
  if (found.length === 0) {
    throw unknownExport(`the module defines no function ${wanted}: its functions are ${imported} to ${imported + all.length - 1}`);
  }
  return found;
}

function summary(size: number, description: ModuleDescription, names: ModuleNames): void {
  const { types, imports, exports, functions, tables, memories, globals, tags, customs } = description;
  print(`module ${names.module ?? '(unnamed)'}, ${size} bytes`);
  print(
    `${typeCount(types)} types, ${functions.length} functions, ${tables.length} tables, ${memories.length} memories, ${globals.length} globals, ${tags.length} tags`,
  );
  const spaces = indexSpaces(description);
  for (const entry of imports) {
    print(`import ${entry.module}.${entry.name}: ${entry.kind}${entry.kind === 'func' ? ` ${signature(description, entry.type)}` : ''}`);
  }
  for (const { name, kind, index } of exports) {
    print(`export ${name}: ${kind} ${index}${kind === 'func' ? ` ${signature(description, spaces.functions[index] ?? 0)}` : ''}`);
  }
  for (const [name, start, end] of customs) print(`section ${name}: ${end - start} bytes`);
}

function signature(description: ModuleDescription, index: number): string {
  const type = typeAt(description.types, index);
  if (type?.kind !== 'func') return '';
  const list = (values: readonly ValueType[]): string => `(${values.map(typeName).join(', ')})`;
  return `${list(type.params)} -> ${list(type.results)}`;
}
