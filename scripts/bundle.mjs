// Makes what users load of dist/ts: the API, the command line and the compiler's threads, a file each in dist/bundle. Node takes 0.4 ms for each module that it
// loads, and twice as long for an ES module that imports Node's own as for `require`. So these are CommonJS, loaded by ts/code_cache.ts, with an ES module in front of
// the API that has its names.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { root } from './tally.mjs';

/** Bundles by name, and where each begins in dist/ts. */
const ENTRIES = { heddle: 'bundle.js', cli: 'cli/main.js', compiler_thread: 'compiler_thread.js' };

/** What a program needs only when it compiles something: made ready when something of it is first used. */
const LATE = [
  'base/node_digest.js',
  'compile/build_hash.js',
  'compile/pool.js',
  'compile/work.js',
  'compile/limits.js',
  'compile/perf_map.js',
  'lower/module/signatures.js',
];
/** The same of Node's own modules. */
const LATE_BUILT_IN = ['child_process', 'os', 'tty', 'perf_hooks', 'v8', 'zlib'];
/**
 * The same in the command line: what the API has ready before a program can change it (no JavaScript of a program's runs beside the command line: `heddle run app.mjs` is run by the API's bundle), and
 * what `heddle run` of a cached program has no use for. All that only late files use is a bundle of its own there, `cli_late`, which V8 does not read before it is needed.
 */
const LATE_IN_CLI = [
  'cli/json_line.js',
  'api/objects.js',
  'api/own_codegen.js',
  'compile/background.js',
  'compile/lazy.js',
  'compile/part.js',
  'compile/relocate.js',
  'compile/switches.js',
  'compile/user_key.js',
  'instance/inspect.js',
  'lower/lower.js',
  'schedule/scheduler.js',
  'source/errand_thread.js',
  'source/legacy_text.js',
  '../../codegen/dist/heddle_codegen.js',
  'cli/standard_input.js',
  'cli/wasi_tasks.js',
  'cli/command_line.js',
  'cli/errors/describe.js',
  'cli/errors/place.js',
  'cli/file_kind.js',
  'cli/hint.js',
  'cli/input.js',
  'cli/invoke.js',
  'cli/statistics.js',
  'cli/time_limit.js',
  'cli/script.js',
  'cli/tree/tree_file.js',
  ...['build', 'compile', 'doctor', 'inspect', 'validate', 'wast'].map((name) => `cli/commands/${name}.js`),
];
/** Of these, what a module from the cache needs as well. */
const CACHED_TOO = ['lower/module/signatures.js'];
/** What the command line has in place of a file, for the same reason. */
const INSTEAD_IN_CLI = { 'base/changes.js': 'export const changedIntrinsic = () => undefined;' };
/** In a bundle there is a `require`; to load Node's module for another takes a millisecond. */
const REQUIRE = 'export const createRequire = () => require;';

const require = createRequire(import.meta.url);
const ts = join(root, 'dist/ts');

/** A module that has the names of another, which is loaded when one of them is first read. */
function late(names, path) {
  const getters = names.map((name) => `get ${name}() { return load().${name}; }`);
  return `let all;\nconst load = () => (all ??= require(${JSON.stringify(path)}));\nmodule.exports = { ${getters.join(', ')} };`;
}

/** The same, loaded with what uses it. What nobody uses of it esbuild leaves out. */
function atOnce(names, path) {
  const constants = names.map((name) => `export const ${name} = /* @__PURE__ */ (() => all.${name})();`);
  return [`const all = require(${JSON.stringify(path)});`, 'export default all;', ...constants].join('\n');
}

/** Files of constants, which are written where they are used: to have them all takes longer than a cached start has. */
const CONSTANTS = ['generated/abi.js', 'generated/clif.js', 'lower/program/stream.js'];

/** Files without state of which `cli` uses a function or two: both bundles have them, and esbuild leaves out of each what it does not use. */
const TWICE = ['asyncify', 'handlers', 'stack_helpers', 'stack_pointer'].map((name) => `lower/module/${name}.js`);

/** A file's text with the numbers and strings of {@link CONSTANTS} in the place of their names. */
async function withConstants(path) {
  let text = readFileSync(path, 'utf8');
  const imported = [...text.matchAll(/^import { (.*) } from '(\.[^']+)';$/gm)];
  for (const [, list, from] of imported) {
    const file = join(dirname(path), from);
    if (!CONSTANTS.includes(nameOf(file))) continue;
    const all = await import(file);
    for (const entry of list.split(', ')) {
      const [name, here = name] = entry.split(' as ');
      text = text.replace(new RegExp(`(?<![\\w.$'"])${here}((?:\\.\\w+)+)`, 'g'), (use, path) => {
        const value = path
          .slice(1)
          .split('.')
          .reduce((object, key) => object?.[key], all[name]);
        return typeof value === 'number' || typeof value === 'string' ? `(${JSON.stringify(value)})` : use;
      });
    }
  }
  return text;
}

