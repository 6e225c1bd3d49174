/**
 * The declarations as users have them: a strict program without the DOM library compiles against them, every public name has a text for who points at it, and publint and
 * Are The Types Wrong find nothing in the packed package. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const consumer = fileURLToPath(new URL('consumer', import.meta.url));

function run(command: string, args: readonly string[], cwd = root): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  return { status, text: stdout + stderr };
}

describe('a strict program without the DOM library compiles', () => {
  test.each(['node16', 'nodenext', 'bundler'])('under %s', (resolution) => {
    const result = run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(consumer, `tsconfig.${resolution}.json`),
    ]);
    expect(result).toEqual({ status: 0, text: '' });
  });
});

describe('the packed package', () => {
  let folder = '';
  let packed = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-types-'));
    const { text } = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]);
    packed = join(folder, text.trim().split('\n').at(-1) ?? '');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('publint finds nothing', () => {
    const result = run(join(root, 'node_modules/.bin/publint'), ['run', packed, '--strict']);
    expect(result).toMatchObject({ status: 0, text: expect.stringContaining('All good') });
  });

  test('Are The Types Wrong finds nothing', () => {
    // Node 10's resolution knows no `exports`: it finds only the package's main file, and no Node that Heddle runs on uses it.
    const result = run(join(root, 'node_modules/.bin/attw'), [packed, '--profile', 'node16', '--no-emoji', '--format', 'json']);
    expect(result.status, result.text).toBe(0);
    expect(JSON.parse(result.text)).toMatchObject({ analysis: { types: { kind: 'included' } } });
  });
});

describe('a text for who points at it has', () => {
  const names = ['heddle', 'typed', 'testing', 'register'].map((name) => join(root, `dist/${name}.d.mts`));
  const program = ts.createProgram(names, { module: ts.ModuleKind.NodeNext, lib: ['lib.es2023.d.ts'], types: ['node'], noEmit: true });
  const checker = program.getTypeChecker();

  /** Names of Heddle's own declarations without one. */
  function undocumented(symbol: ts.Symbol, name: string, seen: Set<ts.Symbol>): string[] {
    const target = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
    if (seen.has(target)) return [];
    seen.add(target);
    const declarations = target.declarations ?? [];
    if (!declarations.some((one) => one.getSourceFile().fileName.startsWith(join(root, 'dist')))) return [];
    const isPrivate = declarations.some((one) => (ts.getCombinedModifierFlags(one) & ts.ModifierFlags.Private) !== 0);
    if (isPrivate || target.name === '__constructor' || target.name === '#private' || target.name === 'prototype') return [];
    const own = target.getDocumentationComment(checker).length === 0 ? [name] : [];
    const inside = [...(target.members?.values() ?? []), ...(target.exports?.values() ?? [])];
    for (const one of declarations) {
      // The type of a constant, written where it is.
      if (ts.isVariableDeclaration(one)) inside.push(...checker.getTypeAtLocation(one).getProperties());
    }
    return [
      ...own,
      ...inside
        .filter((member) => (member.flags & (ts.SymbolFlags.TypeParameter | ts.SymbolFlags.Constructor | ts.SymbolFlags.Signature)) === 0)
        .flatMap((member) => undocumented(member, `${name}.${member.name}`, seen)),
    ];
  }

  test.each(names)('everything that %s exports', (file) => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    const exported = module === undefined ? [] : checker.getExportsOfModule(module);
    const known: Readonly<Record<string, string>> = { heddle: 'WebAssembly', typed: 'coroutine', testing: 'explore', register: 'V8' };
    expect(exported.map(({ name }) => name)).toContain(known[basename(file, '.d.mts')]);
    expect(exported.flatMap((symbol) => undocumented(symbol, symbol.name, new Set()))).toEqual([]);
  });
});
