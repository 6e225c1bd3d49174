/**
 * Where things lie in an instance's context, behind the fixed head (`VMInstance`). The layout follows from the module's description and its handler
 * lists alone, so every worker computes the same one.
 *
 * | region | entry | bytes |
 * |---|---|---|
 * | importedFunctions | `VMFunction*` | 8 |
 * | tables | `VMTable*`, imported first | 8 |
 * | memories | `VMMemory*`, imported first | 8 |
 * | tags | `VMTag*`, imported first | 8 |
 * | types | canonical type id of each type index (u32) | 4 |
 * | globals | imported: address of the 16-byte cell; defined: the cell | 16 |
 * | asyncify | `VMAsyncify`, where the module imports asyncify | 64 |
 * | functions | `VMFunction` of each defined function, then of each imported experiment and of the tags it makes | 48 |
 * | handlers | `VMHandlers` blocks, one a distinct list | 16 + 8 (labels + switches + 1) |
 */
import {
  append,
  ceil,
  Dictionary,
  item,
  joinedLists,
  mapGet,
  mapHas,
  mapped,
  mapSet,
  mapValues,
  PlainError,
  typedLength,
  WrongRange,
} from '../../base/intrinsics.js';
import { VMAsyncify, VMFunction, VMHandlers, VMInstance } from '../../generated/abi.js';
import type { ModuleDescription } from '../../validate/description.js';
import { typeCount } from '../../validate/type_words.js';
import { usesAsyncify } from './asyncify.js';
import { experimentsOf, namedTagTypes } from './experiments.js';
import { type HandlerList, handlerKey } from './handlers.js';
import { type IndexSpaces, indexSpaces } from './spaces.js';

const POINTER = 8;
const GLOBAL = 16;

/** Equal entries that follow each other. */
export class Region {
  constructor(
    /** Offset of entry 0 in the context. */
    readonly offset: number,
    /** Number of entries. */
    readonly count: number,
    /** Bytes of one entry. */
    readonly stride: number,
  ) {}

  /** Offset of entry `index` in the context. */
  at(index: number): number {
    if (index < 0 || index >= this.count) throw new WrongRange(`entry ${index} of a region of ${this.count}`);
    return this.offset + index * this.stride;
  }

  /** Offset behind the last entry. */
  get end(): number {
    return this.offset + this.count * this.stride;
  }
}

/** A `VMHandlers` block: how to fill it when an instance is made. */
export interface HandlerBlock extends HandlerList {
  /** Offset in the context. The counts `labels.length` and `switches.length` go to the fields of that name (u32 each). */
  readonly offset: number;
  /**
   * Where a tag's address goes: offset in the context and tag index. The array behind the head, labels first, and, where there is a label
   * clause, `first_tag`. (Without label clauses `first_tag` stays 0: it is what `suspend` compares with, and a switch clause does not handle that.)
   */
  readonly tags: readonly { readonly offset: number; readonly tag: number }[];
}

/** A module's part of an instance's context. */
export interface ModuleLayout {
  readonly importedFunctions: Region;
  readonly tables: Region;
  readonly memories: Region;
  readonly tags: Region;
  readonly types: Region;
  /** 16 bytes each; the first `importedGlobals` hold the address of their cell. */
  readonly globals: Region;
  readonly importedGlobals: number;
  /** Offset of the `VMAsyncify`; -1 where there is none. */
  readonly asyncify: number;
  /** By index among the defined functions; the module's experiments (`experimentsOf`) follow, then what their tags are made like. */
  readonly functions: Region;
  readonly handlers: readonly HandlerBlock[];
  /** Offset of the block of a handler list; throws where the list was not collected. */
  handlerOffset(list: HandlerList): number;
  /** Bytes of the whole context, a multiple of 16. */
  readonly size: number;
}

const align = (offset: number, to: number): number => ceil(offset / to) * to;

function handlerBlock(list: HandlerList, offset: number): HandlerBlock {
  const array = offset + VMHandlers.$size;
  const tags = mapped(joinedLists(list.labels, list.switches), (tag, i) => ({ offset: array + POINTER * i, tag }));
  const first = list.labels[0];
  if (first !== undefined) append(tags, { offset: offset + VMHandlers.firstTag, tag: first });
  return { ...list, offset, tags };
}

/** Lays a module's instances out. `handlers` are its handler lists (`moduleHandlers`), none for a module without resume. */
export function moduleLayout(
  description: ModuleDescription,
  handlers: readonly HandlerList[] = [],
  spaces: IndexSpaces = indexSpaces(description),
): ModuleLayout {
  let offset: number = VMInstance.$size;
  const region = (count: number, stride: number, alignment = stride): Region => {
    const made = new Region(align(offset, alignment), count, stride);
    offset = made.end;
    return made;
  };
  const importedFunctions = region(spaces.importedFunctions, POINTER);
  const tables = region(spaces.tables.length, POINTER);
  const memories = region(spaces.memories.length, POINTER);
  const tags = region(spaces.tags.length, POINTER);
  const types = region(typeCount(description.types), 4);
  const globals = region(spaces.globals.length, GLOBAL);
  const asyncify = usesAsyncify(description) ? region(1, VMAsyncify.$size, 16).offset : -1;
  const experiments = experimentsOf(description);
  const count = typedLength(description.functions) + experiments.length + namedTagTypes(experiments).length;
  const functions = region(count, VMFunction.$size, 16);

  const blocks = new Dictionary<string, HandlerBlock>();
  for (let i = 0; i < handlers.length; i++) {
    const list = item(handlers, i);
    const key = handlerKey(list);
    if (mapHas(blocks, key)) continue;
    const block = handlerBlock(list, align(offset, 16));
    mapSet(blocks, key, block);
    offset = block.offset + VMHandlers.$size + POINTER * (list.labels.length + list.switches.length + 1);
  }
  return {
    importedFunctions,
    tables,
    memories,
    tags,
    types,
    globals,
    asyncify,
    importedGlobals: spaces.importedGlobals,
    functions,
    handlers: mapValues(blocks),
    handlerOffset(list) {
      const block = mapGet(blocks, handlerKey(list));
      if (block === undefined) throw new PlainError(`handler list (${handlerKey(list)}) was not collected before lowering`);
      return block.offset;
    },
    size: align(offset, 16),
  };
}