const isLate = (path, name) => LATE_BUILT_IN.includes(path.slice('node:'.length)) || (name === 'cli' && path === 'node:url');

/** Some of them (`node:wasi`) warn that they are new. */
function requireQuietly(path) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  const all = require(path);
  process.emitWarning = emitWarning;
  return all;
}

const namesOf = (path) => Object.keys(requireQuietly(path)).filter((name) => /^[A-Za-z]\w*$/.test(name) && name !== 'default');

/** What a file exports: `[kind, name]` of each. */
const declarationsOf = (path) =>
  [...readFileSync(path, 'utf8').matchAll(/^export (?:async )?(function|class|const|let)\*? (\w+)/gm)].map(([, kind, name]) => [
    kind,
    name,
  ]);
const exportsOf = (path) => declarationsOf(path).map(([, name]) => name);

const nameOf = (path) => relative(ts, path).replaceAll('\\', '/');

/** The functions of a late one of Node's, of which esbuild keeps what is used. */
function lateFunctions(path) {
  const all = requireQuietly(path);
  const names = namesOf(path).filter((name) => typeof all[name] === 'function');
  return names.map((name) => forward(name, `require(${JSON.stringify(path)})`)).join('\n');
}

/** Shape of a bundle. `others` resolves what one of the command line's two bundles has of the other. */
const shape = (name, others = () => undefined) => ({
  name: 'shape',
  setup(build) {
    // What requires already says itself what it reads; a late one is required by what stands in for it.
    build.onResolve({ filter: /^node:/ }, ({ path, kind, namespace }) =>
      namespace === 'built-in' || (kind === 'require-call' && !isLate(path, name))
        ? { path, external: true }
        : { path, namespace: 'built-in' },
    );
    build.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => {
      if (path === 'node:module' && name !== 'heddle') return { contents: REQUIRE };
      if (!isLate(path, name)) return { contents: atOnce(namesOf(path), path) };
      return { contents: name === 'cli' ? lateFunctions(path) : late(namesOf(path), path) };
    });
    const files = new Set(LATE.filter((file) => name !== 'cli' || !CACHED_TOO.includes(file)).map((file) => join(ts, file)));
    build.onResolve({ filter: /^\./ }, ({ path, resolveDir, namespace, importer }) => {
      const file = join(resolveDir, path);
      if (namespace !== 'file') return undefined;
      return others(file, path, importer) ?? (files.has(file) ? { path: file, namespace: 'late' } : undefined);
    });
    if (name.startsWith('cli')) {
      build.onLoad({ filter: /\/dist\/ts\/.*\.js$/, namespace: 'file' }, async ({ path }) => {
        const instead = INSTEAD_IN_CLI[nameOf(path)];
        return { contents: instead ?? (await withConstants(path)), loader: 'js' };
      });
    }
    build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({ contents: late(exportsOf(path), path), resolveDir: root }));
  },
});

/** What gets at what is late. The bundle's entry says how it is loaded. */
const LOADER = 'let files;\nexport const loader = {};\nexport const late = (name) => (files ??= loader.load())[name]();';

/** What a file imports of another, by the names there; undefined where it takes all there is. */
function namesImported(importer, path) {
  const names = [];
  const text = readFileSync(importer, 'utf8');
  if (text.includes(`import('${path}')`)) return undefined;
  for (const [, list, from] of text.matchAll(/^(?:import|export) (.*) from '([^']+)';$/gm)) {
    if (from !== path) continue;
    if (!/^\{.*\}$/.test(list)) return undefined;
    const given = list.slice(1, -1).split(',');
    names.push(...given.map((name) => name.trim().split(' as ')[0]).filter((name) => name !== ''));
  }
  return names;
}

/** A function, or a class of which `cli` only makes objects, in the place of one that is got when it is first called. Before that it costs nothing. */
function forward(name, all, isClass = false) {
  return `export function ${name}(...given) { return ${isClass ? `new (${all}.${name})` : `${all}.${name}`}(...given); }`;
}

