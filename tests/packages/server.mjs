// A small server whose WebAssembly waits, in a project of its own, for bundlers.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BODY = `async function serve() {
  const price = new WebAssembly.Suspending(async (n) => n * 2);
  const { instance } = await WebAssembly.instantiate(
    parseWat(\`(module (import "env" "price" (func $p (param i32) (result i32)))
      (func (export "total") (param i32) (result i32) (i32.add (call $p (local.get 0)) (i32.const 1))))\`),
    { env: { price } },
  );
  const total = WebAssembly.promising(instance.exports.total);
  const server = createServer(async (_, response) => response.end(String(await total(20))));
  server.listen(0, async () => {
    console.log(await (await fetch(\`http://localhost:\${server.address().port}\`)).text());
    server.close();
  });
}
`;
const IMPORTS = `import { createServer } from 'node:http';
import { parseWat, WebAssembly } from 'heddle';
`;

/**
 * A folder where `heddle` is installed, with the server: as `server.mjs`, which waits before it exports anything, as `start.mjs`, which does not, and as `server.cjs`. It answers what Heddle makes of
 * 20: 41, and prints that.
 */
export function bundlerProject() {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bundlers-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(folder, 'node_modules/heddle'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'server.mjs'), `${IMPORTS}${BODY}await serve();\n`);
  writeFileSync(join(folder, 'start.mjs'), `${IMPORTS}${BODY}void serve();\n`);
  const required = "const { createServer } = require('node:http');\nconst { parseWat, WebAssembly } = require('heddle');\n";
  writeFileSync(join(folder, 'server.cjs'), `${required}${BODY}void serve();\n`);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
