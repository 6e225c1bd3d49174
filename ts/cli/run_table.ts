/** The options of `heddle run` as commander reads them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LIMIT } from '../generated/abi.js';
import { GUARDS, STRATEGIES } from '../link/native_options.js';

/** A number with an optional suffix K, M or G, for 2^10, 2^20, 2^30. */
function bytes(text: string): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a number, such as 65536 or 64K.');
  const value = Number(match[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf((match[2] ?? '').toLowerCase());
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It is larger than anything can be.');
  return value;
}

/** The same, of which less than `least` makes no sense. */
function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = bytes(text);
    if (value < least) throw new InvalidArgumentError(`It must be at least ${least}.`);
    return value;
  };
}

/** A time, which may have a fraction. */
function milliseconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number of milliseconds above 0.');
  return value;
}

/** An index, where it is one; else a name. */
const indexOrName = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

function twoNames(text: string): { readonly allocate: string; readonly free: string } {
  const [allocate = '', free = '', ...more] = text.split(',');
  if (allocate === '' || free === '' || more.length > 0) throw new InvalidArgumentError('It must be two names, such as malloc,free.');
  return { allocate, free };
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** The option `--json`, which several commands have. */
export const jsonOption = (): Option => new Option('--json', 'print results and errors as JSON, a line each');

/** Gives a command these options. */
export function addRunOptions(run: Command): Command {
  return run
    .option('--invoke <name>', 'call this export and print its results, one a line (repeatable: they run as tasks, at once)', collect)
    .option('--dir <host[::guest]>', 'let the program see a folder (repeatable)', collect)
    .option('--env <name[=value]>', 'set or pass on an environment variable (repeatable)', collect)
    .option('--no-interruptible', 'compile loops without the check that lets them be stopped')
    .option('--trust-compiled', "run a compiled file that this user's heddle did not make; it is native code")
    .option(
      '--tree <file>',
      'draw the fibers (.svg, .html, .txt, .json) at the end, at a trap, and in NAME.1.svg and so on at each SIGUSR2',
    )
    .addOption(jsonOption())
    .option('--timeout <milliseconds>', 'end the run after this time, wherever it is, with status 124', milliseconds)
    .option('--stats', 'print counters and times to stderr')
    .addOption(new Option('--stack-strategy <name>', 'where stacks come from').choices(STRATEGIES))
    .addOption(new Option('--stack-guard <kind>', 'what lies below a stack').choices(GUARDS))
    .option('--stack-size <bytes>', "what a continuation's frames may take", atLeast(LIMIT.stackLeast))
    .option('--stacks <count>', 'continuations that may have stacks at a time', atLeast(1))
    .option('--stack-memory <bytes>', 'what all their stacks may commit', atLeast(LIMIT.stackLeast))
    .option('--stack-warm <bytes>', 'what unused stacks may keep for reuse', bytes)
    .option('--stack-budget <bytes>', 'what stacks may commit before suspended ones hibernate', bytes)
    .option('--entry-stack-size <bytes>', "what the frames of a call that is no continuation's may take", atLeast(LIMIT.stackLeast))
    .option('--shadow-stack-pointer <global>', "the global that is the stack pointer of C's stack: its index, export or name", indexOrName)
    .option('--shadow-stack-size <bytes>', 'what each call besides the first may use of it', bytes)
    .option('--shadow-stack-low <address>', 'its lowest address', bytes)
    .option('--shadow-stack-allocator <allocate,free>', 'the two exports that its parts come from', twoNames)
    .option('--shadow-stack-move', 'what a call has on it is moved away while it waits: unsafe where imports write there late')
    .option('--no-shadow-stack', 'calls that wait share one part of it');
}
