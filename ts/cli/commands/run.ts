/** `heddle run`: a WASI program, or one export of any module. */
import { basename } from 'node:path';
import { compiledOf, type Instance, Module, makeInstanceOf, moduleOfArtifact, wrapModule } from '../../api/web_assembly.js';
import { now } from '../../base/intrinsics.js';
import { readArtifactFile } from '../../compile/artifact.js';
import { isSealed } from '../../compile/container.js';
import { userKey } from '../../compile/user_key.js';
import { unknownExport, unknownImport, untrusted, usage, wrongArgument } from '../../errors/catalog.js';
import { type EngineStatistics, theEngine } from '../../instance/engine.js';
import type { ExportedFunction } from '../../instance/functions/callable.js';
import { CompiledModule } from '../../instance/module.js';
import type { ShadowStackOptions } from '../../instance/shadow.js';
import type { StackUsage } from '../../link/native.js';
import type { GUARDS, STRATEGIES, StackOptions } from '../../link/native_options.js';
import { experimentName } from '../../lower/module/experiments.js';
import { indexSpaces } from '../../lower/module/spaces.js';
import { Scheduler } from '../../schedule/scheduler.js';
import type { ValueType } from '../../validate/description.js';
import { typeAt } from '../../validate/type_words.js';
import { load } from '../load.js';
import { output, print } from '../report.js';
import { runScript } from '../script.js';
import { startQuickly } from '../tiering.js';
import { TreeFile } from '../tree/tree_file.js';
import { parseValue, showValue } from '../values.js';
import { Wasi } from '../wasi.js';

/** Options of `heddle run`. */
export interface RunOptions {
  /** Exports to call: several are tasks. */
  readonly invoke?: readonly string[];
  readonly stats?: boolean;
  readonly tree?: string;
  readonly dir?: readonly string[];
  readonly env?: readonly string[];
  readonly interruptible: boolean;
  /** A compiled file runs whoever made it. */
  readonly trustCompiled?: boolean;
  readonly stackStrategy?: (typeof STRATEGIES)[number];
  readonly stackGuard?: (typeof GUARDS)[number];
  readonly stackSize?: number;
  readonly stacks?: number;
  readonly stackMemory?: number;
  readonly stackWarm?: number;
  readonly stackBudget?: number;
  readonly entryStackSize?: number;
  readonly shadowStack: boolean;
  readonly shadowStackPointer?: number | string;
  readonly shadowStackSize?: number;
  readonly shadowStackLow?: number;
  readonly shadowStackAllocator?: { readonly allocate: string; readonly free: string };
}

/** The options that say how stacks are made; undefined where none was given. */
function stackOptions(options: RunOptions): StackOptions | undefined {
  return someOf({
    strategy: options.stackStrategy,
    guard: options.stackGuard,
    size: options.stackSize,
    maximum: options.stacks,
    memory: options.stackMemory,
    warm: options.stackWarm,
    budget: options.stackBudget,
  });
}

/** The option `shadowStack` of the module; undefined where nothing of it was given. */
function shadowOptions(options: RunOptions): ShadowStackOptions | false | undefined {
  const given = someOf({
    pointer: options.shadowStackPointer,
    size: options.shadowStackSize,
    low: options.shadowStackLow,
    allocator: options.shadowStackAllocator,
  });
  if (options.shadowStack) return given;
  if (given !== undefined) throw usage('--no-shadow-stack leaves nothing for the other options of the shadow stack to say');
  return false;
}

