/** What the command line writes, and the status it exits with. */

import { inspect } from 'node:util';
import { exceptionOf } from '../instance/exceptions.js';
import { showException } from './values.js';

/** Exit statuses; a WASI program's own status takes their place. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** A file, module, import, argument or assertion is wrong. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** WebAssembly trapped: 128 + SIGABRT, as other engines have it. */
  trap: 134,
} as const;

/** Writes a line to stdout. */
export function print(line: string): void {
  output('stdout', `${printable(line)}\n`);
}

/** Writes a remark to stderr. */
export function note(text: string): void {
  output('stderr', `heddle: ${printable(text)}\n`);
}

const ready = new Set<'stdout' | 'stderr'>();

/** Writes text. Node takes 2 ms to make its two streams, so they are made when there is something to write: a WASI program writes without them. */
export function output(to: 'stdout' | 'stderr', text: string): void {
  endWhenClosed(to);
  process[to].write(text);
}

/** A reader that has seen enough (`| head`) is no error: the command ends at once, quietly. */
export function endWhenClosed(to: 'stdout' | 'stderr'): void {
  if (ready.has(to)) return;
  ready.add(to);
  process[to].on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? EXIT.ok);
  });
}

/** Writes an error as `heddle: message (CODE)`, with the WebAssembly frames of a trap; returns the exit status that goes with it. */
export function reportError(error: unknown): number {
  const code = codeOf(error);
  output('stderr', printable(`heddle: ${messageOf(error)} (${code})\n${frames(error)}`));
  if (code === 'HEDDLE_USAGE') return EXIT.usage;
  return code.startsWith('HEDDLE_TRAP_') ? EXIT.trap : EXIT.failed;
}

/** Text without the characters that steer terminals: a module decides what its names are. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** An error's message on one line. */
export function messageOf(error: unknown): string {
  return (showException(error) ?? (error instanceof Error ? error.message : shownValue(error))).replace(/\s*\n\s*/g, ' ');
}

/** What JavaScript threw that is no error. */
function shownValue(value: unknown): string {
  return `uncaught ${inspect(value)}`;
}

/** An error's code; errors that are not ours have Node's, or none. */
function codeOf(error: unknown): string {
  if (exceptionOf(error) !== undefined) return 'HEDDLE_EXCEPTION';
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'Error';
}

/** The lines of an error's stack that are WebAssembly's. A bug of ours shows all. */
function frames(error: unknown): string {
  if (!(error instanceof Error) || error.stack === undefined) return '';
  const lines = error.stack.split('\n').filter((line) => /^ {4}at /.test(line) || line.includes('frames left out'));
  const shown =
    codeOf(error) === 'HEDDLE_INTERNAL'
      ? lines
      : lines.filter((line) => line.includes('wasm-function[') || line.includes('frames left out'));
  return shown.map((line) => `${line}\n`).join('');
}
