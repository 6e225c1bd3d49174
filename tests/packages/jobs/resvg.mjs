import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

await initWasm(readFileSync(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')));
let shapes = '';
for (let i = 0; i < 240; i++) {
  shapes += `<circle cx="${(i * 37) % 400}" cy="${(i * 91) % 300}" r="${5 + (i % 40)}" fill="rgb(${i * 4},${255 - i * 4},128)" opacity="0.6"/>`;
  shapes += `<path d="M${i * 6} 0 C ${i} 100 ${400 - i} 200 ${400 - i * 6} 300" stroke="url(#g)" fill="none" stroke-width="2"/>`;
}
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><defs><linearGradient id="g">
<stop offset="0" stop-color="red"/><stop offset="1" stop-color="blue"/></linearGradient></defs>${shapes}</svg>`;
const png = new Resvg(svg).render().asPng();
console.log(png.length, createHash('sha256').update(png).digest('hex'));
