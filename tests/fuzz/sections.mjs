// The sections of a module's bytes, and numbers as they are written there.

/** A number as bytes. */
export function leb(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return bytes;
  }
}

/** A number at `at`, and where it ends. */
export function readLeb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at };
  }
}

/** Sections with their identifiers: from `at` on, contents from `start` up to `end`. */
export function sections(bytes) {
  const found = [];
  for (let at = 8; at < bytes.length; ) {
    const size = readLeb(bytes, at + 1);
    const end = size.end + size.value;
    found.push({ id: bytes[at], at, start: size.end, end });
    at = end;
  }
  return found;
}
