/** What a file is that is no module: a sentence for each kind that people take for one. */
import { isBinary } from '../source/bytes.js';

/** How files of other kinds begin. */
const MAGIC: readonly (readonly [bytes: readonly number[] | string, what: string])[] = [
  ['\x7fELF', 'is a native program or library (ELF), not WebAssembly'],
  ['MZ', 'is a Windows program (PE), not WebAssembly'],
  [[0xcf, 0xfa, 0xed, 0xfe], 'is a native program or library (Mach-O), not WebAssembly'],
  [[0xce, 0xfa, 0xed, 0xfe], 'is a native program or library (Mach-O), not WebAssembly'],
  [[0xca, 0xfe, 0xba, 0xbe], 'is a Java class or a native program (Mach-O), not WebAssembly'],
  ['!<arch>\n', 'is a library of object files (ar), not a module: a linker makes modules of it'],
  [[0x42, 0x43, 0xc0, 0xde], 'is LLVM bitcode, not a module: clang or llc makes one of it'],
  [[0x1f, 0x8b], 'is compressed (gzip): decompress it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed (zstd): decompress it first'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'is compressed (xz): decompress it first'],
  ['BZh', 'is compressed (bzip2): decompress it first'],
  ['PK\x03\x04', 'is a zip archive: unpack it first'],
];

/** What is said of components, binary or text. */
export function component(file: string): string {
  return `${file} is a component, not a module: Heddle runs the core modules that components are made of`;
}
const COMPONENT_LAYER = 1;
/** As much of a text as is looked at. */
const LOOK = 4096;

/** What the file is instead of a module, as a sentence with its name; undefined where nothing is known but that. */
export function kindOf(file: string, bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return `${file} is empty`;
  if (isBinary(bytes)) {
    if (bytes[6] === COMPONENT_LAYER && bytes[7] === 0) return component(file);
    return undefined;
  }
  const known = MAGIC.find(([magic]) => begins(bytes, magic));
  if (known !== undefined) return `${file} ${known[1]}`;
  const text = textOf(bytes.subarray(0, LOOK));
  if (text === undefined) return undefined;
  if (/^\s*<(!doctype|html|\?xml)/i.test(text))
    return `${file} is a web page or XML, not a module: was it downloaded from the right address?`;
  if (looksLikeJavaScript(text)) return `${file} looks like JavaScript: heddle run takes it if its name ends in .js, .mjs or .cjs`;
  if (text.startsWith('#!')) return `${file} is a script for another program, not a module`;
  return `${file} is text, but no module's: that begins with a parenthesis, as in (module`;
}

function begins(bytes: Uint8Array, magic: readonly number[] | string): boolean {
  const wanted = typeof magic === 'string' ? [...Buffer.from(magic, 'latin1')] : magic;
  return wanted.every((byte, i) => bytes[i] === byte);
}

/** The text, where it is some: UTF-8 without control characters. The last character may be cut. */
function textOf(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes).replace(/\ufffd$/, '');
  return /[^\P{Cc}\t\n\v\f\r]|\ufffd/u.test(text) ? undefined : text;
}

function looksLikeJavaScript(text: string): boolean {
  if (/^#!.*\bnode\b/.test(text)) return true;
  return /^\s*(['"]use strict['"]|(import|export)\b.*['"{*(]|(const|let|var)\s+[\w${[]|(async\s+)?function\b|class\s+\w+|module\.exports|require\(|console\.)/m.test(
    text,
  );
}
