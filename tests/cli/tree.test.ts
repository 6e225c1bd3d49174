/** `heddle run --tree`: pictures at the end, at a trap and at SIGUSR2. What is SVG is read by Python's XML parser, what is HTML by its HTML parser. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { htmlOf } from '../../ts/cli/tree/html.js';
import { jsonOf } from '../../ts/cli/tree/json.js';
import { escapeXml } from '../../ts/cli/tree/marks.js';
import { svgOf } from '../../ts/cli/tree/svg.js';
import { textOf } from '../../ts/cli/tree/text.js';
import type { FiberInfo, FiberTree } from '../../ts/index.js';
import { heddle, root } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-tree-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

function file(name: string, contents: string): string {
  writeFileSync(path(name), contents);
  return path(name);
}

/** What a document has: each text, and of each box its colour and place. */
interface Document {
  readonly texts: readonly string[];
  readonly groups: readonly string[];
  readonly lines: number;
}

const PARSER = `
import json, sys, xml.etree.ElementTree as tree
svg = '{http://www.w3.org/2000/svg}'
root = tree.fromstring(sys.stdin.buffer.read())
assert root.tag == svg + 'svg'
print(json.dumps({'texts': [t.text for t in root.iter(svg + 'text')],
  'groups': [g.get('class') for g in root.iter(svg + 'g')],
  'lines': len(list(root.iter(svg + 'path')))}))`;

function parse(svg: string): Document {
  return JSON.parse(execFileSync('python3', ['-c', PARSER], { input: svg, encoding: 'utf8' })) as Document;
}

const PAGE_PARSER = `
import json, sys, html.parser
class Parser(html.parser.HTMLParser):
  tags, texts = [], []
  def handle_starttag(self, tag, attributes): self.tags.append(tag)
  def handle_data(self, text): self.texts += text.split('\\n')
parser = Parser()
parser.feed(sys.stdin.read())
print(json.dumps({'tags': parser.tags, 'texts': parser.texts}))`;

function parsePage(page: string): { readonly tags: readonly string[]; readonly texts: readonly string[] } {
  return JSON.parse(execFileSync('python3', ['-c', PAGE_PARSER], { input: page, encoding: 'utf8' })) as ReturnType<typeof parsePage>;
}

const MODULE = `(module $busy
  (type $f (func)) (type $k (cont $f)) (tag $nap) (tag $never)
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00ready\\0a")
  (global $sleeper (mut (ref null $k)) (ref.null $k))
  (func $sleeps (suspend $nap))
  (func $ends)
  (func $loops (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))) (loop $l (br $l)))
  (func $traps (unreachable))
  (elem declare func $sleeps $loops $traps $ends)
  (func $start (param $f (ref $f))
    (global.set $sleeper (block $h (result (ref $k))
      (resume $k (on $nap $h) (cont.new $k (ref.func $sleeps))) (unreachable)))
    (resume $k (cont.new $k (local.get $f))))
  (table $crowd 50 (ref null $k))
  (func (export "crowd") (local $i i32)
    (loop $more
      (table.set $crowd (local.get $i) (block $h (result (ref $k))
        (resume $k (on $nap $h) (cont.new $k (ref.func $sleeps))) (unreachable)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 50)))))
  (func (export "end") (call $start (ref.func $ends)))
  (func (export "loop") (call $start (ref.func $loops)))
  (func (export "trap") (call $start (ref.func $traps))))`;
const program = file('busy.wat', MODULE);