/** What was given of some options; undefined where nothing was. */
function someOf(options: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** Programs in JavaScript, which find Heddle's `WebAssembly` in V8's place. */
const SCRIPT = /\.[cm]?js$/;

/** Runs a file; returns the exit status. */
export async function runFile(file: string, args: readonly string[], options: RunOptions): Promise<number> {
  if (SCRIPT.test(file)) return runScript(file, args);
  startQuickly();
  const engine = theEngine();
  const stack = stackOptions(options);
  const { entryStackSize } = options;
  if (stack !== undefined || entryStackSize !== undefined) {
    engine.configure({ ...(stack !== undefined && { stack }), ...(entryStackSize !== undefined && { entryStackSize }) });
  }
  const tree = options.tree === undefined ? undefined : new TreeFile(engine, options.tree);
  let start = now();
  try {
    const module = await moduleOf(file, options);
    start = now();
    return await drawn(tree, () => runModule(module, file, args, options));
  } finally {
    if (options.stats) writeStatistics({ ...engine.statistics(), ...engine.stackUsage() }, now() - start);
  }
}

/** Runs something with pictures of its fibers. */
async function drawn(tree: TreeFile | undefined, run: () => Promise<number>): Promise<number> {
  if (tree === undefined) return run();
  tree.begin();
  let status: number;
  try {
    status = await run();
  } catch (error) {
    tree.failed(error);
    throw error;
  }
  tree.end();
  return status;
}

async function moduleOf(file: string, options: RunOptions): Promise<Module> {
  const { interruptible, trustCompiled } = options;
  const shadowStack = shadowOptions(options);
  const source = load(file);
  const engine = theEngine();
  if (source.kind === 'module') {
    const given = { interruptible, ...(shadowStack !== undefined && { shadowStack }) };
    const compiled = await CompiledModule.compile(engine, source.bytes, given);
    compiled.call(basename(file));
    return wrapModule(compiled);
  }
  if (shadowStack !== undefined) throw usage('the options of the shadow stack are for modules, not for compiled files');
  if (trustCompiled !== true) requireSigned(file, source.bytes);
  const artifact = readArtifactFile(source.bytes);
  return moduleOfArtifact(artifact.module, artifact);
}

/** Throws an error with code HEDDLE_UNTRUSTED for a compiled file that this user's Heddle did not write. */
function requireSigned(file: string, bytes: Uint8Array): void {
  const user = userKey(false);
  if ('key' in user && isSealed(bytes, user.key)) return;
  const why = 'key' in user ? '' : ` (${user.reason})`;
  throw untrusted(`${file} is native code that this user's heddle has not signed${why}: with --trust-compiled it runs all the same`);
}

async function runModule(module: Module, file: string, args: readonly string[], options: RunOptions): Promise<number> {
  const imports = Module.imports(module);
  const names = options.invoke ?? [];
  if (names.length > 1 && args.length > 0) throw usage('functions that run as tasks take no arguments');
  const scheduler = names.length > 1 ? new Scheduler() : undefined;
  const wasi = await Wasi.forModule(imports, {
    args: [file, ...(names.length === 0 ? args : [])],
    dirs: options.dir ?? [],
    env: options.env ?? [],
    ...(scheduler && { turn: () => scheduler.yield() }),
  });
  const foreign = imports.find((i) => wasi?.imports[i.module] === undefined && experimentName(i) === undefined);
  if (foreign !== undefined) throw unknownImport(foreign.module, foreign.name);
  const instance = await makeInstanceOf(module, wasi?.imports ?? {});
  const { exports } = instance;
  if (scheduler !== undefined) {
    const functions = names.map((name) => exported(module, exports, name, 0));
    const run = (): Promise<void> => runTasks(scheduler, exports, functions, names);
    if (wasi !== undefined) return await wasi.runTasks(exports['memory'], run);
    await run();
    return 0;
  }
  const [name] = names;
  const entry = name === undefined ? startOf(exports) : (): void => invoke(module, exports, name, args);
  if (wasi !== undefined) return wasi.run(exports['memory'], () => initialize(exports, entry));
  initialize(exports, entry);
  return 0;
}

/** A library's `_initialize` comes before everything else. */
function initialize(exports: Instance['exports'], entry: () => void): void {
  const first: unknown = exports['_initialize'];
  if (typeof first === 'function') first();
  entry();
}

function startOf(exports: Instance['exports']): () => void {
  const start: unknown = exports['_start'];
  if (typeof start === 'function') return () => void start();
  const names = Object.keys(exports).filter((name) => typeof exports[name] === 'function');
  throw unknownExport(
    `the module exports no _start: name a function with --invoke${names.length > 0 ? ` (${names.slice(0, 8).join(', ')})` : ''}`,
  );
}

/** Calls functions at once; each prints its results when it ends. The first failure is the whole's. */
async function runTasks(
  scheduler: Scheduler,
  exports: Instance['exports'],
  functions: readonly ExportedFunction[],
  names: readonly string[],
): Promise<void> {
  const first: unknown = exports['_initialize'];
  if (typeof first === 'function') await scheduler.spawn(first as ExportedFunction).promise;
  const spawn = (fn: ExportedFunction, name = ''): Promise<unknown> => scheduler.spawn(fn, [], { name }).promise;
  await Promise.all(functions.map(async (fn, i) => printResults(await spawn(fn, names[i]))));
}

function invoke(module: Module, exports: Instance['exports'], name: string, args: readonly string[]): void {
  const fn = exported(module, exports, name, args.length);
  const params = parameters(module, name);
  // spread: as many as a function has params
  printResults(fn(...params.map((type, i) => parseValue(args[i] ?? '', type))));
}

/** An exported function that takes so many arguments. */
function exported(module: Module, exports: Instance['exports'], name: string, args: number): ExportedFunction {
  const fn: unknown = exports[name];
  if (typeof fn !== 'function') {
    const names = Object.keys(exports).filter((key) => typeof exports[key] === 'function');
    throw unknownExport(`the module exports no function ${name}${names.length > 0 ? `, but ${names.slice(0, 8).join(', ')}` : ''}`);
  }
  const { length } = parameters(module, name);
  if (args !== length) throw wrongArgument(`${name} takes ${length} ${length === 1 ? 'argument' : 'arguments'}, ${args} given`);
  return fn as ExportedFunction;
}

function printResults(result: unknown): void {
  const results = result === undefined ? [] : Array.isArray(result) ? (result as unknown[]) : [result];
  for (const value of results) print(showValue(value));
}

/** Parameter types of an exported function. */
function parameters(module: Module, name: string): readonly ValueType[] {
  const compiled = compiledOf(module);
  const index = compiled.description.exports.find((e) => e.kind === 'func' && e.name === name)?.index ?? -1;
  const type = typeAt(compiled.description.types, indexSpaces(compiled.description).functions[index] ?? -1);
  if (type?.kind !== 'func') throw unknownExport(`the module exports no function ${name}`);
  return type.params;
}

function writeStatistics(counters: EngineStatistics & StackUsage, runTime: number): void {
  const rows: [string, string | number][] = [
    ['switches', counters.switches],
    ['continuations made', counters.continuationsMade],
    ['continuations live', counters.continuationsLive],
    ['continuations suspended', counters.continuationsSuspended],
    ['stacks live', counters.stacksLive],
    ['stacks hibernated', counters.stacksHibernated],
    ['stacks pooled', counters.stacksPooled],
    ['stacks peak', counters.stacksPeak],
    ['stack bytes reserved', counters.stackBytesReserved],
    ['stack bytes resident', counters.stackBytesResident],
    ['stack bytes high water', counters.stackBytesHighWater],
    ['continuations collected', counters.continuationsCollected],
    ['collections', counters.collections],
    ['last pause ms', (counters.lastPauseNanoseconds / 1e6).toFixed(3)],
    ['longest pause ms', (counters.longestPauseNanoseconds / 1e6).toFixed(3)],
    ['code bytes', counters.codeBytes],
    ['compile ms', counters.compileMilliseconds.toFixed(1)],
    ['run ms', runTime.toFixed(1)],
  ];
  output('stderr', rows.map(([name, value]) => `${name}: ${value}\n`).join(''));
}
