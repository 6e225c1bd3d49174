/** `heddle run`: a WASI program, or one export of any module. */
import { basename } from 'node:path';
import { Instance, Module, makeInstanceOf, moduleOfArtifact, wrapModule } from '../../api/web_assembly.js';
import { now } from '../../base/intrinsics.js';
import { readArtifactFile } from '../../compile/artifact.js';
import { isSealed } from '../../compile/container.js';
import { userKey } from '../../compile/user_key.js';
import { unknownImport, untrusted, usage } from '../../errors/catalog.js';
import { theEngine } from '../../instance/engine.js';
import type { ExportedFunction } from '../../instance/functions/callable.js';
import { CompiledModule } from '../../instance/module.js';
import { experimentName } from '../../lower/module/experiments.js';
import { Scheduler } from '../../schedule/scheduler.js';
import { located } from '../errors/place.js';
import { hintOptions } from '../hint.js';
import { type Call, callOf, invoke, noStart, runTasks } from '../invoke.js';
import { load } from '../load.js';
import { withProgress } from '../progress.js';
import { writing } from '../report.js';
import { type RunOptions, shadowOptions, stackOptions } from '../run_options.js';
import { runScript } from '../script.js';
import { writeStatistics } from '../statistics.js';
import { startQuickly } from '../tiering.js';
import { TimeLimit } from '../time_limit.js';
import { TreeFile } from '../tree/tree_file.js';
import { Wasi } from '../wasi.js';

/** Programs in JavaScript, which find Heddle's `WebAssembly` in V8's place. */
const SCRIPT = /\.[cm]?js$/;

/** Whether a file is one of those, by its name. */
export const isScript = (file: string): boolean => SCRIPT.test(file);

/** Runs a file; returns the exit status. */
export async function runFile(file: string, args: readonly string[], options: RunOptions): Promise<number> {
  writing.json = options.json === true;
  const limit = options.timeout === undefined ? undefined : new TimeLimit(options.timeout);
  if (isScript(file)) {
    if (limit !== undefined) throw usage('--timeout is for modules: a program in JavaScript has no such limit');
    return runScript(file, args);
  }
  startQuickly();
  const engine = theEngine();
  const stack = stackOptions(options);
  const { entryStackSize } = options;
  if (stack !== undefined || entryStackSize !== undefined) {
    engine.configure({ ...(stack !== undefined && { stack }), ...(entryStackSize !== undefined && { entryStackSize }) });
  }
  const tree = options.tree === undefined ? undefined : new TreeFile(engine, options.tree);
  let start = now();
  let status: number | undefined;
  try {
    const compiling = moduleOf(file, options);
    const module = await (limit === undefined ? compiling : limit.wait(compiling));
    start = now();
    status = await drawn(tree, () => runModule(module, file, args, options, limit));
    return status;
  } finally {
    if (args.length > 0 && status !== 0) hintOptions(args);
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
    try {
      const compiled = await withProgress(source.file, () => CompiledModule.compile(engine, source.bytes, given));
      compiled.call(basename(source.file));
      return wrapModule(compiled, false);
    } catch (error) {
      throw located(error, source);
    }
  }
  if (shadowStack !== undefined) throw usage('the options of the shadow stack are for modules, not for compiled files');
  if (trustCompiled !== true) requireSigned(source.file, source.bytes);
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

async function runModule(
  module: Module,
  file: string,
  args: readonly string[],
  options: RunOptions,
  limit: TimeLimit | undefined,
): Promise<number> {
  const imports = Module.imports(module);
  const names = options.invoke ?? [];
  if (names.length > 1 && args.length > 0) throw usage('functions that run as tasks take no arguments');
  // What may wait is ended only where it waits without the thread.
  const scheduler = names.length > 1 || (limit !== undefined && Wasi.isAskedFor(imports)) ? new Scheduler() : undefined;
  const wasi = await Wasi.forModule(imports, {
    args: [file, ...(names.length === 0 ? args : [])],
    dirs: options.dir ?? [],
    env: options.env ?? [],
    ...(scheduler && { turn: () => scheduler.yield() }),
  });
  const foreign = imports.find((i) => wasi?.imports[i.module] === undefined && experimentName(i) === undefined);
  if (foreign !== undefined) throw unknownImport(foreign.module, foreign.name);
  if (names.length === 0 && args.length > 0 && !imports.some(({ name }) => name === 'args_get')) hintOptions(args);
  const given = wasi?.imports ?? {};
  const { exports } = limit === undefined ? await makeInstanceOf(module, given) : limit.run(() => new Instance(module, given));
  if (scheduler !== undefined) {
    const calls = names.length === 0 ? [startCall(module, exports)] : names.map((name) => callOf(module, exports, name, args));
    const run = (): Promise<void> => runTasks(scheduler, exports, calls, limit);
    const whole = wasi === undefined ? run().then(() => 0) : wasi.runTasks(exports['memory'], run);
    return limit === undefined ? whole : limit.wait(whole);
  }
  const [name] = names;
  const entry = name === undefined ? startOf(module, exports) : (): void => invoke(callOf(module, exports, name, args));
  const all = (): void => initialize(exports, entry);
  const limited = limit === undefined ? all : (): void => limit.run(all);
  if (wasi !== undefined) return wasi.run(exports['memory'], limited);
  limited();
  return 0;
}

/** A library's `_initialize` comes before everything else. */
function initialize(exports: Instance['exports'], entry: () => void): void {
  const first: unknown = exports['_initialize'];
  if (typeof first === 'function') first();
  entry();
}

function startOf(module: Module, exports: Instance['exports']): () => void {
  const start: unknown = exports['_start'];
  if (typeof start === 'function') return () => void start();
  throw noStart(module);
}

/** The same as a task. */
function startCall(module: Module, exports: Instance['exports']): Call {
  startOf(module, exports);
  return { name: '_start', fn: exports['_start'] as ExportedFunction, params: [], results: [], args: [] };
}
