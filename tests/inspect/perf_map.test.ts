/**
 * `HEDDLE_PERF_MAP=1`: the file that perf reads, of programs that run by themselves. That what it names is code is asked of the kernel (`/proc/self/maps`): perf looks into the file for memory that is
 * executable and belongs to no file.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from '../cli/command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-perf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As many functions as make the cache run the code where its file lies. */
const COUNT = 4000;
const many = Array.from(
  { length: COUNT },
  (_, i) => `(func $f${i} (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then unreachable))
    (i32.add (i32.mul (local.get 0) (i32.const ${i})) (i32.const ${i * 7 - 49})))`,
);
const text = `(module $named ${many.join('\n')} (func $"two\\0alines" (result i32) (call $f7 (i32.const 6))) (export "go" (func $"two\\0alines")))`;

const RUN = `
const path = '/tmp/perf-' + process.pid + '.map';
const { parseWat, WebAssembly } = await import('heddle');
const { instance } = await WebAssembly.instantiate(parseWat(fs.readFileSync(process.argv[1], 'utf8')), {});
const result = instance.exports.go();
const maps = fs.readFileSync('/proc/self/maps', 'utf8');
const map = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : undefined;
fs.rmSync(path, { force: true });
console.log(JSON.stringify({ result, maps, map }));
`;

interface Outcome {
  readonly result: number;
  readonly maps: string;
  readonly map?: string;
}

/** Runs the program, with something before Heddle is there. */
function run(before = '', perfMap = '1'): Outcome & { readonly stderr: string } {
  writeFileSync(join(folder, 'many.wat'), text);
  const code = `const fs = await import('node:fs'); ${before} ${RUN}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code, join(folder, 'many.wat')], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, HEDDLE_PERF_MAP: perfMap, HEDDLE_CACHE: join(folder, 'cache') },
  });
  return { ...(JSON.parse(stdout) as Outcome), stderr };
}

interface Line {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

function linesOf(map: string | undefined): readonly Line[] {
  return (map ?? '').split('\n').flatMap((line) => {
    if (line === '') return [];
    const [, address, size, name] = /^([0-9a-f]+) ([0-9a-f]+) (.+)$/.exec(line) ?? [];
    if (address === undefined || size === undefined || name === undefined) throw new Error(`no line of a map: ${line}`);
    const start = Number.parseInt(address, 16);
    return { start, end: start + Number.parseInt(size, 16), name };
  });
}

/** Executable memory of no file. */
function anonymous(maps: string): readonly (readonly [number, number])[] {
  return maps.split('\n').flatMap((line) => {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) r-xp 0+ 00:00 0 *$/.exec(line) ?? [];
    return start === undefined || end === undefined ? [] : [[Number.parseInt(start, 16), Number.parseInt(end, 16)] as const];
  });
}

describe('the map of a program', () => {
  test.each(['compiled', 'from the cache'])('%s', () => {
    const { result, maps, map, stderr } = run();
    expect([result, stderr]).toEqual([42, '']);
    const lines = linesOf(map);
    const own = lines.filter(({ name }) => /^named!(f\d+|two\?lines)$/.test(name));
    expect(new Set(own.map(({ name }) => name)).size).toBe(COUNT + 1);
    const memory = anonymous(maps);
    for (const { start, end } of own) expect(memory.some(([from, to]) => start >= from && end <= to && start < end)).toBe(true);
    const sorted = [...lines].sort((a, b) => a.start - b.start);
    sorted.forEach((line, i) => expect(line.start).toBeGreaterThanOrEqual(sorted[i - 1]?.end ?? 0));
  });

  test('without the variable there is none', () => {
    expect(run('', '0').map).toBeUndefined();
  });

  test('a file that a process of the same number left is begun anew', () => {
    const old = "fs.writeFileSync('/tmp/perf-' + process.pid + '.map', 'old'); fs.utimesSync('/tmp/perf-' + process.pid + '.map', 1, 1);";
    const { map } = run(old);
    // Where the module had to be compiled, the code generator was loaded first.
    expect(map).toMatch(/^[0-9a-f]+ 200 [^\n]*!\[switch, host_call\]\n/);
    expect(map).toMatch(/^[0-9a-f]+ 200 named!\[switch, host_call\]$/m);
  });

  test("a link is not followed, another's file not written: a warning says so once, and the program goes on", () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'untouched');
    const link = run(`fs.symlinkSync(${JSON.stringify(target)}, '/tmp/perf-' + process.pid + '.map');`);
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(link.result).toBe(42);
    expect(link.stderr.split('HEDDLE_PERF_MAP: ELOOP')).toHaveLength(2);
    const hard = run(`fs.linkSync(${JSON.stringify(target)}, '/tmp/perf-' + process.pid + '.map');`);
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect([hard.result, hard.stderr]).toEqual([42, expect.stringMatching(/HEDDLE_PERF_MAP: .* is not a file of this user's own/)]);
  });
});
