import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../link/addon.js';
import { Cache, cacheFolder } from './cache.js';
import { sha256 } from './container.js';
import type { FileAccess } from './entry.js';

const KEY = sha256('key');
const OTHER = sha256('other');
const PAYLOAD = Buffer.from('some code, as it were');
const isRoot = process.geteuid?.() === 0;

let home = '';
let folder = '';
/** Whether the addon reads and writes. */
let access: FileAccess | undefined;
const cache = (limit?: number): Cache => new Cache({ folder }, limit, access);
const entry = (key: Buffer): string => join(folder, key.toString('hex'));
const written = (): string => {
  expect(cache().write(KEY, [PAYLOAD])).toBe(true);
  return entry(KEY);
};

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'heddle-cache-'));
  folder = join(home, 'a', 'heddle');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('cacheFolder', () => {
  test('HEDDLE_CACHE=off is no cache', () => expect(cacheFolder({ HEDDLE_CACHE: 'off' }).folder).toBeUndefined());
  test('HEDDLE_CACHE names the folder', () => expect(cacheFolder({ HEDDLE_CACHE: '/x', XDG_CACHE_HOME: '/y' }).folder).toBe('/x'));
  test('XDG_CACHE_HOME is used when absolute', () => expect(cacheFolder({ XDG_CACHE_HOME: '/y' }).folder).toBe('/y/heddle'));
  test('a relative XDG_CACHE_HOME is not', () => expect(cacheFolder({ XDG_CACHE_HOME: 'y' }).folder).toMatch(/\/\.cache\/heddle$/));
});

