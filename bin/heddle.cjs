#!/usr/bin/env node
const MAIN = '../dist/cli.cjs';

let main;
try {
  main = require(MAIN);
} catch (error) {
  if (require('node:fs').existsSync(`${__dirname}/${MAIN}`)) throw error;
}
if (main !== undefined) void main.run(process.argv.slice(2));
else {
  process.stderr.write('heddle: dist/ is missing: run `npm install` in the folder of heddle (HEDDLE_PLATFORM)\n');
  process.exitCode = 1;
}
