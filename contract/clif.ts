/**
 * Numbers of the CLIF programs (contract/formats.md, sections 4 to 6) that TypeScript writes and codegen/src/replay.rs reads.
 * Cranelift's own opcode and condition numbers are asked of the built crate; `npm run generate` puts both into ts/generated/clif.ts.
 */

/** Instruction kinds, from 1, in the order of the table in contract/formats.md, section 5. */
export const KINDS = [
  'unary',
  'binary',
  'ternary',
  'icmp',
  'fcmp',
  'iconst',
  'fconst',
  'vconst',
  'load',
  'store',
  'use_var',
  'def_var',
  'declare_var',
  'block',
  'switch_to',
  'seal',
  'jump',
  'brif',
  'br_table',
  'return',
  'call',
  'call_indirect',
  'return_call',
  'return_call_indirect',
  'try_call',
  'try_call_indirect',
  'trap',
  'trapnz',
  'trapz',
  'bitcast',
  'srcloc',
  'stack_slot',
  'stack_addr',
  'func_addr',
  'nullary',
  'atomic_load',
  'atomic_store',
  'atomic_rmw',
  'atomic_cas',
  'fence',
  'lane_extract',
  'lane_insert',
  'shuffle',
  'stack_map',
] as const;

/** CLIF types, from 0. */
export const TYPES = [
  'INVALID',
  'I8',
  'I16',
  'I32',
  'I64',
  'F32',
  'F64',
  'I8X16',
  'I16X8',
  'I32X4',
  'I64X2',
  'F32X4',
  'F64X2',
  'I128',
] as const;

/** Memory flags of loads and stores, from 0. */
export const MEMORY = [
  ['heap', 'linear memory: little-endian, a fault is the trap memory_bounds'],
  ['trusted', 'our own structures: aligned, cannot fault'],
  ['constant', 'our own structures that never change while a function runs: may be moved and merged'],
  ['vector', 'little-endian, cannot fault, not aligned'],
  ['atomic', 'little-endian, aligned, cannot fault'],
] as const;

/** Features of `ModuleInfo` beyond WebAssembly 3.0 and stack switching, as bits. */
export const FEATURES = [
  ['threads', 1, 'shared memories and atomics'],
  ['legacy_exceptions', 2, 'try, catch, delegate, rethrow'],
  ['custom_page_sizes', 4, 'memories with pages of one byte'],
  ['no_stack_switching', 8, 'continuation types, and tags with results, are refused'],
  ['no_multi_memory', 16, 'a second memory is refused'],
  ['no_reference_types', 32, 'a second table is refused, and references as values'],
] as const;

/** Relocation kinds of an output. */
export const RELOCATIONS = [
  ['x86_call', 1, 'x86-64 call, 32 bits relative to the end of the field'],
  ['aarch64_call', 2, 'aarch64 bl, 26 bits of words'],
  ['absolute64', 3, 'an address'],
  ['x86_relative', 4, 'x86-64, 32 bits relative'],
] as const;
