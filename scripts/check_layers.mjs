#!/usr/bin/env node
// Checks that imports go one way (docs/architecture.md): a folder of scripts/layers.mjs may use those before it, and no
// files use each other in a circle, not even by types alone.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layers } from './layers.mjs';

const trees = [
  {
    folder: 'ts',
    files: /\.ts$/,
    imports: /(?:^|[\s;])(?:import|export)\s[^'"`;]*?from\s*['"](\.[^'"]+)['"]|import\s*\(?\s*['"](\.[^'"]+)['"]/g,
    // A file that is imported as .js is written as .ts.
    resolve: (_, from, name) => normalize(join(dirname(from), name)).replace(/\.js$/, '.ts'),
  },
  {
    folder: 'native',
    files: /\.(cc|h)$/,
    imports: /^#include\s+"([^"]+)"/gm,
    resolve: (root, from, name) =>
      existsSync(join(root, dirname(from), name)) ? normalize(join(dirname(from), name)) : join('native', name),
  },
];

/** Tests, and what is there for them, may use everything. */
const isTest = (file) => /(^|\/)(tests|examples)\/|\.(test|test-helper)\.ts$/.test(file);

/** The files of a tree that are checked, relative to the repository, each with those of the tree that it uses. */
function graphOf(root, tree) {
  const files = readdirSync(join(root, tree.folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && tree.files.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => !isTest(relative(tree.folder, file)))
    .sort();
  const graph = new Map();
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const used = [...text.matchAll(tree.imports)].map((match) => tree.resolve(root, file, match[1] ?? match[2]));
    graph.set(
      file,
      [...new Set(used)].filter((target) => target.startsWith(`${tree.folder}/`)),
    );
  }
  return graph;
}

/** The folder directly in `folder` that a file is in; undefined for files in `folder` itself and elsewhere. */
function roomOf(folder, file) {
  const parts = relative(folder, file).split('/');
  return parts[0] === '..' || parts.length < 2 ? undefined : parts[0];
}

/** What is wrong with the imports between the folders of one folder. */
function checkOrder(folder, order, graph) {
  const problems = [];
  for (const [file, targets] of graph) {
    const room = roomOf(folder, file);
    if (room === undefined) continue;
    const rank = order.indexOf(room);
    if (rank < 0) {
      problems.push(`${file}: folder ${room} has no place in the order of scripts/layers.mjs`);
      continue;
    }
    for (const target of targets) {
      if (!target.startsWith(`${folder}/`)) continue;
      const used = roomOf(folder, target);
      if (used === undefined) problems.push(`${file} uses ${target}, which is above all folders`);
      else if (order.indexOf(used) > rank) problems.push(`${file} uses ${target}: ${room} comes before ${used}`);
    }
  }
  return problems;
}

/** Circles of files, each sorted: the strongly connected parts, by Tarjan's algorithm. */
export function circlesOf(graph) {
  const circles = [];
  const numbers = new Map();
  const lowest = new Map();
  const stack = [];
  const visit = (file) => {
    numbers.set(file, numbers.size);
    lowest.set(file, numbers.get(file));
    stack.push(file);
    for (const target of graph.get(file)) {
      if (!graph.has(target)) continue;
      if (!numbers.has(target)) visit(target);
      else if (!stack.includes(target)) continue;
      lowest.set(file, Math.min(lowest.get(file), lowest.get(target)));
    }
    if (lowest.get(file) !== numbers.get(file)) return;
    const part = stack.splice(stack.indexOf(file));
    if (part.length > 1 || graph.get(file).includes(file)) circles.push(part.sort());
  };
  for (const file of graph.keys()) if (!numbers.has(file)) visit(file);
  return circles;
}

/** What is wrong in a repository, a line each. */
export function problemsOf(root, order = layers) {
  return trees.flatMap((tree) => {
    const graph = graphOf(root, tree);
    const folders = Object.entries(order).filter(([folder]) => `${folder}/`.startsWith(`${tree.folder}/`));
    return [
      ...folders.flatMap(([folder, rooms]) => checkOrder(folder, rooms, graph)),
      ...circlesOf(graph).map((files) => `these files use each other in a circle: ${files.join(' ')}`),
    ];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = problemsOf(dirname(dirname(fileURLToPath(import.meta.url))));
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log('layers: every import goes one way');
  process.exit(problems.length > 0 ? 1 : 0);
}
