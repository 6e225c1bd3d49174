#!/usr/bin/env node
// `npm start` in a clone: runs examples/odds.wat; `npm start -- run FILE` and the like is the command line. (`npx
// heddle` would install the clone into npm's cache first, which builds all of it again.)
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
if (args.length === 0) args.push('run', join(root, 'examples/odds.wat'));
// npm runs scripts in the package's folder; file names are meant from where the user is.
else if (process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD);
process.argv = [process.argv[0], join(root, 'bin/heddle.cjs'), ...args];
await import('../bin/heddle.cjs');
