/** `heddle validate`. */
import { validateModule } from '../../validate/validate.js';
import { loadModule } from '../load.js';
import { print } from '../report.js';
import { startQuickly } from '../tiering.js';

/** Says that a module is valid, or throws the reason with its offset. */
export function validateFile(file: string): number {
  startQuickly();
  validateModule(loadModule(file));
  print(`${file}: valid`);
  return 0;
}
