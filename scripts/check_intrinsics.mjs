#!/usr/bin/env node
// Checks that the code which decides where WebAssembly reads and writes, and what the cache holds, asks nothing that a program may have patched since Heddle was loaded
// (docs/decisions/0021). In the files below functions use what ts/base/intrinsics.ts captured, not a global, a method that a prototype has, an import of Node's, or an iterator. Code that runs while
// its file is loaded may. Allowed besides is what a comment `// asks: why` is at, on the line or the one before: mostly what the specification has the caller's own object asked.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Folders and files under ts/ that are checked. */
export const captured = [
  'base',
  'errors',
  'link',
  'source/bytes.ts',
  'source/options.ts',
  'validate/registry.ts',
  'validate/type_words.ts',
  'validate/word_hash.ts',
  'lower/function/locations.ts',
  'lower/module/experiments.ts',
  'lower/module/handlers.ts',
  'lower/module/layout.ts',
  'lower/module/signatures.ts',
  'lower/module/spaces.ts',
  'lower/module/stack_choice.ts',
  'lower/program/types.ts',
  'compile/settings.ts',
  'compile/elsewhere.ts',
  'instance',
  'schedule',
  'api',
];

/** Files of these that run in the compiler's own threads and in the install step, or when a program asks for a picture: what they make is no code. */
const besides = new Set(['base/intrinsics.ts', 'api/own_codegen.ts']);

/** Names that no program can change. */
const constant = new Set(['undefined', 'NaN', 'Infinity', 'arguments']);

/** Whether a declaration is JavaScript's or Node's own. */
const isForeign = (declaration) =>
  /\/node_modules\/(typescript\/lib|@types\/node|undici-types)\//.test(declaration.getSourceFile().fileName);

/** Whether a node runs only while its file is loaded. */
function runsAtLoad(node) {
  for (let child = node, parent = node.parent; parent !== undefined; child = parent, parent = parent.parent) {
    if (child === parent.name) continue; // A computed name is of the class around.
    if (ts.isFunctionLike(parent)) return false;
    if (ts.isPropertyDeclaration(parent) && !parent.modifiers?.some((one) => one.kind === ts.SyntaxKind.StaticKeyword)) return false;
  }
  return true;
}

/** Whether an identifier is asked for its value. */
function isUse(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isQualifiedName(parent) || ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false;
  if (parent.name === node && !ts.isShorthandPropertyAssignment(parent)) return false;
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false;
  return !(ts.isLabeledStatement(parent) || ts.isJsxAttribute?.(parent) || ts.isTypeNode(parent) || ts.isTypeQueryNode(parent));
}

