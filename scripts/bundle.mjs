// Makes what users load of dist/ts: the API, the command line and the compiler's threads, a file each in dist/bundle. Node takes 0.4 ms for each module that it
// loads, and twice as long for an ES module that imports Node's own as for `require`. So these are CommonJS, loaded by ts/code_cache.ts, with an ES module in front of
// the API that has its names.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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
  'lower/module/signatures.js',
];
/** The same of Node's own modules. */
const LATE_BUILT_IN = ['child_process', 'os', 'tty', 'perf_hooks', 'v8'];
/** The same in the command line, beside which no JavaScript of a program's runs: what the API has ready before a program can change it. (`heddle run app.mjs` is run by the API's bundle.) */
const LATE_IN_CLI = ['source/errand_thread.js'];
/** What the command line has in place of a file, for the same reason. */
const INSTEAD_IN_CLI = { 'base/changes.js': 'export const changedIntrinsic = () => undefined;' };
/** In a bundle there is a `require`; to load Node's module for another takes a millisecond. */
const REQUIRE = 'exports.createRequire = () => require;';

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

const isLate = (path) => LATE_BUILT_IN.includes(path.slice('node:'.length));

/** Some of them (`node:wasi`) warn that they are new. */
function requireQuietly(path) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  const all = require(path);
  process.emitWarning = emitWarning;
  return all;
}

const namesOf = (path) => Object.keys(requireQuietly(path)).filter((name) => /^[A-Za-z]\w*$/.test(name) && name !== 'default');

const shape = (name) => ({
  name: 'shape',
  setup(build) {
    // What requires already says itself what it reads; a late one is required by what stands in for it.
    build.onResolve({ filter: /^node:/ }, ({ path, kind, namespace }) =>
      namespace === 'built-in' || (kind === 'require-call' && !isLate(path)) ? { path, external: true } : { path, namespace: 'built-in' },
    );
    build.onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({
      contents:
        path === 'node:module' && name !== 'heddle' ? REQUIRE : isLate(path) ? late(namesOf(path), path) : atOnce(namesOf(path), path),
    }));
    const isCli = name === 'cli';
    const files = new Set([...LATE, ...(isCli ? LATE_IN_CLI : [])].map((name) => join(ts, name)));
    build.onResolve({ filter: /^\./ }, ({ path, resolveDir, namespace }) => {
      const file = join(resolveDir, path);
      return namespace === 'file' && files.has(file) ? { path: file, namespace: 'late' } : undefined;
    });
    if (isCli) {
      for (const [path, contents] of Object.entries(INSTEAD_IN_CLI))
        build.onLoad({ filter: new RegExp(`/${path}$`) }, () => ({ contents }));
    }
    build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => {
      const names = [...readFileSync(path, 'utf8').matchAll(/^export (?:async )?(?:function\*?|class|const|let) (\w+)/gm)].map(
        (match) => match[1],
      );
      return { contents: late(names, path), resolveDir: root };
    });
  },
});

/** Writes a file so that who reads it meanwhile finds the old one or the new one. */
function replace(name, contents) {
  const path = join(root, 'dist', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}.new`, contents);
  renameSync(`${path}.${process.pid}.new`, path);
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
  const outputFiles = [];
  for (const [name, file] of Object.entries({ ...ENTRIES, code_cache: 'code_cache.js' })) {
    const built = await build({ ...options, entryPoints: { [name]: join(ts, file) }, plugins: [shape(name)] });
    outputFiles.push(...built.outputFiles);
  }
  const hashes = new Map();
  for (const { path, contents } of outputFiles) {
    const name = path.slice(join(root, 'dist/').length);
    replace(name, contents);
    hashes.set(name, createHash('sha256').update(contents).digest('hex'));
  }
  for (const name of Object.keys(ENTRIES)) {
    const file = `./bundle/${name}.cjs`;
    const last = name === 'compiler_thread' ? ', true' : '';
    const call = `load(require.resolve('${file}'), require, '${hashes.get(`bundle/${name}.cjs`)}'${last})`;
    replace(`${name}.cjs`, `module.exports = require('./bundle/code_cache.cjs').${call};\n`);
  }
  replace('typed.cjs', "module.exports = require('./heddle.cjs').typed;\n");
  for (const [name, file] of [
    ['heddle', 'index.js'],
    ['typed', 'typed/index.js'],
  ]) {
    // Not `import all from './heddle.cjs'`: Node would read all that file requires for the names of its exports.
    const names = Object.keys(await import(join(ts, file)));
    const lines = [
      "import { createRequire } from 'node:module';",
      `const all = createRequire(import.meta.url)('./${name}.cjs');`,
      ...names.map((each) => `export const ${each} = all.${each};`),
      '',
    ];
    replace(`${name}.mjs`, lines.join('\n'));
  }
  replace('register.cjs', "exports.V8 = require('./heddle.cjs').register();\n");
  const register = [
    "import { createRequire } from 'node:module';",
    "export const { V8 } = createRequire(import.meta.url)('./register.cjs');",
    '',
  ];
  replace('register.mjs', register.join('\n'));
  // For the command line: what ts/code_cache.ts loads has no `import()`.
  replace('import.cjs', 'module.exports = (specifier) => import(specifier);\n');
  replace(
    'register.d.ts',
    "/** V8's own `WebAssembly`: the global one is Heddle's from here on. */\nexport declare const V8: typeof WebAssembly;\n",
  );
  // What earlier builds made.
  rmSync(join(root, 'dist/cli'), { recursive: true, force: true });
}
