/**
 * A program as WebAssembly text, for people and for regression tests. Imports and exports are those of `encode.ts`.
 */
import {
  type Catch,
  type Clause,
  type Code,
  IMPORTS,
  type Instruction,
  isRef,
  JS_TAG,
  type Program,
  type RefType,
  type Signature,
  type TypeDefinition,
  type ValueType,
} from './program.js';

const typeText = (type: ValueType): string => (isRef(type) ? refText(type) : type);
const refText = ({ to, nullable }: RefType): string => `(ref ${nullable ? 'null ' : ''}$t${to})`;
const heapText = (type: RefType | 'externref' | 'exnref'): string => (isRef(type) ? `$t${type.to}` : type.slice(0, -3));
const list = (keyword: string, types: readonly ValueType[]): string =>
  types.length === 0 ? '' : ` (${keyword} ${types.map(typeText).join(' ')})`;
const signatureText = ({ params, results }: Signature): string => `${list('param', params)}${list('result', results)}`;
const tagText = (tag: number): string => (tag === JS_TAG ? '$js' : `$e${tag}`);

function catchText(clause: Catch): string {
  return 'tag' in clause ? `(${clause.kind} ${tagText(clause.tag)} $l${clause.label})` : `(${clause.kind} $l${clause.label})`;
}

function clauseText(clause: Clause): string {
  return clause.kind === 'label' ? `(on ${tagText(clause.tag)} $l${clause.label})` : `(on ${tagText(clause.tag)} switch)`;
}

const clausesText = (clauses: readonly Clause[]): string => clauses.map((clause) => ` ${clauseText(clause)}`).join('');

function constantText(instruction: Extract<Instruction, { op: 'const' }>): string {
  const { type, value } = instruction;
  if (type !== 'v128') return `${type}.const ${Object.is(value, -0) ? '-0' : value}`;
  return `v128.const i64x2 ${BigInt.asUintN(64, value)} ${value >> 64n}`;
}

/** An instruction without blocks, or the first line of one. */
function headText(instruction: Instruction): string {
  switch (instruction.op) {
    case 'const':
      return constantText(instruction);
    case 'numeric':
      return instruction.name;
    case 'local.get':
    case 'local.set':
    case 'local.tee':
      return `${instruction.op} ${instruction.index}`;
    case 'global.get':
    case 'global.set':
      return `${instruction.op} $g${instruction.index}`;
    case 'table.get':
    case 'table.set':
      return `${instruction.op} $table${instruction.index}`;
    case 'ref.null':
      return `ref.null ${heapText(instruction.type)}`;
    case 'function.number':
      return `i32.const ${instruction.func}`;
    case 'ref.func':
    case 'call':
    case 'return_call':
      return `${instruction.op} $f${instruction.func}`;
    case 'call_import':
      return `call $${instruction.name}`;
    case 'call_log':
      return `call $log${instruction.log}`;
    case 'call_take':
      return `call $take${instruction.type}`;
    case 'call_clone':
      return `call $clone${instruction.type}`;
    case 'drop_cont':
      return 'drop';
    case 'call_indirect':
    case 'return_call_indirect':
      return `${instruction.op} $functions (type $t${instruction.type})`;
    case 'call_ref':
    case 'return_call_ref':
    case 'cont.new':
    case 'struct.new':
      return `${instruction.op} $t${instruction.type}`;
    case 'struct.get':
    case 'struct.set':
      return `${instruction.op} $t${instruction.type} ${instruction.field}`;
    case 'cont.bind':
      return `cont.bind $t${instruction.type} $t${instruction.to}`;
    case 'throw':
    case 'suspend':
      return `${instruction.op} ${tagText(instruction.tag)}`;
    case 'switch':
      return `switch $t${instruction.type} ${tagText(instruction.tag)}`;
    case 'resume':
    case 'resume_throw_ref':
      return `${instruction.op} $t${instruction.type}${clausesText(instruction.clauses)}`;
    case 'resume_throw':
      return `resume_throw $t${instruction.type} ${tagText(instruction.tag)}${clausesText(instruction.clauses)}`;
    case 'br':
    case 'br_if':
      return `${instruction.op} $l${instruction.label}`;
    case 'block':
    case 'loop':
      return `${instruction.op} $l${instruction.label}${list('result', instruction.results)}`;
    case 'try_table':
      return `try_table $l${instruction.label}${list('result', instruction.results)} ${instruction.catches.map(catchText).join(' ')}`;
    case 'if':
      return `if $l${instruction.label}`;
    default:
      return instruction.op;
  }
}

