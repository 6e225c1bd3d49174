#!/usr/bin/env node
// Compiles the code generator with itself, for this machine: dist/codegen/. Everything works without it, but a first compile takes longer.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/ts/api/own_codegen.js');
if (!existsSync(built) && process.argv.includes('--if-built')) process.exit(0); // A clone: `prepare` builds TypeScript first.
if (!existsSync(built)) {
  console.error('dist/ is missing: run `npm run build`');
  process.exit(1);
}
const start = performance.now();
try {
  const { buildOwnCodegen } = await import(built);
  if (await buildOwnCodegen())
    console.log(`heddle: compiled the code generator with itself in ${((performance.now() - start) / 1000).toFixed(1)} s`);
} catch (error) {
  // Nothing needs it, so an installation does not fail for it.
  console.error(`heddle: the code generator was not compiled with itself: ${error instanceof Error ? error.message : error}`);
}
process.exit(0);
