/** The command line as commander reads it: wiring only. Each command's code is loaded when the command runs. */
import { Command, CommanderError, Option } from 'commander';
import { packageVersion } from '../compile/settings.js';
import { usage } from '../errors/catalog.js';
import { completionScript, SHELLS } from './completion.js';
import { isThere } from './load.js';
import { didYouMean } from './nearest.js';
import { EXIT, output, writing } from './report.js';
import { addRunOptions, jsonOption } from './run_table.js';

const STATUSES = `
Exit status:
  0    done
  1    a file, module, import, argument or assertion is wrong
  2    the command line is wrong
  124  the run took longer than --timeout says
  134  WebAssembly trapped
  A WASI program that calls proc_exit decides its own.`;

/** Runs a command line without the program's name; its errors are as main.ts has them. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  // Until a command has read its options, any such word may be one of them.
  writing.json = args.includes('--json');
  const line = meant(args);
  try {
    await program().parseAsync(line, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error.exitCode === 0 || SAID.has(error.code)) return;
    throw usage(
      error.message
        .replace(/^error: /, '')
        .trim()
        .replace(/\s*\n\s*/g, ' '),
    );
  }
}

/** Errors of commander's that it has answered with help. */
const SAID = new Set(['commander.help', 'commander.helpDisplayed']);

/** Options that come before a command, or in place of one. */
const ALONE = new Set(['-h', '--help', '-V', '-v', '--version', '--completion']);

/** The arguments as commander knows them: a file in place of a command is run. Throws an error for what is neither. */
function meant(args: readonly string[]): string[] {
  const [first, second] = args;
  if (first === undefined) return [];
  if (first === '-v' || first === 'version') return ['--version'];
  const commands = commandNames();
  if (first === 'help' && second !== undefined && !second.startsWith('-') && !commands.includes(second))
    throw usage(`there is no command ${second}${didYouMean(second, commands)}`);
  if (commands.includes(first)) return [...args];
  if (first.startsWith('-')) {
    if (ALONE.has(first.replace(/=.*/s, ''))) return [...args];
    const word = args.find((arg) => !arg.startsWith('-'));
    if (word !== undefined && commands.includes(word) && !isThere(word))
      throw usage(`options come behind the command: heddle ${word} ${first}`);
    return ['run', ...args];
  }
  if (isThere(first)) return ['run', ...args];
  throw usage(`there is no command ${first}, and no such file${didYouMean(first, commands)}`);
}

const finish = async (status: number | Promise<number>): Promise<void> => {
  process.exitCode = await status;
};

/** Names of all commands. */
function commandNames(): string[] {
  return [...program().commands.map((command) => command.name()), 'help'];
}

/** The command line, as a table: help and completion are made of it. */
export function program(): Command {
  const heddle = new Command('heddle')
    .description('Runs WebAssembly with stack switching on native stacks.')
    .usage('[options] [command]\n       heddle [options of run] FILE [args...]')
    .version(packageVersion(), '-V, --version', 'print the version (also -v, and the command version)')
    .addOption(new Option('--completion <shell>', 'print a script that completes command lines').choices(SHELLS))
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('afterAll', STATUSES)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output('stdout', text),
      writeErr: (text) => output('stderr', text),
      // The error is thrown as well.
      outputError: () => undefined,
    });
  heddle.on('option:completion', (shell: string) => {
    output('stdout', completionScript(heddle, shell));
    throw new CommanderError(EXIT.ok, 'heddle.completion', '');
  });
  for (const add of [runCommand, validateCommand, inspectCommand, compileCommand, wastCommand, doctorCommand, buildCommand]) add(heddle);
  return heddle;
}

function runCommand(heddle: Command): void {
  const run = heddle
    .command('run')
    .summary('run a program')
    .description(
      'Runs a WASI program, or with --invoke one export. FILE is a module, its text, or what `heddle compile` wrote; - is standard input.',
    )
    .argument('<file>', 'the module')
    .argument('[args...]', "the program's arguments, or those of the invoked function");
  addRunOptions(run)
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
    .addOption(jsonOption())
    .action((file, options) => finish(import('./commands/validate.js').then((c) => c.validateFile(file, options))));
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
    .addOption(jsonOption())
    .action((files, options) => finish(import('./commands/wast.js').then((c) => c.runScripts(files, options))));
}

function doctorCommand(heddle: Command): void {
  heddle
    .command('doctor')
    .summary('print what Heddle finds here')
    .description('Prints CPU, kernel, how stacks are guarded and why, limits, and where compiled code is cached.')
    .addOption(jsonOption())
    .action((options) => finish(import('./commands/doctor.js').then((c) => c.doctor(options))));
}

function buildCommand(heddle: Command): void {
  heddle
    .command('build')
    .summary('build the addon here')
    .description('Builds the addon and compiles the code generator, in the package itself: for machines that no prebuilt package is for.')
    .action(() => finish(import('./commands/build.js').then((c) => c.build())));
}
