/**
 * The index spaces of a module: imported entities first, then the defined ones.
 */
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

/** Reads the index spaces out of a module's description. */
export function indexSpaces(description: ModuleDescription): IndexSpaces {
  const functions: number[] = [];
  const tables: TableType[] = [];
  const memories: MemoryDescription[] = [];
  const globals: GlobalType[] = [];
  const tags: number[] = [];
  for (const entry of description.imports) {
    if (entry.kind === 'func') functions.push(entry.type);
    else if (entry.kind === 'table') tables.push(entry);
    else if (entry.kind === 'memory') memories.push(entry);
    else if (entry.kind === 'global') globals.push(entry);
    else tags.push(entry.type);
  }
  const importedFunctions = functions.length;
  const importedGlobals = globals.length;
  for (const type of description.functions) functions.push(type);
  return {
    functions,
    importedFunctions,
    tables: [...tables, ...description.tables],
    memories: [...memories, ...description.memories],
    globals: [...globals, ...description.globals],
    importedGlobals,
    tags: [...tags, ...description.tags],
  };
}
