// scripts/check_layers.mjs refuses what it is there for, on small trees.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { problemsOf } from '../../scripts/check_layers.mjs';

let root = '';

/** A repository with these files, by path; what is wrong with it. */
function problems(files: Readonly<Record<string, string>>): readonly string[] {
  root = mkdtempSync(join(tmpdir(), 'heddle-layers-'));
  for (const [path, text] of Object.entries({ 'ts/index.ts': '', 'native/index.h': '', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return problemsOf(root, { ts: ['low', 'high'], 'ts/high': ['first', 'second'], native: ['below', 'above'] });
}

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the check of imports', () => {
  it('takes folders that use those before them, and files above that use all', () => {
    const files = {
      'ts/index.ts': "import './high/top.js';",
      'ts/high/top.ts': "import './first/a.js'; export { b } from './second/b.js';",
      'ts/high/second/b.ts': "import { a } from '../first/a.js'; import { l } from '../../low/l.js';",
      'ts/high/first/a.ts': '',
      'ts/low/l.ts': '',
      'native/above/a.cc': '#include "below/b.h"',
      'native/below/b.h': '',
    };
    expect(problems(files)).toEqual([]);
  });

  it('refuses a folder that uses one behind it, in any tree and depth', () => {
    const files = {
      'ts/low/l.ts': "import type { T } from '../high/first/a.js';",
      'ts/high/first/a.ts': "const b = await import('../second/b.js');",
      'ts/high/second/b.ts': '',
      'native/below/b.h': '#include "above/a.h"',
      'native/above/a.h': '',
    };
    expect(problems(files)).toEqual([
      'ts/low/l.ts uses ts/high/first/a.ts: low comes before high',
      'ts/high/first/a.ts uses ts/high/second/b.ts: first comes before second',
      'native/below/b.h uses native/above/a.h: below comes before above',
    ]);
  });

  it('refuses a file that uses one above its folder, and a folder without a place', () => {
    const files = {
      'ts/high/first/a.ts': "import '../top.js';",
      'ts/high/top.ts': '',
      'ts/other/o.ts': '',
    };
    expect(problems(files)).toEqual([
      'ts/other/o.ts: folder other has no place in the order of scripts/layers.mjs',
      'ts/high/first/a.ts uses ts/high/top.ts, which is above all folders',
    ]);
  });

  it('refuses circles of files within a folder, of types too', () => {
    const files = {
      'ts/low/a.ts': "import type { B } from './b.js';",
      'ts/low/b.ts': "import type { C } from './c.js';",
      'ts/low/c.ts': "import { a } from './a.js';",
      'ts/low/d.ts': "import './a.js';",
    };
    expect(problems(files)).toEqual(['these files use each other in a circle: ts/low/a.ts ts/low/b.ts ts/low/c.ts']);
  });
});
