// Runs every benchmark: `npm run bench`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

for (const name of [
  'pairs',
  'inline',
  'switch',
  'switch_cpp',
  'throw',
  'kernels',
  'gofmt',
  'compile',
  'coldstart',
  'cold',
  'call',
  'objects',
  'trees',
  'kotlin',
  'suspend',
  'collect',
  'million',
  'churn',
  'turns',
  'tasks',
  'strategies',
  'snapshots',
  'uses',
  'go',
]) {
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`${name}.mjs`, import.meta.url))], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  console.log();
}
