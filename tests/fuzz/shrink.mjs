// Smaller randomness that shows a difference, too: the generator makes smaller modules of it.

/** Shrinks bytes while `fails` holds: cuts pieces out, then makes bytes zero. `attempts` bounds the work. */
export function shrink(bytes, fails, attempts = 600) {
  let best = bytes;
  let left = attempts;
  const attempt = (candidate) => {
    if (left-- <= 0 || !fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.length / 2); size >= 1 && left > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && left > 0; ) {
      const cut = new Uint8Array(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]));
      if (!attempt(cut)) at += size;
    }
  }
  for (let size = Math.ceil(best.length / 4); size >= 1 && left > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && left > 0; at += size) {
      if (best.subarray(at, at + size).every((byte) => byte === 0)) continue;
      attempt(best.slice().fill(0, at, at + size));
    }
  }
  return best;
}