describe('pictures', () => {
  test('at the end: what is left', () => {
    expect(heddle(['run', '--tree', path('end.txt'), '--invoke', 'end', program])).toEqual({ status: 0, stdout: '', stderr: '' });
    const text = readFileSync(path('end.txt'), 'utf8');
    expect(text).toMatch(/^1 fiber at the end\n\nsleeps #\d+\n {4}suspended with nap\n {4}stack: \d+ bytes used, \d+ KiB in memory\n/);
    expect(text).toContain('    at sleeps (busy:0x');
  });

  test('at a trap: the fibers as they were, before they were given back', () => {
    const { status, stderr } = heddle(['run', '--tree', path('trap.svg'), '--invoke', 'trap', program]);
    expect(status).toBe(134);
    expect(stderr).toContain('unreachable');
    const { texts, groups, lines } = parse(readFileSync(path('trap.svg'), 'utf8'));
    expect(texts[0]).toBe('3 fibers at the trap: unreachable');
    expect(groups).toEqual(['resuming', 'running', 'suspended']);
    expect(texts.filter((text) => / #\d+$/.test(text)).map((text) => text.split(' ')[0])).toEqual(['trap', 'traps', 'sleeps']);
    expect(lines).toBe(1);
  });

  test('at SIGUSR2, in the middle of a loop that never ends', async () => {
    const args = ['bin/heddle.cjs', 'run', '--tree', path('busy.svg'), '--invoke', 'loop', program];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    const closed = new Promise((resolve) => child.on('close', resolve));
    const wrote = (count: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (errors.split('heddle: wrote').length > count) resolve();
        };
        child.stderr.on('data', look);
        child.on('close', () => reject(new Error(errors)));
        look();
      });
    child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      child.kill('SIGUSR2');
      await wrote(1);
      child.kill('SIGUSR2');
      await wrote(2);
    } finally {
      child.kill('SIGKILL');
      await closed;
    }
    const { texts, groups } = parse(readFileSync(path('busy.1.svg'), 'utf8'));
    expect(texts[0]).toBe('3 fibers at SIGUSR2 number 1');
    expect(groups).toEqual(['resuming', 'running', 'suspended']);
    expect(texts.some((text) => text.startsWith('at loops (busy:0x'))).toBe(true);
    expect(existsSync(path('busy.2.svg'))).toBe(true);
    expect(existsSync(path('busy.svg'))).toBe(false);
  });

  test('fifty fibers that are alike are one box, and each in JSON', () => {
    for (const name of ['crowd.svg', 'crowd.json']) {
      expect(heddle(['run', '--tree', path(name), '--invoke', 'crowd', program])).toEqual({ status: 0, stdout: '', stderr: '' });
    }
    const { texts, groups } = parse(readFileSync(path('crowd.svg'), 'utf8'));
    expect(groups).toEqual(['suspended']);
    expect(texts.slice(0, 3)).toEqual(['50 fibers at the end', '50 × sleeps', 'suspended with nap']);
    expect(texts[4]).toMatch(/^stacks: \d+ bytes used each, \d+ KiB in memory$/);
    const { moment, total, fibers } = JSON.parse(readFileSync(path('crowd.json'), 'utf8')) as FiberTree & { readonly moment: string };
    expect([moment, total, fibers.length]).toEqual(['at the end', 50, 50]);
    expect(new Set(fibers.map((one) => `${one.function} ${one.state} ${one.tag}`))).toEqual(new Set(['sleeps suspended nap']));
    expect(new Set(fibers.map((one) => one.id)).size).toBe(50);
  });

  test('a name with another ending is refused, a folder that is not there too, before and after the run', () => {
    const refused = heddle(['run', '--tree', 'tree.png', '--invoke', 'end', program]);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/\.svg, \.html, \.txt or \.json \(HEDDLE_USAGE\)/);
    const missing = heddle(['run', '--tree', path('none/tree.svg'), '--invoke', 'end', program]);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toMatch(/cannot write .*none\/tree\.svg: no such file or folder \(HEDDLE_FILE\)/);
  });
});

const fiber = (id: number, parent: number, more: Partial<FiberInfo> = {}): FiberInfo => ({
  id,
  continuation: id,
  state: 'resuming',
  parent,
  entered: false,
  hibernated: false,
  versions: 1,
  function: `f${id}`,
  stack: { size: 4096, used: 256, highWater: 4096, resident: 4096 },
  frames: [],
  framesOmitted: 0,
  ...more,
});
const picture = (fibers: readonly FiberInfo[]): { moment: string; tree: FiberTree } => ({
  moment: 'now',
  tree: { fibers, total: fibers.length },
});

