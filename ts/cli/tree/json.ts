/** A picture of fibers for programs: what `inspect` gives, and when it was. */
import type { Picture } from './picture.js';

/** The picture, JSON with a newline behind it: `moment`, `total` and `fibers`, each as `FiberInfo` describes it. */
export function jsonOf({ moment, tree }: Picture): string {
  return `${JSON.stringify({ moment, ...tree }, null, 2)}\n`;
}
