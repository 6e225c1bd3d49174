/** Whether compiler threads may find the code generator compiled by itself (ts/api/own_codegen.ts makes and loads it). */
import { existsSync } from 'node:fs';
import { packagePath } from '../source/package_root.js';
import { platformPath } from '../source/platform_package.js';

/** `there`: a file is; `off`: HEDDLE_CODEGEN=v8; `none`: not built. */
export type OwnCodegen = 'there' | 'off' | 'none';

/** The two files, and what they were compiled for. */
export interface OwnCodegenFiles {
  readonly artifact: string;
  /** The artifact's code is a file of its own, to be mapped. */
  readonly code: string;
  /** For any CPU of the instruction set that is not too old (`baselineFeatures`), instead of this very one. */
  readonly portable: boolean;
}

/** The files in a folder. */
export function ownCodegenFiles(folder: string, target: string, portable: boolean): OwnCodegenFiles {
  return { artifact: `${folder}/${target}.artifact`, code: `${folder}/${target}.code`, portable };
}

/** Where they are made for this machine: beside the built package, and as trusted as the addon. */
export function builtOwnCodegen(): OwnCodegenFiles {
  return ownCodegenFiles(packagePath('dist/codegen'), process.arch, false);
}

/** Those made here, else those of the package for this kind of machine; undefined where neither is. */
export function foundOwnCodegen(): OwnCodegenFiles | undefined {
  const built = builtOwnCodegen();
  if (existsSync(built.artifact)) return built;
  const folder = platformPath('codegen');
  const prebuilt = folder === undefined ? undefined : ownCodegenFiles(folder, process.arch, true);
  return prebuilt !== undefined && existsSync(prebuilt.artifact) ? prebuilt : undefined;
}

export function ownCodegenState(): OwnCodegen {
  if (process.env['HEDDLE_CODEGEN'] === 'v8') return 'off';
  return foundOwnCodegen() === undefined ? 'none' : 'there';
}
