#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const main = join(__dirname, '../dist/cli.cjs');
if (existsSync(main)) void require(main).run(process.argv.slice(2));
else {
  process.stderr.write('heddle: dist/ is missing: run `npm install` in the folder of heddle (HEDDLE_PLATFORM)\n');
  process.exitCode = 1;
}
