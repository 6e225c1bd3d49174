/** `heddle build`: makes here what a package for this kind of machine would have: the addon, and the code generator's machine code. */
import { spawnSync } from 'node:child_process';
import { buildOwnCodegen } from '../../api/own_codegen.js';
import { packagePath } from '../../source/package_root.js';
import { EXIT, print } from '../report.js';

/** Builds what is not up to date. The script says what is missing for it, and what the compiler says. */
export async function build(): Promise<number> {
  const { status } = spawnSync(process.execPath, [packagePath('scripts/build_native.mjs')], { stdio: 'inherit' });
  if (status !== 0) return EXIT.failed;
  if (await buildOwnCodegen()) print('heddle: compiled the code generator with itself');
  return EXIT.ok;
}