/** A module that has the names of one in `cli_late`. */
async function inLate(path) {
  const all = `late(${JSON.stringify(nameOf(path))})`;
  const forwards = [];
  for (const [kind, name] of declarationsOf(path)) {
    // Where `cli` uses another thing than a function, esbuild says that it is not there.
    const isFunction = kind === 'function' || kind === 'class' || typeof (await import(path))[name] === 'function';
    if (isFunction) forwards.push(forward(name, all, kind === 'class'));
  }
  return ["import { late } from 'cli_late';", ...forwards].join('\n');
}

/** The entry of `cli`: gives `cli_late`, whose text has the hash, what both use, by the files that have it. */
function commandLineEntry(hash, shared) {
  const imports = [];
  const own = [];
  // In one order: esbuild asks in any, and the same sources are to give the same text.
  const files = [...shared.keys()].sort();
  for (const [i, file] of files.entries()) {
    const names = [...shared.get(file)].sort();
    imports.push(`import { ${names.map((name) => `${name} as ${name}_${i}`).join(', ')} } from ${JSON.stringify(file)};`);
    const getters = names.map((name) => `get ${name}() { return ${name}_${i}; }`);
    own.push(`${JSON.stringify(nameOf(file))}: () => ({ __esModule: true, ${getters.join(', ')} }),`);
  }
  return [
    "import { loader } from 'cli_late';",
    ...imports,
    `const own = () => ({ ${own.join('\n')} });`,
    'let shared;',
    'function from(name) { return (shared ??= own())[name]?.() ?? require(name); }',
    'loader.load = () => {',
    "const path = require.resolve('./bundle/cli_late.cjs');",
    `return require('./cli.cjs').loadKept(path, from, '${hash}') ?? require('./bundle/code_cache.cjs').load(path, from, '${hash}');`,
    '};',
    `export * from ${JSON.stringify(join(ts, ENTRIES.cli))};`,
  ].join('\n');
}

/** The command line's two bundles: `cli`, and `cli_late`, which `cli` loads when something of it is first used and gives what both use. */
async function commandLine(build, options) {
  const lateFiles = new Set([...LATE, ...LATE_IN_CLI].filter((file) => !CACHED_TOO.includes(file)).map((file) => join(ts, file)));
  const bundled = (name, contents) => ({
    ...options,
    stdin: { contents, resolveDir: root, loader: 'js' },
    outfile: join(root, `dist/bundle/${name}.cjs`),
    outdir: undefined,
  });
  const main = (hash, shared) => ({
    ...bundled('cli', commandLineEntry(hash, shared)),
    metafile: true,
    plugins: [
      {
        name: 'other',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^#codegen$/ }, () => ({ path: join(root, 'codegen/dist/heddle_codegen.js'), namespace: 'other' }));
          onResolve({ filter: /^cli_late$/ }, () => ({ path: 'cli_late', namespace: 'cli_late' }));
          onResolve({ filter: /^\.\/(bundle\/|cli\.cjs$)/ }, ({ path }) => ({ path, external: true }));
          onLoad({ filter: /.*/, namespace: 'other' }, async ({ path }) => ({ contents: await inLate(path), resolveDir: root }));
          onLoad({ filter: /.*/, namespace: 'cli_late' }, () => ({ contents: LOADER }));
        },
      },
      shape('cli', (file) => {
        if (lateFiles.has(file)) return { path: file, namespace: 'other' };
        return CONSTANTS.includes(nameOf(file)) ? { path: file, sideEffects: false } : undefined;
      }),
    ],
  });
  const { metafile } = await build(main('', new Map()));
  const early = new Set(Object.keys(metafile.inputs).map((path) => join(root, path)));
  for (const file of [...CONSTANTS, ...TWICE]) early.delete(join(ts, file));
  const shared = new Map();
  const entries = [...lateFiles].map((path) => `${JSON.stringify(nameOf(path))}: () => require(${JSON.stringify(path)}),`);
  const built = await build({
    ...bundled('cli_late', `module.exports = { ${entries.join('\n')} };`),
    supported: { 'dynamic-import': false },
    plugins: [
      shape('cli_late', (file, path, importer) => {
        if (lateFiles.has(file)) return { path: file };
        if (!early.has(file)) return undefined;
        if (!shared.has(file)) shared.set(file, new Set());
        for (const name of namesImported(importer, path) ?? exportsOf(file)) shared.get(file).add(name);
        return { path: nameOf(file), external: true };
      }),
    ],
  });
  const code = built.outputFiles.find(({ path }) => path.endsWith('.cjs'));
  return [...built.outputFiles, ...(await build(main(hashOf(code.contents), shared))).outputFiles];
}

const hashOf = (contents) => createHash('sha256').update(contents).digest('hex');

