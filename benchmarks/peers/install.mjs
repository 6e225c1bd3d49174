// `--install`: puts the peers that a registry has into a folder of the user's cache.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { onPath, peersFolder } from '../harness.mjs';

const WASMTIME = '48.0.8';
const FEATURES = [
  ...['run', 'compile', 'wast', 'cranelift', 'wat', 'parallel-compilation', 'gc', 'gc-drc', 'gc-null'],
  ...['stack-switching', 'threads', 'cache', 'pooling-allocator', 'explore'],
];

/** What is installed, by which command. Wasmtime is compiled, which takes a quarter of an hour. */
export const INSTALLS = [
  { what: 'Node 26', command: ['npm', 'install', '--no-audit', '--no-fund', '--prefix', peersFolder, 'node@26'] },
  {
    what: `Wasmtime ${WASMTIME} with stack switching`,
    command: [
      ...['cargo', 'install', 'wasmtime-cli', '--version', WASMTIME, '--locked', '--no-default-features'],
      ...['--features', FEATURES.join(), '--root', peersFolder],
    ],
  },
];

/** Installs them; returns whether all are there. What only the system's package manager has is named, not installed. */
export function installPeers() {
  mkdirSync(peersFolder, { recursive: true });
  const done = INSTALLS.map(({ what, command: [program, ...args] }) => {
    console.log(`${what} into ${peersFolder}`);
    if (onPath(program) === undefined) {
      console.log(`  ${program} is missing`);
      return false;
    }
    const { status } = spawnSync(program, args, { stdio: 'inherit' });
    if (status !== 0) console.log(`  ${program} ended with ${status}`);
    return status === 0;
  });
  console.log('What builds the programs, and Boost.Context, by hand: apt-get install clang lld libboost-context-dev');
  return done.every((each) => each);
}