describe.each([['', undefined] as const, [', by the addon', addon()] as const])('an entry%s', (_, by) => {
  beforeEach(() => {
    access = by;
  });
  afterEach(() => {
    access = undefined;
  });

  test('comes back as it was written, in a folder of the user alone', () => {
    written();
    expect(Buffer.from(cache().read(KEY) ?? [])).toEqual(PAYLOAD);
    expect(lstatSync(folder).mode & 0o777).toBe(0o700);
    expect(lstatSync(entry(KEY)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([KEY.toString('hex')]);
  });

  test('is aligned for typed arrays', () => {
    written();
    expect((cache().read(KEY)?.byteOffset ?? 1) % 16).toBe(0);
  });

  test('has its time renewed when it is read after a day', () => {
    const old = new Date(Date.now() - 100_000_000);
    utimesSync(written(), old, old);
    expect(Buffer.from(cache().read(KEY) ?? [])).toEqual(PAYLOAD);
    expect(lstatSync(entry(KEY)).mtimeMs).toBeGreaterThan(old.getTime());
  });

  test('is missing where nothing was written, and reading makes no folder', () => {
    expect(cache().read(KEY)).toBeUndefined();
    expect(readdirSync(home)).toEqual([]);
  });

  test('truncated anywhere is ignored', () => {
    const size = lstatSync(written()).size;
    for (const length of [size - 1, 129, 128, 127, 60, 8, 1, 0]) {
      written();
      truncateSync(entry(KEY), length);
      expect(cache().read(KEY), `${length} bytes`).toBeUndefined();
    }
  });

  test('longer than written is ignored', () => {
    writeFileSync(written(), 'x', { flag: 'a' });
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('with any bit of what counts flipped is ignored', () => {
    const good = readFileSync(written());
    for (let at = 0; at < good.length; at++) {
      if (at >= 80 && at < 128) continue;
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(entry(KEY), bad);
      expect(cache().read(KEY), `byte ${at}`).toBeUndefined();
    }
    writeFileSync(entry(KEY), good);
    expect(cache().read(KEY)).toBeDefined();
  });

  test('of another key, moved here, is ignored', () => {
    cache().write(OTHER, [PAYLOAD]);
    renameSync(entry(OTHER), entry(KEY));
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('of an older format is ignored', () => {
    const bytes = readFileSync(written());
    bytes[7] = 0;
    writeFileSync(entry(KEY), bytes);
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('that others may write is ignored, then replaced', () => {
    chmodSync(written(), 0o666);
    expect(cache().read(KEY)).toBeUndefined();
    written();
    expect(cache().read(KEY)).toBeDefined();
  });

  test('that is a link, a folder or a FIFO is ignored', () => {
    renameSync(written(), join(home, 'real'));
    symlinkSync(join(home, 'real'), entry(KEY));
    expect(cache().read(KEY)).toBeUndefined();
    rmSync(entry(KEY));
    mkdirSync(entry(KEY));
    expect(cache().read(KEY)).toBeUndefined();
    expect(cache().write(KEY, [PAYLOAD])).toBe(false);
    rmSync(entry(KEY), { recursive: true });
    execFileSync('mkfifo', [entry(KEY)]);
    expect(cache().read(KEY)).toBeUndefined();
  });

  test.skipIf(!isRoot)('of another user is ignored', () => {
    execFileSync('chown', ['65534', written()]);
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('is the same whether its payload came in one piece or many', () => {
    const whole = readFileSync(written());
    cache().write(KEY, [PAYLOAD.subarray(0, 3), PAYLOAD.subarray(3)]);
    expect(readFileSync(entry(KEY))).toEqual(whole);
  });
});

describe('a folder', () => {
  test('that others may write is not used', () => {
    written();
    chmodSync(folder, 0o777);
    expect(cache().read(KEY)).toBeUndefined();
    expect(cache().write(KEY, [PAYLOAD])).toBe(false);
    expect(cache().status().reason).toMatch(/others may write/);
  });

  test.skipIf(!isRoot)('of another user is not used', () => {
    written();
    execFileSync('chown', ['65534', folder]);
    expect(cache().read(KEY)).toBeUndefined();
    expect(cache().status().reason).toMatch(/owned by user 65534/);
  });

  test('that is a link or a file is not used', () => {
    mkdirSync(join(home, 'real'), { mode: 0o700 });
    symlinkSync(join(home, 'real'), join(home, 'a'));
    const link = new Cache({ folder: join(home, 'a') });
    expect(link.write(KEY, [PAYLOAD])).toBe(false);
    writeFileSync(join(home, 'file'), '');
    expect(new Cache({ folder: join(home, 'file') }).write(KEY, [PAYLOAD])).toBe(false);
  });

  test('that cannot be made is no error', () => {
    const status = new Cache({ folder: '/proc/heddle' });
    expect(status.write(KEY, [PAYLOAD])).toBe(false);
    expect(status.read(KEY)).toBeUndefined();
    expect(status.status().reason).toBeTruthy();
  });

  test.skipIf(isRoot)('that cannot be written is no error', () => {
    written();
    chmodSync(folder, 0o500);
    expect(cache().write(OTHER, [PAYLOAD])).toBe(false);
    expect(cache().read(KEY)).toBeDefined();
    chmodSync(folder, 0o700);
  });

  test('on a full disk keeps no broken entry', () => {
    // A process that may not write files above 4 KiB fails in the middle, as on a full disk.
    const script = `import { Cache } from ${JSON.stringify(join(import.meta.dirname, 'cache.ts'))};
      import { sha256 } from ${JSON.stringify(join(import.meta.dirname, 'container.ts'))};
      process.on('SIGXFSZ', () => {});
      const ok = new Cache({ folder: process.argv[1] }).write(sha256('key'), [new Uint8Array(100_000)]);
      console.log(ok);`;
    const tsx = import.meta.resolve('tsx');
    const out = execFileSync(
      'bash',
      ['-c', 'ulimit -f 4; exec "$@"', 'sh', process.execPath, '--import', tsx, '--input-type=module', '-e', script, folder],
      {
        encoding: 'utf8',
        env: { ...process.env, TSX_DISABLE_CACHE: '1' },
      },
    );
    expect(out.trim()).toBe('false');
    expect(readdirSync(folder)).toEqual([]);
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('is kept below its limit, oldest entries first, and rid of what dead writers left', () => {
    const old = new Date(Date.now() - 10_000_000);
    const big = new Uint8Array(1000);
    const keys = ['a', 'b', 'c'].map((name) => sha256(name));
    for (const [i, key] of keys.entries()) {
      cache().write(key, [big]);
      utimesSync(entry(key), old, new Date(old.getTime() + i * 1000));
    }
    writeFileSync(join(folder, '.new-1-dead'), 'x');
    utimesSync(join(folder, '.new-1-dead'), old, old);
    writeFileSync(join(folder, '.new-2-alive'), 'x');
    writeFileSync(join(folder, 'keep.txt'), 'not ours');
    expect(cache(3500).write(sha256('d'), [big])).toBe(true);
    const left = readdirSync(folder).sort();
    expect(left).toEqual([...['b', 'c', 'd'].map((name) => sha256(name).toString('hex')), '.new-2-alive', 'keep.txt'].sort());
  });

  test('with a hard link of an entry under another name gives nothing for that name', () => {
    written();
    linkSync(entry(KEY), entry(OTHER));
    expect(cache().read(OTHER)).toBeUndefined();
  });
});

test('two processes that write one entry at once leave a whole one', async () => {
  const script = join(home, 'writer.ts');
  writeFileSync(
    script,
    `import { Cache } from ${JSON.stringify(join(import.meta.dirname, 'cache.ts'))};
      import { sha256 } from ${JSON.stringify(join(import.meta.dirname, 'container.ts'))};
     const cache = new Cache({ folder: process.argv[2] });
     for (let i = 0; i < 300; i++) {
       cache.write(sha256('key'), [new Uint8Array(20_000).fill(7)]);
       const read = cache.read(sha256('key'));
       if (!read || read.length !== 20_000 || read.some((b) => b !== 7)) process.exit(3);
     }`,
  );
  const writers = [0, 1].map(() => fork(script, [folder], { execArgv: ['--import', import.meta.resolve('tsx')] }));
  const codes = await Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0]));
  expect(codes).toEqual([0, 0]);
  expect(cache().read(KEY)?.length).toBe(20_000);
  expect(readdirSync(folder)).toEqual([KEY.toString('hex')]);
});
