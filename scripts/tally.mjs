// Runs the parts of a test run and adds up what they counted. Every part ends its output with a line `N passed, N failed`; a part that does not,
// or that exits with another status than its count says, is one more failure.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command with its output shown; returns the status and the output. */
export function show(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], ...options });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ status: 127, output });
    });
    child.on('close', (status, signal) => resolve({ status: status ?? signal ?? 1, output }));
  });
}

/** Sums of a test run. */
export class Tally {
  passed = 0;
  failed = 0;
  #parts = [];

  /** Counts a check that has no count of its own. */
  check(name, ok) {
    this.#add(name, ok ? 1 : 0, ok ? 0 : 1);
  }

  /** Counts what something else counted. */
  count(name, { passed, failed }) {
    this.#add(name, passed, failed);
  }

  /** Runs a part that counts by itself. */
  async part(name, command, args, options) {
    console.log(`== ${name}`);
    const { status, output } = await show(command, args, options);
    const last = /(\d+) passed, (\d+) failed\s*$/.exec(output);
    if (last === null) {
      console.error(`${name} ended with ${status} and no count`);
      this.#add(name, 0, 1);
      return;
    }
    const [passed, failed] = [Number(last[1]), Number(last[2])];
    this.#add(name, passed, failed === 0 && status !== 0 ? 1 : failed);
  }

  /** Runs a part whose exit status says everything. */
  async run(name, command, args, options) {
    console.log(`== ${name}`);
    const { status } = await show(command, args, options);
    this.check(name, status === 0);
  }

  #add(name, passed, failed) {
    this.#parts.push([name, passed, failed]);
    this.passed += passed;
    this.failed += failed;
  }

  /** Prints the parts and, as the last line, the sum; returns the exit status. */
  finish() {
    for (const [name, passed, failed] of this.#parts) console.log(`${name}: ${passed} passed, ${failed} failed`);
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed > 0 || this.passed === 0 ? 1 : 0;
  }
}
