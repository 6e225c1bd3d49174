/** A remark on options that stand behind FILE, where they are the program's. */
import { Command } from 'commander';
import { note, writing } from './report.js';
import { addRunOptions } from './run_table.js';

let said = false;

/** Says which of a program's arguments are options of `heddle run`. The caller knows that the program has failed, or sees no arguments. */
export function hintOptions(args: readonly string[]): void {
  if (said || writing.json) return;
  const known = new Set(addRunOptions(new Command()).options.flatMap(({ long }) => long ?? []));
  const meant = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length).filter((arg) => known.has(arg.replace(/=.*/s, '')));
  if (meant.length === 0) return;
  said = true;
  const one = meant.length === 1;
  note(
    `${meant.join(', ')} ${one ? 'stands' : 'stand'} behind FILE, so ${one ? 'it goes' : 'they go'} to the program: heddle's own options come before FILE`,
  );
}
