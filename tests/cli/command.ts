/** Runs the built command line. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where these runs keep their key: the user's own is none of the tests' business. */
const state = mkdtempSync(join(tmpdir(), 'heddle-state-'));
process.on('exit', () => rmSync(state, { recursive: true, force: true }));

/** What a run came to. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `heddle` with arguments in the repository. */
export function heddle(args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ''): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/heddle.cjs', ...args], {
    cwd: root,
    encoding: 'utf8',
    input,
    env: { ...process.env, XDG_STATE_HOME: state, ...env },
  });
  return { status, stdout, stderr };
}

/** A run that worked: its stdout. */
export function output(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = heddle(args, env);
  if (status !== 0) throw new Error(`heddle ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}
