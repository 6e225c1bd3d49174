import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const sharp = createRequire(import.meta.url)('sharp');
const pixels = Buffer.alloc(64 * 48 * 3, 0);
for (let i = 0; i < pixels.length; i++) pixels[i] = (i * 31) & 255;
const png = await sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } })
  .resize(32, 24)
  .rotate(90)
  .png()
  .toBuffer();
const { width, height } = await sharp(png).metadata();
console.log(
  width,
  height,
  createHash('sha256')
    .update(await sharp(png).raw().toBuffer())
    .digest('hex'),
);
process.exit(0);
