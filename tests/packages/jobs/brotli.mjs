import { createRequire } from 'node:module';

// Its ES module asks `fetch` for a file.
const brotli = createRequire(import.meta.url)('brotli-wasm');

let text = '';
for (let i = 0; i < 2000; i++) text += `line ${i} of ${(i * 7919) % 1000}, and what else there is\n`;
const bytes = new TextEncoder().encode(text);
const compressed = brotli.compress(bytes, { quality: 9 });
const back = brotli.decompress(compressed);
console.log(bytes.length, compressed.length, Buffer.compare(bytes, back));
