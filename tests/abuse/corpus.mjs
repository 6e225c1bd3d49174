// What mutants are made from: our own examples, and the small modules of the specification's scripts where these are.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operatorEnd } from '../../dist/ts/lower/program/stream.js';
import { parseWat } from '../../dist/ts/source/bytes.js';
import { crate } from '../../dist/ts/source/crate.js';
import { parseScript } from '../../dist/ts/wast/script.js';
import { scriptsFolder } from '../spec/scripts.mjs';

const LARGEST = 2_500;
const SCRIPTS = [
  'stack-switching/cont.wast',
  'stack-switching/resume_throw.wast',
  'core/call_indirect.wast',
  'core/br_table.wast',
  'core/bulk.wast',
  'core/br_on_null.wast',
  'core/call_ref.wast',
  'core/table_copy.wast',
  'core/table_init.wast',
  'core/memory_copy.wast',
  'core/select.wast',
  'core/loop.wast',
  'core/if.wast',
  'core/block.wast',
  'core/global.wast',
  'core/elem.wast',
  'core/data.wast',
  'core/float_exprs.wast',
  'core/conversions.wast',
  'core/i32.wast',
  'core/i64.wast',
  'core/local_init.wast',
  'core/return_call.wast',
  'core/start.wast',
];

/** [opcode, offset] of every operator. */
function sitesOf(bytes) {
  const info = new (crate().ModuleInfo)(bytes, 1, true);
  const sites = [];
  for (let i = 0; i < info.functions().length; i++) {
    const ops = info.ops(i);
    for (let at = 1 + 2 * ops[0]; at < ops.length; at = operatorEnd(ops, at)) sites.push([ops[at], ops[at + 1]]);
  }
  info.free();
  return sites;
}

/** All corpus entries, in a fixed order. */
export function corpus() {
  const modules = [];
  const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
  for (const name of readdirSync(examples)
    .filter((n) => n.endsWith('.wat'))
    .sort()) {
    modules.push(parseWat(readFileSync(join(examples, name), 'utf8')));
  }
  const folder = scriptsFolder();
  for (const name of folder === undefined ? [] : SCRIPTS) {
    if (!existsSync(join(folder, name))) continue;
    const { directives, binaries } = parseScript(readFileSync(join(folder, name), 'utf8'));
    for (const { type, start, length } of directives) {
      if (type === 'module' && start !== undefined && length <= LARGEST) modules.push(binaries.slice(start, start + length));
    }
  }
  const entries = [];
  for (const bytes of modules) {
    try {
      entries.push({ bytes, sites: sitesOf(bytes) });
    } catch {
      // A module of a proposal that is not on.
    }
  }
  return entries;
}
