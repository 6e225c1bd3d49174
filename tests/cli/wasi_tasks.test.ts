/** Several exports of a WASI program as tasks: who waits for a clock or for standard input lets the others go on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heddle, root } from './command.js';

/**
 * Each task writes letters as it goes. `print(c)` writes one; `sleep(ms)` waits for the monotonic clock by poll_oneoff; `read` reads up to 64 bytes to 512
 * and gives how many; `ready(ms)` polls standard input and a clock at once and gives the userdata of the first event: 7 for input, 9 for the clock.
 */
const PROGRAM = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $print (param i32)
    (i32.store8 (i32.const 32) (local.get 0))
    (i32.store (i32.const 16) (i32.const 32)) (i32.store (i32.const 20) (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))))
  (func $clock (param $at i32) (param $userdata i64) (param $clock i32) (param $ms i32) (param $flags i32)
    (memory.fill (local.get $at) (i32.const 0) (i32.const 48))
    (i64.store (local.get $at) (local.get $userdata))
    (i32.store offset=16 (local.get $at) (local.get $clock))
    (i64.store offset=24 (local.get $at) (i64.mul (i64.extend_i32_u (local.get $ms)) (i64.const 1000000)))
    (i32.store16 offset=40 (local.get $at) (local.get $flags)))
  (func $sleep (param $base i32) (param $ms i32)
    (call $clock (local.get $base) (i64.const 9) (i32.const 1) (local.get $ms) (i32.const 0))
    (if (call $poll (local.get $base) (i32.add (local.get $base) (i32.const 96)) (i32.const 1) (i32.add (local.get $base) (i32.const 200)))
      (then unreachable))
    (if (i32.ne (i32.load offset=200 (local.get $base)) (i32.const 1)) (then unreachable)))
  (func $read (result i32)
    (i32.store (i32.const 500) (i32.const 512)) (i32.store (i32.const 504) (i32.const 64))
    (if (call $fd_read (i32.const 0) (i32.const 500) (i32.const 1) (i32.const 508)) (then unreachable))
    (i32.load (i32.const 508)))

  (func (export "slow") (call $print (i32.const 97)) (call $sleep (i32.const 1024) (i32.const 300)) (call $print (i32.const 98)))
  (func (export "quick") (call $print (i32.const 49)) (call $sleep (i32.const 2048) (i32.const 20)) (call $print (i32.const 50)))
  (func (export "reader") (local $n i32) (local $i i32)
    (loop $more
      (if (local.tee $n (call $read)) (then
        (local.set $i (i32.const 0))
        (loop $each
          (call $print (i32.load8_u offset=512 (local.get $i)))
          (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (br $more))))
    (call $print (i32.const 46)))
  (func (export "ready") (result i64)
    (call $clock (i32.const 4096) (i64.const 9) (i32.const 1) (i32.const 200) (i32.const 0))
    (memory.fill (i32.const 4144) (i32.const 0) (i32.const 48))
    (i64.store (i32.const 4144) (i64.const 7)) (i32.store8 (i32.const 4152) (i32.const 1))
    (if (call $poll (i32.const 4096) (i32.const 4200) (i32.const 2) (i32.const 4300)) (then unreachable))
    (i64.load (i32.const 4200)))
  ;; Waits until the real time is 50 ms later than now, and gives by how many milliseconds it is too early then: 0.
  (func (export "absolute") (result i64) (local $until i64)
    (drop (call $now (i32.const 0) (i64.const 1) (i32.const 5000)))
    (local.set $until (i64.add (i64.load (i32.const 5000)) (i64.const 50000000)))
    (call $clock (i32.const 5008) (i64.const 9) (i32.const 0) (i32.const 0) (i32.const 1))
    (i64.store (i32.const 5032) (local.get $until))
    (if (call $poll (i32.const 5008) (i32.const 5100) (i32.const 1) (i32.const 5200)) (then unreachable))
    (drop (call $now (i32.const 0) (i64.const 1) (i32.const 5000)))
    (select (i64.const 0) (i64.div_u (i64.sub (local.get $until) (i64.load (i32.const 5000))) (i64.const 1000000))
      (i64.gt_s (i64.add (i64.load (i32.const 5000)) (i64.const 2000000)) (local.get $until))))
  (func (export "bad") (result i32 i32 i32)
    (call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $poll (i32.const -16) (i32.const 0) (i32.const 1) (i32.const 0))
    (call $clock (i32.const 6000) (i64.const 1) (i32.const 2) (i32.const 1) (i32.const 0))
    (drop (call $poll (i32.const 6000) (i32.const 6100) (i32.const 1) (i32.const 6200)))
    (i32.load16_u (i32.const 6108)))
  (func $turns (param $c i32) (local $n i32)
    (loop $next
      (call $print (local.get $c)) (drop (call $yield))
      (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 3)))))
  (func (export "xs") (call $turns (i32.const 120)))
  (func (export "ys") (call $turns (i32.const 121)))
  (func (export "exits") (call $sleep (i32.const 3072) (i32.const 20)) (call $exit (i32.const 42)))
  (func (export "traps") (call $sleep (i32.const 3072) (i32.const 20)) unreachable))`;

let folder: string;
let program: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-wasi-'));
  program = join(folder, 'program.wat');
  writeFileSync(program, PROGRAM);
});
afterAll(() => rmSync(folder, { recursive: true }));

const tasks = (...names: string[]): string[] => ['run', ...names.flatMap((name) => ['--invoke', name]), program];

/** Starts a run whose standard input is a pipe, or what is given. */
function start(names: readonly string[], input: 'pipe' | number = 'pipe') {
  const child = spawn(process.execPath, ['bin/heddle.cjs', ...tasks(...names)], { cwd: root, stdio: [input, 'pipe', 'inherit'] });
  let text = '';
  const { stdout } = child;
  if (stdout === null) throw new Error('no output');
  stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return {
    child,
    /** Waits until this was written. */
    async written(part: string): Promise<void> {
      while (!text.includes(part)) await once(stdout, 'data');
    },
    /** What was written in all, and the exit status. */
    async ended(): Promise<[string, number | null]> {
      const [status] = (await once(child, 'close')) as [number | null];
      return [text, status];
    },
  };
}

describe('clocks', () => {
  test('one task sleeps, the other goes on', () => {
    expect(heddle(tasks('slow', 'quick'))).toEqual({ status: 0, stdout: 'a12b', stderr: '' });
  });

  test('by the real time of a moment', () => {
    expect(heddle(tasks('absolute', 'quick')).stdout.replace(/[12]/g, '')).toBe('0\n');
  });

  test('what cannot be waited for is an error number', () => {
    // EINVAL for no subscriptions, EFAULT outside the memory, ENOTSUP for a clock of CPU time.
    expect(heddle(tasks('bad', 'quick'))).toMatchObject({ status: 0, stdout: expect.stringContaining('28\n21\n58\n') });
  });

  test('sched_yield gives the others their turn', () => {
    expect(heddle(tasks('xs', 'ys')).stdout).toBe('xyxyxy');
  });
});

describe('standard input', () => {
  test('a pipe: reading waits for each piece, and the others go on', async () => {
    const run = start(['reader', 'slow']);
    await run.written('b');
    run.child.stdin?.write('xyz');
    await run.written('xyz');
    run.child.stdin?.end('w');
    expect(await run.ended()).toEqual(['abxyzw.', 0]);
  });

  test('a pipe that nobody writes to does not keep the process once the tasks have ended', async () => {
    const run = start(['ready', 'quick']);
    // Nothing came: the clock was first.
    expect(await run.ended()).toEqual(['129\n', 0]);
  });

  test('polling says that there is something to read', async () => {
    const run = start(['ready', 'slow']);
    run.child.stdin?.write('!');
    expect(await run.ended()).toEqual(['a7\nb', 0]);
  });

  test('more than a read takes is kept', async () => {
    const text = Array.from({ length: 500 }, (_, i) => `${i},`).join('');
    const run = start(['reader', 'quick']);
    await run.written('2');
    run.child.stdin?.end(text);
    expect(await run.ended()).toEqual([`12${text}.`, 0]);
  });

  /** Runs `reader` and `slow` with a standard input that a Python program makes: it has `argument`, and ends in `run()`. */
  async function withInput(python: string, argument: string): Promise<[string, number | null]> {
    const run = 'import os, sys\ndef run(): os.execvp(sys.argv[2], sys.argv[2:])\n';
    const args = [run + python, argument, process.execPath, 'bin/heddle.cjs', ...tasks('reader', 'slow')];
    const child = spawn('python3', ['-c', ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    return [text, status];
  }

  test('a socket', async () => {
    const server = createServer((socket) => socket.end('from the socket')).listen(join(folder, 'socket'));
    await once(server, 'listening');
    const connect = 'import socket\ns = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); os.dup2(s.fileno(), 0); run()';
    const [text, status] = await withInput(connect, join(folder, 'socket'));
    server.close();
    expect(status).toBe(0);
    expect(text.replace('from the socket', '')).toMatch(/^a(b\.|\.b)$/);
  });

  test('a terminal: a line, then its end', async () => {
    const terminal = `import pty
