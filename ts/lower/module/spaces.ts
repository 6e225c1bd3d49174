/**
 * The index spaces of a module: imported entities first, then the defined ones.
 */
import { append, item, joinedLists, typedLength, weakGet, weakSet } from '../../base/intrinsics.js';
import type { GlobalType, MemoryDescription, ModuleDescription, TableType } from '../../validate/description.js';

/** Every index space of a module, with the number of imported entries at its front. */
export interface IndexSpaces {
  /** Type index of each function. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  readonly tables: readonly TableType[];
  readonly memories: readonly MemoryDescription[];
  readonly globals: readonly GlobalType[];
  readonly importedGlobals: number;
  /** Type index of each tag. */
  readonly tags: readonly number[];
}

const known = new WeakMap<ModuleDescription, IndexSpaces>();

/** Reads the index spaces out of a module's description, once. */
export function indexSpaces(description: ModuleDescription): IndexSpaces {
  let spaces = weakGet(known, description);
  if (spaces === undefined) {
    spaces = readSpaces(description);
    weakSet(known, description, spaces);
  }
  return spaces;
}

function readSpaces(description: ModuleDescription): IndexSpaces {
  const functions: number[] = [];
  const tables: TableType[] = [];
  const memories: MemoryDescription[] = [];
  const globals: GlobalType[] = [];
  const tags: number[] = [];
  for (let i = 0; i < description.imports.length; i++) {
    const entry = item(description.imports, i);
    if (entry.kind === 'func') append(functions, entry.type);
    else if (entry.kind === 'table') append(tables, entry);
    else if (entry.kind === 'memory') append(memories, entry);
    else if (entry.kind === 'global') append(globals, entry);
    else append(tags, entry.type);
  }
  const importedFunctions = functions.length;
  const importedGlobals = globals.length;
  const count = typedLength(description.functions);
  for (let i = 0; i < count; i++) append(functions, description.functions[i] as number);
  return {
    functions,
    importedFunctions,
    tables: joinedLists(tables, description.tables),
    memories: joinedLists(memories, description.memories),
    globals: joinedLists(globals, description.globals),
    importedGlobals,
    tags: joinedLists(tags, description.tags),
  };
}
