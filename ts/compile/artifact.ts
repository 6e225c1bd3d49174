/**
 * An artifact: a module as machine code, with everything that is needed to link and instantiate it without looking at the module again. The code is
 * position-independent; its first `STUB.size` bytes are room for the stubs that the loader puts there.
 *
 * A file of it (`heddle compile -o`, and what the cache stores as payload): a header as in container.ts, then
 * `[u32 length of JSON][JSON][sections, each at a multiple of 16 bytes]`. The code comes last and begins at a page of the file, so that it can be
 * run where it lies.
 */
import { equalBytes } from '../base/digest.js';
import { badArtifact } from '../errors/catalog.js';
import type { HandlerList } from '../lower/module/handlers.js';
import type { StackPointer } from '../lower/module/stack_pointer.js';
import type { DescriptionJson, ModuleDescription } from '../validate/description.js';
import type { ModuleNames } from '../validate/validate.js';
import { HEADER, isContainer, pack, unpack } from './container.js';
import { ARTIFACT_FORMAT, type ArtifactKey, keyHash, type Target } from './settings.js';

/** Where code lies, to be mapped. */
export interface CodeFile {
  readonly path: string;
  /** Offset of the table of traps: a row of their number, then they. Code ends there. */
  readonly traps: number;
}

/** A compiled module. */
export interface Artifact {
  readonly key: ArtifactKey;
  readonly description: ModuleDescription;
  readonly names: ModuleNames;
  /** The module's handler lists: with the description they decide an instance's layout (`moduleLayout`). */
  readonly handlers: readonly HandlerList[];
  /** Which global is the shadow stack's pointer. */
  readonly stackPointer: StackPointer;
  /** Machine code, relocated; see above. */
  readonly code: Uint8Array;
  /** A file that holds the code and the traps instead, which are then empty. Not stored. */
  readonly codeFile?: CodeFile;
  /** [number, offset, size]*, by offset. Numbers are those of `moduleSignatures`: WebAssembly functions, then trampolines. */
  readonly functions: Int32Array;
  /** Offset of every function number in the code; -1 for an imported function, which has none. */
  readonly offsets: Int32Array;
  /** [offset, trap code]*, by offset */
  readonly traps: Int32Array;
  /** [offset, location or -1]*, start of each range, by offset. A location is a byte offset in the module, or as in lower/locations.ts. */
  readonly sources: Int32Array;
  /** The rows that locations of inlined operators name: [function index, byte offset, location of the call]* */
  readonly inlined: Int32Array;
  /** The scopes that calls name: as in lower/scopes.ts. */
  readonly scopes: Int32Array;
  /** contract/formats.md, section 6; by return offset */
  readonly calls: Int32Array;
  /** contract/formats.md, section 6; by return offset */
  readonly stackMaps: Int32Array;
  /** The module itself, in files that stand alone. Data segments and custom sections are ranges of it. */
  readonly module?: Uint8Array;
}

/** Typed arrays of an artifact, in the order in which they are stored. */
const ARRAYS = ['functions', 'offsets', 'traps', 'sources', 'calls', 'stackMaps', 'inlined', 'scopes'] as const;
const DESCRIPTION_ARRAYS = ['types', 'functions', 'bodies', 'elements', 'data'] as const;
const ALIGNMENT = 16;
/** The largest pages that systems have. */
const PAGE: Readonly<Record<Target, number>> = { x64: 4096, arm64: 65_536 };

interface Header {
  readonly key: ArtifactKey;
  readonly description: DescriptionJson;
  readonly names: {
    readonly module: string | null;
    readonly functions: readonly (readonly [index: number, name: string])[];
    readonly tags: readonly (readonly [index: number, name: string])[];
  };
  readonly handlers: readonly HandlerList[];
  readonly stackPointer: StackPointer;
  /** Byte lengths. */
  readonly sections: readonly number[];
}

