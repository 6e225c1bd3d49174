/**
 * Where functions lie, for `perf`: with `HEDDLE_PERF_MAP=1` each piece of code that is loaded is told of in `/tmp/perf-PID.map`, where perf looks for what a process has compiled. A line is an address, a size
 * and a name, the numbers in hexadecimal.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { STUB } from '../generated/abi.js';

/** Code that was loaded. */
export interface MappedCode {
  /** Its address. */
  readonly base: number;
  /** [number, offset, size]*, as an artifact has them. */
  readonly functions: Int32Array;
  /** The module's name, or what stands for it. */
  readonly module: string;
  /** How many of the numbers are functions of the module: higher ones are trampolines. */
  readonly count: number;
  /** A function's name; undefined where it has none. */
  functionName(index: number): string | undefined;
}

const ROW = 3;

/** Names as they may stand in a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a line must not have
const onOneLine = (name: string): string => name.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, '?');

const lineOf = (address: number, size: number, name: string): string => `${address.toString(16)} ${size.toString(16)} ${onOneLine(name)}\n`;

/** The lines of a piece of code, by address. */
export function perfLines({ base, functions, module, count, functionName }: MappedCode): string {
  const lines = [lineOf(base, STUB.size, `${module}![switch, host_call]`)];
  for (let at = 0; at < functions.length; at += ROW) {
    const [number = 0, offset = 0, size = 0] = functions.subarray(at, at + ROW);
    const name = number < count ? (functionName(number) ?? `wasm-function[${number}]`) : `[trampoline ${number - count}]`;
    lines.push(lineOf(base + offset, size, `${module}!${name}`));
  }
  return lines.join('');
}

let failed = false;

/** Where a process that had this number before has left its own. */
function isOfAnother(changed: number): boolean {
  return changed < Date.now() - process.uptime() * 1000;
}

function append(path: string, text: string): void {
  // SAFETY: everybody may write in /tmp: no link is followed, and the file of another is left alone.
  const file = openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    0o600,
  );
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.uid !== process.geteuid?.() || stats.nlink > 1)
      throw new Error(`${path} is not a file of this user's own`);
    if (isOfAnother(stats.mtimeMs)) ftruncateSync(file);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } finally {
    closeSync(file);
  }
}

/** Tells perf of code. Where that cannot be, a warning says so, once: the program goes on. */
export function tellPerf(code: MappedCode): void {
  if (failed) return;
  try {
    append(`/tmp/perf-${process.pid}.map`, perfLines(code));
  } catch (error) {
    failed = true;
    process.emitWarning(`HEDDLE_PERF_MAP: ${error instanceof Error ? error.message : String(error)}`);
  }
}
