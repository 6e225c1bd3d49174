import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { userKey } from './user_key.js';

const isRoot = process.geteuid?.() === 0;

let state = '';
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'heddle-key-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const made = (): ReturnType<typeof userKey> => userKey(true, { XDG_STATE_HOME: join(state, 'a', 'b') });
const found = (): ReturnType<typeof userKey> => userKey(false, { XDG_STATE_HOME: join(state, 'a', 'b') });
const folder = (): string => join(state, 'a', 'b', 'heddle');
const file = (): string => join(folder(), 'compiled-files.key');
const reason = expect.objectContaining({ reason: expect.any(String) });

describe('the key', () => {
  test('is made when a file is signed, not when one is read', () => {
    expect(found()).toEqual({ reason: expect.stringContaining('no key') });
    expect(readdirSync(state)).toEqual([]);
    const key = made();
    expect(key).toMatchObject({ key: expect.objectContaining({ length: 32 }) });
    expect([made(), found()]).toEqual([key, key]);
  });

  test("is the user's alone", () => {
    made();
    expect(lstatSync(folder()).mode & 0o777).toBe(0o700);
    expect(lstatSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder())).toEqual(['compiled-files.key']);
  });

  test('is another for another folder', () => {
    expect(userKey(true, { XDG_STATE_HOME: join(state, 'c') })).not.toEqual(made());
  });

  test('is one, however many processes make it at once', async () => {
    const source = `import { userKey } from ${JSON.stringify(new URL('../../dist/ts/compile/user_key.js', import.meta.url).href)};
      process.on('message', (folder) => { process.send(Buffer.from(userKey(true, { XDG_STATE_HOME: folder }).key).toString('hex')); process.disconnect(); });
      process.send('ready');`;
    const program = join(state, 'make.mjs');
    writeFileSync(program, source);
    const children = Array.from({ length: 4 }, () => fork(program, { execArgv: [] }));
    await Promise.all(children.map((child) => once(child, 'message')));
    const answers = children.map(async (child) => ((await once(child, 'message')) as [string])[0]);
    for (const child of children) child.send(join(state, 'a', 'b'));
    const keys = await Promise.all(answers);
    const key = found();
    expect(new Set(keys)).toEqual(new Set(['key' in key ? Buffer.from(key.key).toString('hex') : '']));
  });
});

describe('is not believed, nor made anew,', () => {
  const spoilt: Readonly<Record<string, () => void>> = {
    'where others may read it': () => chmodSync(file(), 0o640),
    'where others may write it': () => chmodSync(file(), 0o602),
    'where others may write its folder': () => chmodSync(folder(), 0o770),
    'where it is too short': () => truncateSync(file(), 31),
    'where it is too long': () => writeFileSync(file(), Buffer.alloc(33)),
    'where it is empty': () => truncateSync(file(), 0),
    'where it is a link': () => {
      renameSync(file(), join(state, 'elsewhere'));
      symlinkSync(join(state, 'elsewhere'), file());
    },
    'where it is a link to nothing': () => {
      rmSync(file());
      symlinkSync(join(state, 'nowhere'), file());
    },
    'where it is a folder': () => {
      rmSync(file());
      mkdirSync(file(), { mode: 0o600 });
    },
    'where its folder is a link': () => {
      renameSync(folder(), join(state, 'elsewhere'));
      symlinkSync(join(state, 'elsewhere'), folder());
    },
    'where its folder is a file': () => {
      rmSync(folder(), { recursive: true });
      writeFileSync(folder(), '');
    },
  };
  test.each(Object.keys(spoilt))('%s', (how) => {
    made();
    spoilt[how]?.();
    expect([made(), found()]).toEqual([reason, reason]);
  });

  // Only root can give files away.
  test.runIf(isRoot)("where it, or its folder, is another user's", () => {
    made();
    chownSync(file(), 12_345, 12_345);
    expect([made(), found()]).toEqual([reason, reason]);
    chownSync(file(), 0, 0);
    expect(found()).toHaveProperty('key');
    chownSync(folder(), 12_345, 12_345);
    expect([made(), found()]).toEqual([reason, reason]);
  });
});

describe('there is none', () => {
  test('where the folder cannot be made', () => {
    for (const place of ['/proc/none', '/dev/null']) expect(userKey(true, { XDG_STATE_HOME: place })).toEqual(reason);
  });

  test('where the user has no home folder', () => {
    const { HOME } = process.env;
    try {
      for (const home of ['', 'relative']) {
        process.env['HOME'] = home;
        for (const variable of ['', 'relative']) {
          expect(userKey(true, { XDG_STATE_HOME: variable })).toEqual({ reason: 'the user has no home folder' });
        }
      }
    } finally {
      if (HOME === undefined) delete process.env['HOME'];
      else process.env['HOME'] = HOME;
    }
  });
});
