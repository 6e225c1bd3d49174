// The comparison with other engines (benchmarks/peers), small: that every build of a program gives what arithmetic says, that a peer that fails is
// told and does not end the run, and what is said of the numbers.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chance, geometric, median, spread } from '../../benchmarks/peers/statistics.mjs';

const MAIN = fileURLToPath(new URL('../../benchmarks/peers/main.mjs', import.meta.url));
const hasClang = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'clang')) && existsSync(join(folder, 'wasm-ld')));

type Outcome = {
  readonly failure?: string;
  readonly missing?: string;
  readonly runs: readonly { readonly milliseconds: number; readonly peak: number }[];
};
type Results = {
  readonly engines: readonly { readonly key: string; readonly missing?: string }[];
  readonly programs: Readonly<Record<string, { readonly n: number; readonly results: Readonly<Record<string, Outcome>> }>>;
  readonly talk: { readonly calls: Readonly<Record<string, number>> };
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-peers-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the comparison with small sizes. */
function quick(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const json = join(folder, 'results.json');
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--quick', '--json', json, ...args], {
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: folder, ...env },
  });
  if (!existsSync(json)) throw new Error(`status ${status}: ${stderr}`);
  const results: Results = JSON.parse(readFileSync(json, 'utf8'));
  rmSync(json);
  return { status, stdout, results };
}

/** A program on the PATH that is taken for Wasmtime. */
function fakeWasmtime(script: string) {
  const file = join(folder, 'wasmtime');
  writeFileSync(file, `#!/bin/sh\nif [ "$1" = --version ]; then echo 'wasmtime 0.0.0 (none)'; exit; fi\n${script}\n`);
  chmodSync(file, 0o755);
  return { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
}

describe('Heddle', () => {
  const programs = ['pairs', 'symmetric', 'exceptions'];
  let own: ReturnType<typeof quick>;
  beforeAll(() => {
    own = quick(['--only', programs.join(), '--engines', 'heddle']);
  });

  test.each(programs)('%s in its own instructions gives what arithmetic says', (program) => {
    expect(own.results.programs[program]?.results['heddle']).toMatchObject({ runs: [{ peak: expect.any(Number) }] });
    expect(own.results.programs[program]?.results['heddle']?.failure).toBeUndefined();
  });

  test('the run ends well', () => expect(own.status).toBe(0));

  // docs/architecture.md: cont.new makes a record; a resume whose function returns gives it back.
  test('the library calls of each instruction are counted', () => {
    expect(own.results.talk.calls).toEqual({ 'cont.new': 1, 'cont.bind': 0, resume: 1, suspend: 0 });
  });
});

describe.runIf(hasClang)('programs in C', () => {
  const engines = ['heddle', 'heddle-import', 'heddle-asyncify'];
  let run: ReturnType<typeof quick>;
  let text: string;
  // Binaryen's optimizer begins anew for each build.
  beforeAll(() => {
    const html = join(folder, 'report.html');
    run = quick(['--only', 'tree,skynet', '--engines', engines.join(), '--html', html]);
    text = readFileSync(html, 'utf8');
  }, 180_000);

  test.each(engines)('as %s has its fibers give what arithmetic says', (engine) => {
    const programs = Object.values(run.results.programs);
    expect(programs).toHaveLength(2);
    for (const { results } of programs) {
      expect(results[engine]).toMatchObject({ runs: [{ milliseconds: expect.any(Number) }] });
      expect(results[engine]?.failure).toBeUndefined();
    }
    expect(run.status).toBe(0);
  });

  test('are in the report, which opens from the disk: nothing is asked for', () => {
    expect(text.match(/<svg /g)).toHaveLength(4);
    expect(text).not.toMatch(/<script|<link|<img|src=|href=|url\(/);
  });
});

describe('a peer', () => {
  const wasmtime = (script: string, more: readonly string[] = []) => {
    const { status, stdout, results } = quick(['--only', 'pairs', '--engines', 'wasmtime', ...more], fakeWasmtime(script));
    return { status, stdout, outcome: results.programs['pairs']?.results['wasmtime'] };
  };

  test('that gives the result counts, its start-up taken off', () => {
    const { status, outcome } = wasmtime('for last; do :; done; echo "$last"');
    expect(outcome?.failure).toBeUndefined();
    expect(outcome?.runs).toHaveLength(1);
    expect(outcome?.runs[0]?.milliseconds).toBeGreaterThanOrEqual(0);
    expect(status).toBe(0);
  });

  test('that gives another result is wrong', () => {
    const { status, outcome } = wasmtime('echo 7');
    expect(outcome?.failure).toBe('wrong: run(0) is 7, not 0');
    expect(status).toBe(0);
  });

  test('that crashes is told by its signal and what it said', () => {
    const { status, stdout, outcome } = wasmtime('echo "# Check failed: it cannot" >&2; kill -ABRT $$');
    expect(outcome?.failure).toBe('SIGABRT: Check failed: it cannot');
    expect(stdout).toContain('SIGABRT: Check failed: it cannot');
    expect(status).toBe(0);
  });

  test('that does not end is ended', () => {
    expect(wasmtime('sleep 600', ['--timeout', '1']).outcome?.failure).toBe('not done after 1 s');
  });

  test('that is not there is said to be not there', () => {
    const { status, stdout, results } = quick(['--only', 'pairs', '--engines', 'v8'], { HEDDLE_PEER_NODE: join(folder, 'none') });
    expect(results.engines).toMatchObject([{ key: 'v8', missing: expect.stringContaining('no Node 26') }]);
    expect(stdout).toContain('not there: no Node 26');
    expect(status).toBe(0);
  });
});

describe('statistics', () => {
  test('the median is the middle, or between the two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test('the spread is half of the range, to the median', () => expect(spread([8, 10, 14])).toBeCloseTo(0.3));

  test('the geometric mean of a ratio and its inverse is 1', () => expect(geometric([4, 0.25])).toBeCloseTo(1));

  // Of the 252 ways to mix five and five, two are as far apart as these; of 35 of four and three, two.
  test('the chance of samples that are apart is that of the two extreme orders', () => {
    expect(chance([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
    expect(chance([5, 6, 7], [1, 2, 3, 4])).toBeCloseTo(2 / 35, 12);
  });

  // Three and three: 20 orders; with 1 win of 9, those of 0 and of 1 are as far apart: 2 on each side.
  test('the chance of one inversion counts it', () => expect(chance([1, 2, 4], [3, 5, 6])).toBeCloseTo(4 / 20, 12));

  test('equal samples are no difference', () => expect(chance([1, 2, 3], [1, 2, 3])).toBe(1));
});