describe('drawing', () => {
  test('names are escaped: what XML cannot have is replaced', () => {
    const name = '</text><script>&"\' \u0001\ud800 \u{1f9f6}';
    const svg = svgOf(picture([fiber(1, 0, { function: name, state: 'suspended', tag: '<&>' })]));
    expect(svg).not.toContain('<script>');
    const { texts } = parse(svg);
    expect(texts[1]).toBe('</text><script>&"\' \ufffd\ufffd \u{1f9f6} #1');
    expect(texts[2]).toBe('suspended with <&>');
    expect(escapeXml('a<b')).toBe('a&#60;b');
  });

  test('a fiber stands below and to the right of the one that waits for it, whatever the order they come in', () => {
    const text = textOf(
      picture([fiber(3, 2, { state: 'calling' }), fiber(2, 1), fiber(4, 1), fiber(1, 0), fiber(9, 77), fiber(0, 0, { state: 'fresh' })]),
    );
    const names = text.split('\n').filter((line) => /^ *(-> )?f\d/.test(line));
    expect(names).toEqual(['f1 #1', '  -> f2 #2', '    -> f3 #3', '  -> f4 #4', 'f9 #9', 'f0']);
  });

  test('fibers are together where they, and all below them, look the same; tasks stand in front', () => {
    const parked = (id: number, parent: number, task: string): FiberInfo =>
      fiber(id, parent, { state: 'parked', function: 'wait', import: 'host.sleep', task });
    const outer = (id: number, more: Partial<FiberInfo> = {}): FiberInfo => fiber(id, 0, { function: 'outer', ...more });
    const text = textOf(
      picture([
        ...[outer(1), outer(2), outer(3, { entered: true }), outer(4), outer(5)],
        ...[parked(11, 1, 'a'), parked(12, 2, 'b'), parked(13, 3, 'c'), parked(15, 5, 'e')],
      ]),
    );
    // The third was called by JavaScript, the fourth has nothing below it.
    expect(text.split('\n').filter((line) => /^\S|^ *->/.test(line))).toEqual([
      '9 fibers now',
      '3 × outer',
      '  -> 3 × wait',
      'outer #3',
      '  -> task c: wait #13',
      'outer #4',
    ]);
    expect(text).toContain('      tasks: a, b, e\n      #11, #12, #15\n');
  });

  test('of many the first are listed; stacks are from the least to the most, and together', () => {
    const stack = (used: number): FiberInfo['stack'] => ({ size: 8192, used, highWater: 8192, resident: 8192 });
    const six = [300, 100, 200, 300, 300, 300].map((used, i) => fiber(i + 1, 0, { function: 'f', state: 'suspended', stack: stack(used) }));
    expect(textOf(picture(six))).toContain(
      '6 × f\n    suspended with a tag\n    #1, #2, #3, #4 and 2 more\n    stacks: 100 to 300 bytes used each, 48 KiB in memory\n',
    );
  });

  test('more rows than are wanted are left out, and the headline says so', () => {
    const some = Array.from({ length: 5 }, (_, i) => fiber(i + 1, 0));
    for (const draw of [textOf, svgOf, htmlOf]) expect(draw({ ...picture(some), most: 2 })).toContain('5 fibers now, 2 of them shown');
    expect(JSON.parse(jsonOf({ ...picture(some), most: 2 }))).toMatchObject({ fibers: some });
  });

  test('a page: each row with all of its fibers, as text', () => {
    const name = '</pre><script>alert(1)</script>';
    const alike = [1, 2, 3, 4, 5, 6].map((id) => fiber(id, 0, { function: name, state: 'parked', task: `task "${id}"`, import: 'a.b' }));
    const page = htmlOf(picture([...alike, fiber(7, 6, { state: 'calling' })]));
    const { tags, texts } = parsePage(page);
    expect(tags.filter((tag) => tag === 'details')).toHaveLength(3);
    expect(tags).not.toContain('script');
    expect(texts).toContain(`5 × ${name}`);
    for (const id of [1, 2, 3, 4, 5]) expect(texts).toContain(`task task "${id}": #${id}, 256 bytes used`);
  });

  test('a chain of 10,000 is drawn, in boxes that do not go off to the right', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => fiber(i + 1, i));
    const svg = svgOf(picture(chain));
    const { groups, lines } = parse(svg);
    expect([groups.length, lines]).toEqual([10_000, 9999]);
    expect(Number(/width="(\d+)"/.exec(svg)?.[1])).toBeLessThan(3000);
  });
});
