// Other versions of Node, installed from npm outside the repository's own packages.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './native_tests.mjs';
import { root } from './tally.mjs';

/** Those besides Node 20 that much is tested on. */
export const VERSIONS = ['22', '24', '26'];

/** A Node of a major version: path of its binary. */
export function installNode(version) {
  const home = join(root, 'build-nodes', version);
  const binary = join(home, 'node_modules/node/bin/node');
  if (!existsSync(binary)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    run('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', `node@${version}`]);
  }
  return binary;
}