master, slave = pty.openpty()
child = os.fork()
if child == 0:
  os.close(master); os.dup2(slave, 0); run()
os.close(slave)
os.write(master, sys.argv[1].encode() + b'\\n\\x04')
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))`;
    const [text, status] = await withInput(terminal, 'typed');
    expect(status).toBe(0);
    expect(text.replace('typed\n', '')).toMatch(/^a(b\.|\.b)$/);
  });

  test('a regular file is read at once', async () => {
    const file = join(folder, 'input');
    writeFileSync(file, 'file');
    expect(await start(['reader', 'quick'], openSync(file, 'r')).ended()).toEqual(['file.12', 0]);
  });
});

describe('standard output', () => {
  // The program gives the error number of the first write that fails, else 0.
  const writer = `(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $many (result i32) (local $i i32) (local $errno i32)
      (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 1000))
      (memory.fill (i32.const 1024) (i32.const 97) (i32.const 1000))
      (loop $next (result i32)
        (if (local.tee $errno (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (then (return (local.get $errno))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))
        (i32.const 0)))
    (func (export "many") (result i32) (call $many))
    (func (export "none")))`;

  test.each([[['many']], [['many', 'none']]])('a pipe that is full is waited for: %s', async (names) => {
    const file = join(folder, 'writer.wat');
    writeFileSync(file, writer);
    const child = spawn(process.execPath, ['bin/heddle.cjs', 'run', ...names.flatMap((name) => ['--invoke', name]), file], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Until now nobody has read.
    await sleep(600);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    expect([status, text.replaceAll('a', ''), text.length]).toEqual([0, '0\n', 1_000_002]);
  });
});

describe('the end', () => {
  test('proc_exit of one task ends all', () => {
    expect(heddle(tasks('slow', 'exits'))).toEqual({ status: 42, stdout: 'a', stderr: '' });
  });

  test('so does a trap', () => {
    const { status, stdout, stderr } = heddle(tasks('slow', 'traps'));
    expect([status, stdout]).toEqual([134, 'a']);
    expect(stderr).toMatch(/^heddle: unreachable \(HEDDLE_TRAP_UNREACHABLE\)\n {4}at traps/);
  });

  test('functions with parameters are no tasks', () => {
    expect(heddle(['run', '--invoke', 'slow', '--invoke', 'quick', program, '1'])).toMatchObject({ status: 2, stdout: '' });
  });
});
