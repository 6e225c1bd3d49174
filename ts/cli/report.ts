/** What the command line writes, and the status it exits with. */
import { writeSync } from 'node:fs';
import { describeError } from './errors/describe.js';
import { jsonLine, replaceSteering } from './json_line.js';
import { reason } from './load.js';

/** Exit statuses; a WASI program's own status takes their place. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** A file, module, import, argument or assertion is wrong. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** It took longer than `--timeout` says: the status that timeout(1) has for it. */
  timeout: 124,
  /** WebAssembly trapped: 128 + SIGABRT, as other engines have it. */
  trap: 134,
} as const;

/** How it is written: `json` since the command line says `--json`. */
export const writing = { json: false };

/** Writes a line to stdout. */
export function print(line: string): void {
  output('stdout', `${printable(line)}\n`);
}

/** Writes a value as a line of JSON to stdout. */
export function printJson(value: unknown): void {
  output('stdout', jsonLine(value));
}

/** `code bytes` as a name in JSON: `codeBytes`. */
export const camelCase = (name: string): string => name.replace(/ (.)/g, (_, letter: string) => letter.toUpperCase());

/** Writes a remark to stderr. */
export function note(text: string): void {
  output('stderr', `heddle: ${printable(text)}\n`);
}

const ready = new Set<'stdout' | 'stderr'>();

/** Whether something was written to one of Node's streams, which tell of errors later. */
export const hasWritten = (): boolean => ready.size > 0;

/** Writes text. Node takes 2 ms to make its two streams, so they are made when there is something to write: a WASI program writes without them. */
export function output(to: 'stdout' | 'stderr', text: string): void {
  endWhenClosed(to, cannotWrite);
  process[to].write(text);
}

/** A reader that has seen enough (`| head`) is no error: the command ends at once, quietly. `otherwise` is told of other errors. */
export function endWhenClosed(to: 'stdout' | 'stderr', otherwise: (error: Error) => void): void {
  if (ready.has(to)) return;
  ready.add(to);
  process[to].on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
    otherwise(error);
  });
}

/** What was to be said cannot be: one line says why, where that can be written. */
function cannotWrite(error: Error): void {
  try {
    writeSync(2, `heddle: cannot write the output: ${reason(error)} (HEDDLE_FILE)\n`);
  } catch {
    // Nor can this.
  }
  process.exit(EXIT.failed);
}

/** Writes an error as `heddle: message (CODE)` with its place and the WebAssembly frames of a trap, or as JSON; returns the exit status that goes with it. */
export function reportError(error: unknown): number {
  const { code, text } = describeError(error, writing.json);
  output('stderr', printable(text));
  if (code === 'HEDDLE_USAGE') return EXIT.usage;
  if (code === 'HEDDLE_TIMEOUT') return EXIT.timeout;
  return code.startsWith('HEDDLE_TRAP_') ? EXIT.trap : EXIT.failed;
}

/** Text without the characters that steer terminals: a module decides what its names are. */
function printable(text: string): string {
  return replaceSteering(text, (c) => {
    if (c === '\n' || c === '\t') return c;
    const code = c.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}