function codeText(code: Code, indent: string, lines: string[]): void {
  const inner = `${indent}  `;
  for (const instruction of code) {
    switch (instruction.op) {
      case 'hole':
        break;
      case 'statement':
        codeText(instruction.body, indent, lines);
        break;
      case 'block':
      case 'loop':
      case 'try_table':
        lines.push(indent + headText(instruction));
        codeText(instruction.body, inner, lines);
        lines.push(`${indent}end`);
        break;
      case 'if':
        lines.push(indent + headText(instruction));
        codeText(instruction.yes, inner, lines);
        lines.push(`${indent}else`);
        codeText(instruction.no, inner, lines);
        lines.push(`${indent}end`);
        break;
      default:
        lines.push(indent + headText(instruction));
    }
  }
}

function definitionText(definition: TypeDefinition): string {
  switch (definition.kind) {
    case 'func':
      return `(func${signatureText(definition)})`;
    case 'cont':
      return `(cont $t${definition.func})`;
    case 'struct':
      return `(struct ${definition.fields.map((type) => `(field (mut ${typeText(type)}))`).join(' ')})`;
  }
}

function typeLines(program: Program): string[] {
  const lines: string[] = [];
  let at = 0;
  for (const size of program.groups) {
    const texts = program.types.slice(at, at + size).map((definition, i) => {
      return `(type $t${at + i} ${definitionText(definition)})`;
    });
    lines.push(size > 1 ? `  (rec ${texts.join(' ')})` : `  ${texts.join(' ')}`);
    at += size;
  }
  return lines;
}

function initialText(type: ValueType, value: number | bigint): string {
  return isRef(type) || type === 'externref' || type === 'exnref' ? `ref.null ${heapText(type)}` : `i32.const ${value}`;
}

/** The text of a program's module. */
export function print(program: Program): string {
  const { logs, takes, clones, tags, globals, tables, functions } = program;
  const lines = ['(module', ...typeLines(program)];
  for (const [name, signature] of Object.entries(IMPORTS)) {
    lines.push(`  (func $${name} (import "env" "${name}")${signatureText(signature)})`);
  }
  for (const [i, params] of logs.entries()) lines.push(`  (func $log${i} (import "env" "log")${signatureText({ params, results: [] })})`);
  for (const type of takes) lines.push(`  (func $take${type} (import "env" "take") (param (ref null $t${type})))`);
  for (const type of clones) {
    lines.push(`  (func $clone${type} (import "heddle" "cont.clone") (param (ref null $t${type})) (result (ref $t${type})))`);
  }
  lines.push('  (tag $js (import "env" "js_tag") (param externref))');
  lines.push(`  (table $functions funcref (elem ${functions.map((_f, i) => `$f${i}`).join(' ')}))`);
  for (const [i, { type, size }] of tables.entries()) lines.push(`  (table $table${i} ${size} ${refText(type)})`);
  for (const [i, { type }] of tags.entries()) lines.push(`  (tag $e${i + 1} (export "t${i}") (type $t${type}))`);
  for (const [i, { type, value }] of globals.entries()) {
    lines.push(`  (global $g${i} (mut ${typeText(type)}) (${initialText(type, value)}))`);
  }
  for (const [i, { type, locals, body, exported }] of functions.entries()) {
    lines.push(`  (func $f${i}${exported ? ` (export "f${i}")` : ''} (type $t${type})${list('local', locals)}`);
    codeText(body, '    ', lines);
    lines.push('  )');
  }
  return `${lines.join('\n')}\n)\n`;
}