/** Writes a file so that who reads it meanwhile finds the old one or the new one. */
function replace(name, contents) {
  const path = join(root, 'dist', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}.new`, contents);
  renameSync(`${path}.${process.pid}.new`, path);
}

/** The command line's file: ts/quick_start.ts itself, for Node takes longer to load a second file than to compile it, and what else to do. */
async function quickStart(build, options, hash, usual) {
  const contents = [
    "import { loadKept } from './quick_start.js';",
    'exports.loadKept = loadKept;',
    `Object.assign(exports, loadKept(__dirname + '/bundle/cli.cjs', require, '${hash}') ?? ${usual});`,
  ].join('\n');
  const files = {
    name: 'files',
    setup: ({ onResolve }) => onResolve({ filter: /^\.\/bundle\// }, ({ path }) => ({ path, external: true })),
  };
  const stdin = { contents, resolveDir: ts, loader: 'js' };
  const { outputFiles } = await build({
    ...options,
    stdin,
    outfile: 'cli.cjs',
    outdir: undefined,
    sourcemap: false,
    plugins: [files, shape('cli_start')],
  });
  return outputFiles[0].text;
}

/** Bundles dist/ts. */
export async function bundle() {
  const { build } = await import('esbuild');
  const options = {
    outdir: join(root, 'dist/bundle'),
    outExtension: { '.js': '.cjs' },
    write: false,
    bundle: true,
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.url': '__filename' },
    logLevel: 'warning',
  };
  // What ts/code_cache.ts loads is a function, as Node makes one of each CommonJS file.
  const loaded = {
    ...options,
    banner: { js: '(function (exports, require, module, __filename, __dirname) {\n"use strict";' },
    footer: { js: '})' },
  };
  const { outputFiles } = await build({
    ...options,
    entryPoints: { code_cache: join(ts, 'code_cache.js') },
    plugins: [shape('code_cache')],
  });
  for (const [name, file] of Object.entries(ENTRIES)) {
    const entry = { ...loaded, entryPoints: { [name]: join(ts, file) }, plugins: [shape(name)] };
    outputFiles.push(...(name === 'cli' ? await commandLine(build, loaded) : (await build(entry)).outputFiles));
  }
  const hashes = new Map();
  for (const { path, contents } of outputFiles) {
    const name = path.slice(join(root, 'dist/').length);
    replace(name, contents);
    hashes.set(name, hashOf(contents));
  }
  for (const name of Object.keys(ENTRIES)) {
    const file = `./bundle/${name}.cjs`;
    const last = name === 'compiler_thread' ? ', true' : '';
    const call = `load(require.resolve('${file}'), require, '${hashes.get(`bundle/${name}.cjs`)}'${last})`;
    const usual = `require('./bundle/code_cache.cjs').${call}`;
    replace(
      `${name}.cjs`,
      name === 'cli' ? await quickStart(build, options, hashes.get('bundle/cli.cjs'), usual) : `module.exports = ${usual};\n`,
    );
  }
  for (const name of ['typed', 'testing']) replace(`${name}.cjs`, `module.exports = require('./heddle.cjs').${name};\n`);
  replace('register.cjs', "exports.V8 = require('./heddle.cjs').register();\n");
  const exported = async (file) => Object.keys(await import(join(ts, file)));
  for (const [name, names] of [
    ['heddle', await exported('index.js')],
    ['typed', await exported('typed/index.js')],
    ['testing', await exported('testing/index.js')],
    ['register', ['V8']],
  ]) {
    // Not `import all from './heddle.cjs'`: Node would read all that file requires for the names of its exports.
    const lines = [
      "import { createRequire } from 'node:module';",
      // A bundler that makes CommonJS leaves no `import.meta`, but there is a file name.
      'const require = createRequire(import.meta.url ?? __filename);',
      // In a bundle of a user's this file is somewhere else: the package is where the bundle finds it.
      'let all;',
      'try {',
      `  all = require('./${name}.cjs');`,
      '} catch (error) {',
      "  if (error.code !== 'MODULE_NOT_FOUND') throw error;",
      `  all = require('${name === 'heddle' ? name : `heddle/${name}`}');`,
      '}',
      ...names.map((each) => `export const ${each} = all.${each};`),
      '',
    ];
    replace(`${name}.mjs`, lines.join('\n'));
  }
  replace('script_thread.cjs', "void require('./cli.cjs').scriptThread();\n");
  // For the command line: what ts/code_cache.ts loads has no `import()`.
  replace('import.cjs', 'module.exports = (specifier) => import(specifier);\n');
  // What earlier builds made.
  rmSync(join(root, 'dist/cli'), { recursive: true, force: true });
  rmSync(join(root, 'dist/register.d.ts'), { force: true });
}