/** Whether a node gives something a value. */
function isAssignment(node) {
  if (!ts.isBinaryExpression(node)) return false;
  const { kind } = node.operatorToken;
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** What is wrong with a file: the node and why. */
function* faultsOf(source, checker) {
  /** The declarations of what a name stands for, behind the import. */
  const declarationsOf = (symbol) => {
    if (symbol === undefined) return [];
    const target = (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;
    return target.declarations ?? [];
  };
  const isForeignSymbol = (symbol) => {
    const declarations = declarationsOf(symbol);
    return declarations.length > 0 && declarations.every(isForeign);
  };
  /** Whether a property is an object's own, or one that cannot be changed. */
  const isOwn = (type, name) => {
    if (name !== 'length') return false;
    if (type.symbol?.name === 'IArguments') return true;
    const parts = type.isUnion() ? type.types : [type];
    return parts.every((part) => checker.isArrayType(part) || checker.isTupleType(part) || (part.flags & ts.TypeFlags.StringLike) !== 0);
  };
  const isList = (type) => (type.isUnion() ? type.types : [type]).some((part) => checker.isArrayType(part) || checker.isTupleType(part));
  const propertyFault = (type, name) => {
    const bare = checker.getNonNullableType(type);
    const symbol = checker.getPropertyOfType(checker.getApparentType(bare), name);
    return symbol !== undefined && isForeignSymbol(symbol) && !isOwn(bare, name);
  };
  const iterates = (node) =>
    (ts.isForOfStatement(node) && 'for-of') ||
    (ts.isSpreadElement(node) && 'a spread') ||
    (ts.isArrayBindingPattern(node) && 'destructuring') ||
    (ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
      ts.isArrayLiteralExpression(node.left) &&
      'destructuring') ||
    (ts.isYieldExpression(node) && node.asteriskToken !== undefined && 'yield*');

  const fills = (node) =>
    ts.isNewExpression(node) &&
    ['Dictionary', 'Collection', 'WeakDictionary'].includes(node.expression.getText()) &&
    (node.arguments?.length ?? 0) > 0 &&
    'a collection of a list';

  function* visit(node) {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isImportDeclaration(node)) return;
    if (!runsAtLoad(node)) {
      const iteration = iterates(node) || fills(node);
      if (iteration) yield [node, `${iteration} asks for an iterator`];
      if (ts.isPropertyAccessExpression(node) && !(ts.isIdentifier(node.expression) && node.expression.text === 'V8')) {
        const type = checker.getTypeAtLocation(node.expression);
        if (propertyFault(type, node.name.text)) yield [node, `${node.name.text} is looked up on an object`];
      }
      if (ts.isObjectBindingPattern(node)) {
        const type = checker.getTypeAtLocation(node);
        for (const element of node.elements) {
          const name = element.propertyName ?? element.name;
          if (ts.isIdentifier(name) && propertyFault(type, name.text)) yield [element, `${name.text} is looked up on an object`];
        }
      }
      if (ts.isIdentifier(node) && isUse(node) && !constant.has(node.text)) {
        const symbol = ts.isShorthandPropertyAssignment(node.parent)
          ? checker.getShorthandAssignmentValueSymbol(node.parent)
          : checker.getSymbolAtLocation(node);
        if (symbol !== undefined && isForeignSymbol(symbol)) yield [node, `${node.text} is not captured`];
      }
      if (isAssignment(node) && ts.isElementAccessExpression(node.left) && isList(checker.getTypeAtLocation(node.left.expression))) {
        yield [node, 'an element is set, which a setter on Array.prototype may get: use append or setItem'];
      }
      if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword) {
        const [declaration] = declarationsOf(checker.getSymbolAtLocation(node.right));
        if (declaration === undefined || !ts.isClassDeclaration(declaration)) yield [node, 'instanceof asks the class'];
      }
    }
    const children = [];
    ts.forEachChild(node, (child) => {
      children.push(child);
    });
    for (const child of children) yield* visit(child);
  }
  yield* visit(source);
}

/** Calls of N-API that ask an object, or JavaScript's own classes, for a property that a program may have put there. */
const ASKING =
  /\bnapi_(?:get_global|run_script|instanceof|coerce_to_\w+|get_property_names|(?:get|set|has)_(?:named_property|property|element)|has_own_property)\b/;

/** What is wrong with the addon. */
function nativeProblems(root) {
  const folder = join(root, 'native');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true })
    .filter((name) => /\.(?:cc|h)$/.test(name) && !name.startsWith('tests/'))
    .sort();
  return files.flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    return lines.flatMap((line, i) => {
      const call = ASKING.exec(line)?.[0];
      const excused = [line, lines[i - 1]].some((one) => one?.includes('// asks: '));
      return call === undefined || excused ? [] : [`native/${name}:${i + 1}: an object is asked: ${call}`];
    });
  });
}

/** What is wrong in a repository, a line each. */
export function problemsOf(root, checked = captured) {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  const program = ts.createProgram(config.fileNames, config.options);
  const checker = program.getTypeChecker();
  const problems = nativeProblems(root);
  for (const source of program.getSourceFiles()) {
    const name = relative(join(root, 'ts'), source.fileName);
    if (besides.has(name) || !checked.some((entry) => name === entry || name.startsWith(`${entry}/`))) continue;
    const lines = readFileSync(source.fileName, 'utf8').split('\n');
    for (const [node, why] of faultsOf(source, checker)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      if ([lines[line], lines[line - 1]].some((one) => one?.includes('// asks: '))) continue;
      problems.push(`ts/${name}:${line + 1}: ${why}: ${node.getText().split('\n')[0]}`);
    }
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = problemsOf(dirname(dirname(fileURLToPath(import.meta.url))));
  for (const problem of problems) console.error(problem);
  console.log(
    problems.length === 0 ? 'intrinsics: only captured ones are used' : `${problems.length} uses of intrinsics that are not captured`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
