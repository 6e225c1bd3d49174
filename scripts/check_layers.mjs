#!/usr/bin/env node
// Checks that imports go one way: a folder of ts/ or native/ may use those on its left (docs/architecture.md) and itself, nothing else.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layers } from './layers.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const trees = [
  {
    folder: 'ts',
    order: layers.ts,
    files: /\.ts$/,
    imports: /(?:^|[\s;])(?:import|export)\s[^'"`;]*?from\s*['"](\.[^'"]+)['"]|import\s*\(?\s*['"](\.[^'"]+)['"]/g,
    resolve: (from, name) => normalize(join(dirname(from), name)),
  },
  {
    folder: 'native',
    order: layers.native,
    files: /\.(cc|h)$/,
    imports: /^#include\s+"([^"]+)"/gm,
    resolve: (from, name) => (existsSync(join(root, dirname(from), name)) ? normalize(join(dirname(from), name)) : join('native', name)),
  },
];

/** Files below a folder, relative to the repository. */
function filesOf(folder, pattern) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** The folder of a tree that a file is in; undefined for files directly in the tree. */
const layerOf = (tree, file) => {
  const parts = relative(tree.folder, file).split('/');
  return parts.length > 1 ? parts[0] : undefined;
};

function check(tree) {
  const problems = [];
  for (const file of filesOf(tree.folder, tree.files)) {
    const layer = layerOf(tree, file);
    // Entry files at the top, tests and examples may use everything.
    if (layer === undefined || layer === 'tests' || layer === 'examples' || /\.(test|test-helper)\.ts$/.test(file)) continue;
    const rank = tree.order.indexOf(layer);
    if (rank < 0) {
      problems.push(`${file}: folder ${layer} has no place in the order of scripts/layers.mjs`);
      continue;
    }
    const text = readFileSync(join(root, file), 'utf8');
    for (const match of text.matchAll(tree.imports)) {
      const target = tree.resolve(file, match[1] ?? match[2]);
      if (relative(tree.folder, target).startsWith('..')) continue;
      const used = layerOf(tree, target);
      if (used === undefined) problems.push(`${file} uses ${target}, which is above all folders`);
      else if (tree.order.indexOf(used) > rank) problems.push(`${file} uses ${target}: ${layer} comes before ${used}`);
    }
  }
  return problems;
}

const problems = trees.flatMap(check);
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log('layers: every import goes one way');
process.exit(problems.length > 0 ? 1 : 0);
