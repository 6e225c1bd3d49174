/** Whether compiler threads may find the code generator compiled by itself (ts/api/own_codegen.ts makes and loads it). */
import { existsSync } from 'node:fs';
import { packagePath } from '../source/package_root.js';

/** `there`: a file is; `off`: HEDDLE_CODEGEN=v8; `none`: not built. */
export type OwnCodegen = 'there' | 'off' | 'none';

/** Where the artifact lies: beside the built package, and as trusted as the addon. Its code is a file of its own, to be mapped. */
export function ownCodegenFile(part: 'artifact' | 'code'): string {
  return packagePath(`dist/codegen/${process.arch}.${part}`);
}

export function ownCodegenState(): OwnCodegen {
  if (process.env['HEDDLE_CODEGEN'] === 'v8') return 'off';
  return existsSync(ownCodegenFile('artifact')) ? 'there' : 'none';
}
