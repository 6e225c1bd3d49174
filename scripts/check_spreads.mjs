#!/usr/bin/env node
// Checks that no list of data is spread into the arguments of a call: every argument takes stack, so that a list of 125,000 ends in a bare RangeError, and how long a list is
// a module or a caller chooses. Allowed are rest parameters, which were arguments already, and what a comment `// spread: why it is short` is at, on the line or the one before
// (`// spreads: why` is for the whole file).
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const files = readdirSync(join(root, 'ts'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.(test|test-helper)\.ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();

/** Whether an expression is the name of a rest parameter of a function around it. */
function isRestParameter(expression) {
  if (!ts.isIdentifier(expression)) return false;
  for (let node = expression.parent; node !== undefined; node = node.parent) {
    const parameter = node.parameters?.find((one) => ts.isIdentifier(one.name) && one.name.text === expression.text);
    if (parameter !== undefined) return parameter.dotDotDotToken !== undefined;
  }
  return false;
}

/** What of a call's arguments is a list of data. */
function listsOf(node) {
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return [];
  const { expression } = node;
  const args = node.arguments ?? [];
  const spread = args.filter((argument) => ts.isSpreadElement(argument) && !isRestParameter(argument.expression));
  const isApply =
    ts.isPropertyAccessExpression(expression) && expression.name.text === 'apply' && expression.expression.getText() !== 'Reflect';
  return isApply ? [...spread, node] : spread;
}

const problems = [];
for (const path of files) {
  const text = readFileSync(path, 'utf8');
  if (/^\/\/ spreads: /m.test(text)) continue;
  const lines = text.split('\n');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    for (const list of listsOf(node)) {
      const line = source.getLineAndCharacterOfPosition(list.getStart()).line;
      const excused = [lines[line], lines[line - 1]].some((one) => one?.includes('// spread: '));
      if (!excused) problems.push(`${relative(root, path)}:${line + 1}: a list becomes arguments: ${node.getText().split('\n')[0]}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'no list becomes arguments' : `${problems.length} lists become arguments`);
process.exitCode = problems.length === 0 ? 0 : 1;