/** The stored form, in pieces to be written one after another; `module` is the module's bytes where the file is to stand alone. */
export function serializeArtifact(artifact: Artifact, module?: Uint8Array): Uint8Array[] {
  const { types, functions, bodies, elements, data, ...description } = artifact.description;
  const arrays = [...ARRAYS.map((name) => artifact[name]), types, functions, bodies, elements, data];
  const sections = [...arrays.map(bytesOf), module ?? new Uint8Array(0), artifact.code];
  const header: Header = {
    key: artifact.key,
    description,
    names: { module: artifact.names.module, functions: [...artifact.names.functions], tags: [...artifact.names.tags] },
    handlers: artifact.handlers,
    stackPointer: artifact.stackPointer,
    sections: sections.map((section) => section.length),
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = new Uint8Array(Uint32Array.of(json.length).buffer);
  const tables = sections.slice(0, -1).flatMap((section) => [section, padding(section.length)]);
  const before = [length, json, padding(4 + json.length), ...tables];
  const size = before.reduce((sum, piece) => sum + piece.length, 0);
  return [...before, new Uint8Array(codeStart(size, artifact.key.settings.target) - size), artifact.code];
}

/** Where the code begins in a payload, behind `size` bytes of other things. */
function codeStart(size: number, target: Target): number {
  const page = PAGE[target];
  return Math.ceil((HEADER + size) / page) * page - HEADER;
}

/**
 * The artifact in a payload that {@link serializeArtifact} made. The payload's hash was checked, so what it holds is what was written; its arrays stay
 * views of it. Undefined where the format is another version's.
 */
export function deserializeArtifact(payload: Uint8Array): Artifact | undefined {
  const length = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0, true);
  const header = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset + 4, length).toString()) as Header;
  if (header.key.format !== ARTIFACT_FORMAT) return undefined;
  let at = aligned(4 + length);
  const sections = header.sections.map((size, i) => {
    if (i === header.sections.length - 1) at = codeStart(at, header.key.settings.target);
    const section = payload.subarray(at, at + size);
    at += aligned(size);
    return section;
  });
  const section = (i: number): Uint8Array => sections[i] ?? new Uint8Array(0);
  const signed = (i: number): Int32Array => new Int32Array(section(i).buffer, section(i).byteOffset, section(i).length / 4);
  const unsigned = (i: number): Uint32Array => new Uint32Array(section(i).buffer, section(i).byteOffset, section(i).length / 4);
  const first = ARRAYS.length;
  const module = section(first + DESCRIPTION_ARRAYS.length);
  return {
    key: header.key,
    names: { module: header.names.module, functions: new Map(header.names.functions), tags: new Map(header.names.tags) },
    handlers: header.handlers,
    stackPointer: header.stackPointer,
    description: {
      ...header.description,
      types: unsigned(first),
      functions: unsigned(first + 1),
      bodies: unsigned(first + 2),
      elements: unsigned(first + 3),
      data: unsigned(first + 4),
    },
    functions: signed(0),
    offsets: signed(1),
    traps: signed(2),
    sources: signed(3),
    calls: signed(4),
    stackMaps: signed(5),
    inlined: signed(6),
    scopes: signed(7),
    code: section(first + DESCRIPTION_ARRAYS.length + 1),
    ...(module.length > 0 && { module }),
  };
}

/** Whether an artifact is, as it says of itself, that of a key's hash. */
export function hasKey({ key }: Artifact, hash: Uint8Array): boolean {
  try {
    return equalBytes(keyHash(key), hash);
  } catch {
    return false; // It says nothing of the kind.
  }
}

/** A file that stands alone, sealed where there is a secret. */
export function artifactFile(artifact: Artifact, module: Uint8Array, secret?: Uint8Array): Uint8Array[] {
  return pack(keyHash(artifact.key), serializeArtifact(artifact, module), secret);
}

/** Whether bytes begin as {@link artifactFile} does. */
export function isArtifactFile(bytes: Uint8Array): boolean {
  return isContainer(bytes);
}

/** Reads a file that {@link artifactFile} made; a CompileError where it is damaged or another version's. */
export function readArtifactFile(bytes: Uint8Array): Artifact & { readonly module: Uint8Array } {
  const content = unpack(bytes);
  if (content === undefined) throw badArtifact('it is damaged: its hash is not that of its contents');
  const artifact = parsed(content.payload);
  const module = artifact?.module;
  if (artifact === undefined || module === undefined) throw badArtifact('another version of heddle made it');
  if (!hasKey(artifact, content.key)) throw badArtifact('it is not the module that its header names');
  return { ...artifact, module };
}

/** {@link deserializeArtifact} of what anybody may have written. */
function parsed(payload: Uint8Array): Artifact | undefined {
  try {
    return deserializeArtifact(payload);
  } catch (error) {
    throw badArtifact(`it is none: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function bytesOf(array: Int32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function aligned(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

function padding(size: number): Uint8Array {
  return new Uint8Array(aligned(size) - size);
}
