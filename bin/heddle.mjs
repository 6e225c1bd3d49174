#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
} else {
  process.stderr.write('heddle: dist/ is missing: run `npm install` in the folder of heddle (HEDDLE_PLATFORM)\n');
  process.exitCode = 1;
}
