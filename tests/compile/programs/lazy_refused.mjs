// Where files may not grow the system gives no memory for code that grows. Prints JSON.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

if (process.argv[2] === undefined) {
  // Beyond the limit, in blocks of 512 bytes, a file that grows ends the process by a signal.
  const command = 'ulimit -f 64 && exec "$@"';
  const args = ['-c', command, 'sh', process.execPath, fileURLToPath(import.meta.url), 'limited'];
  const { status, signal, stdout, stderr } = spawnSync('/bin/sh', args, { encoding: 'utf8', env: { ...process.env, HEDDLE_CACHE: 'off' } });
  if (status !== 0) throw new Error(`ended by ${signal ?? status}: ${stderr}`);
  process.stdout.write(stdout);
} else {
  const { parseWat, statistics, WebAssembly } = await import('../../../dist/heddle.mjs');
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(parseWat('(module (func (export "f") (result i32) (i32.const 42)))')),
  );
  const before = statistics().codeBytes;
  const result = exports.f();
  console.log(JSON.stringify({ result, added: statistics().codeBytes - before }));
}
