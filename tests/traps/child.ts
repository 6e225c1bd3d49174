/** Programs that run in a process of their own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a process ended and what it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** How to start it. */
export interface Start {
  /** Node's own options. */
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another Node. */
  readonly node?: string;
  /** A limit of address space, in kilobytes. */
  readonly addressSpace?: number;
}

/** It is killed after this many milliseconds: it hangs. */
const HANGS = 100_000;

/** Runs a program of tests/traps/programs, or a file by its URL. */
export function runProgram(
  program: string | URL,
  { flags = [], args = [], env = {}, node = process.execPath, addressSpace }: Start = {},
): Promise<Ended> {
  const url = typeof program === 'string' ? new URL(`programs/${program}.mjs`, import.meta.url) : program;
  const command = [node, ...flags, fileURLToPath(url), ...args];
  const [file, rest] =
    addressSpace === undefined ? [node, command.slice(1)] : ['/bin/sh', ['-c', `ulimit -v ${addressSpace} && exec "$@"`, 'sh', ...command]];
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      timeout: HANGS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, output, errors }));
  });
}

/** The JSON that a program prints; fails with what it wrote where it did not end well. */
export async function resultOf<T>(program: string | URL, start?: Start): Promise<T> {
  const ended = await runProgram(program, start);
  if (ended.status !== 0) throw new Error(`status ${ended.status ?? ended.signal}\n${ended.output}\n${ended.errors}`);
  return JSON.parse(ended.output) as T;
}

/** Gives a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
