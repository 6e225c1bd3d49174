/** The command line as commander reads it: wiring only. Each command's code is loaded when the command runs. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { packageVersion } from '../compile/settings.js';
import { GUARDS, STRATEGIES } from '../link/native_options.js';
import { EXIT, output } from './report.js';

const STATUSES = `
Exit status:
  0    done
  1    a file, module, import, argument or assertion is wrong
  2    the command line is wrong
  134  WebAssembly trapped
  A WASI program that calls proc_exit decides its own.`;

/** A number with an optional suffix K, M or G, for 2^10, 2^20, 2^30. */
function bytes(text: string): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a number, such as 65536 or 64K.');
  return Number(match[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf((match[2] ?? '').toLowerCase());
}

/** An index, where it is one; else a name. */
const indexOrName = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

function twoNames(text: string): { readonly allocate: string; readonly free: string } {
  const [allocate = '', free = '', ...more] = text.split(',');
  if (allocate === '' || free === '' || more.length > 0) throw new InvalidArgumentError('It must be two names, such as malloc,free.');
  return { allocate, free };
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Runs a command line without the program's name; its errors are as main.ts has them. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

const finish = async (status: Promise<number>): Promise<void> => {
  process.exitCode = await status;
};

function program(): Command {
  const heddle = new Command('heddle')
    .description('Runs WebAssembly with stack switching on native stacks.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('afterAll', STATUSES)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output('stdout', text),
      writeErr: (text) => output('stderr', text),
      outputError: (text, write) =>
        write(
          `heddle: ${text
            .replace(/^error: /, '')
            .trim()
            .replace(/\s*\n\s*/g, ' ')} (HEDDLE_USAGE)\n`,
        ),
    });
  for (const add of [runCommand, validateCommand, inspectCommand, compileCommand, wastCommand, doctorCommand, buildCommand]) add(heddle);
  return heddle;
}

function runCommand(heddle: Command): void {
  heddle
    .command('run')
    .summary('run a program')
    .description('Runs a WASI program, or with --invoke one export. FILE is a module, its text, or what `heddle compile` wrote.')
    .argument('<file>', 'the module')
    .argument('[args...]', "the program's arguments, or those of the invoked function")
    .option('--invoke <name>', 'call this export and print its results, one a line (repeatable: they run as tasks, at once)', collect)
    .option('--dir <host[::guest]>', 'let the program see a folder (repeatable)', collect)
    .option('--env <name[=value]>', 'set or pass on an environment variable (repeatable)', collect)
    .option('--no-interruptible', 'compile loops without the check that lets them be stopped')
    .option('--trust-compiled', "run a compiled file that this user's heddle did not make; it is native code")
    .option(
      '--tree <file>',
      'draw the fibers (.svg, .html, .txt, .json) at the end, at a trap, and in NAME.1.svg and so on at each SIGUSR2',
    )
    .option('--stats', 'print counters and times to stderr')
    .addOption(new Option('--stack-strategy <name>', 'where stacks come from').choices(STRATEGIES))
    .addOption(new Option('--stack-guard <kind>', 'what lies below a stack').choices(GUARDS))
    .option('--stack-size <bytes>', "what a continuation's frames may take", bytes)
    .option('--stacks <count>', 'continuations that may have stacks at a time', bytes)
    .option('--stack-memory <bytes>', 'what all their stacks may commit', bytes)
    .option('--stack-warm <bytes>', 'what unused stacks may keep for reuse', bytes)
    .option('--stack-budget <bytes>', 'what stacks may commit before suspended ones hibernate', bytes)
    .option('--entry-stack-size <bytes>', "what the frames of a call that is no continuation's may take", bytes)
    .option('--shadow-stack-pointer <global>', "the global that is the stack pointer of C's stack: its index, export or name", indexOrName)
    .option('--shadow-stack-size <bytes>', 'what each call besides the first may use of it', bytes)
    .option('--shadow-stack-low <address>', 'its lowest address', bytes)
    .option('--shadow-stack-allocator <allocate,free>', 'the two exports that its parts come from', twoNames)
    .option('--no-shadow-stack', 'calls that wait share one part of it')
    .addHelpText(
      'after',
      "\nOptions come before FILE; what follows it is the program's.\n\n  heddle run --invoke sum examples/generator.wat 10\n  heddle run --invoke reader --invoke clock program.wasm",
    )
    .passThroughOptions()
    .action((file, args, options) => finish(import('./commands/run.js').then((c) => c.runFile(file, args, options))));
}

function validateCommand(heddle: Command): void {
  heddle
    .command('validate')
    .summary('check a module')
    .description('Says whether a module is valid, or where and why not.')
    .argument('<file>', 'the module, or its text')
    .action((file) => finish(import('./commands/validate.js').then((c) => c.validateFile(file))));
}

function inspectCommand(heddle: Command): void {
  heddle
    .command('inspect')
    .summary('print what a module is, or becomes')
    .description('Prints imports, exports and sizes; or its functions as operators, as Cranelift IR, or as machine code.')
    .argument('<file>', 'the module, or its text')
    .addOption(new Option('--ops', 'operators, as the lowering reads them').conflicts(['clif', 'asm']))
    .addOption(new Option('--clif', "Cranelift's intermediate form").conflicts(['ops', 'asm']))
    .addOption(new Option('--asm', 'machine code').conflicts(['ops', 'clif']))
    .option('--function <n>', 'only this function: an index or a name')
    .addOption(new Option('--target <isa>', 'for another machine').choices(['x86_64', 'aarch64']))
    .action((file, options) => finish(import('./commands/inspect.js').then((c) => c.inspectFile(file, options))));
}

function compileCommand(heddle: Command): void {
  heddle
    .command('compile')
    .summary('compile to a file')
    .description(
      "Writes machine code that `heddle run` starts without compiling. The file is signed with a key of this user's; from others, or from another machine, it is run with --trust-compiled only.",
    )
    .argument('<file>', 'the module, or its text')
    .requiredOption('-o, --output <file>', 'where to write')
    .addOption(new Option('--target <isa>', 'for any CPU of this kind, instead of this very one').choices(['x86_64', 'aarch64']))
    .option('--checked', 'check every memory access, for memories without guard pages')
    .option('--no-interruptible', 'compile loops without the check that lets them be stopped')
    .action((file, options) => finish(import('./commands/compile.js').then((c) => c.compileFile(file, options))));
}

function wastCommand(heddle: Command): void {
  heddle
    .command('wast')
    .summary("run scripts of the specification's format")
    .description('Runs scripts, a line for each, then `N passed, N failed` counted in assertions.')
    .argument('<files...>', 'the scripts')
    .action((files) => finish(import('./commands/wast.js').then((c) => c.runScripts(files))));
}

function doctorCommand(heddle: Command): void {
  heddle
    .command('doctor')
    .summary('print what Heddle finds here')
    .description('Prints CPU, kernel, how stacks are guarded and why, limits, and where compiled code is cached.')
    .action(() => finish(import('./commands/doctor.js').then((c) => c.doctor())));
}

function buildCommand(heddle: Command): void {
  heddle
    .command('build')
    .summary('build the addon here')
    .description('Builds the addon and compiles the code generator, in the package itself: for machines that no prebuilt package is for.')
    .action(() => finish(import('./commands/build.js').then((c) => c.build())));
}
