/**
 * Snapshots of C and Rust, whose arrays lie in linear memory: the frames there go with the copy, at the same addresses. What a version gives is what the model gives that
 * is copied where the version was.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Continuation, collect, WebAssembly as Heddle, hibernate, parseWat, type ShadowStackOptions, statistics } from '../../ts/index.js';

const WORDS = 64;
const next = (x: number): number => (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
const sum = (words: readonly number[]): number => words.reduce((a, b) => (a + b) >>> 0, 0);
function fill(seed: number): number[] {
  let x = seed;
  return Array.from({ length: WORDS }, () => {
    x = next(x);
    return x;
  });
}

/** Numbers that look random, the same in each run. */
function numbers(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x = next(x);
    return Math.floor((x / 2 ** 32) * below);
  };
}

/** The function `mixer` of modules/c/fibers.c between two yields. */
class Mixer {
  constructor(
    readonly words: number[],
    readonly above: number,
    public turn = 0,
  ) {}
  copy(): Mixer {
    return new Mixer([...this.words], this.above, this.turn);
  }
  /** What it yields next; with 0 what it returns. */
  give(value: number): number {
    if (value === 0) return (sum(this.words) + this.above) >>> 0;
    const place = this.turn++ % WORDS;
    this.words[place] = ((this.words[place] ?? 0) ^ value) >>> 0;
    return sum(this.words);
  }
}

/** Fibers of C by number, cloned, resumed and freed. */
function clones(depth: number, options: ShadowStackOptions | undefined, steps: number): void {
  const module = new Heddle.Module(
    readFileSync(new URL('../modules/c/fibers.wasm', import.meta.url)),
    options === undefined ? {} : { shadowStack: options },
  );
  const exports = new Heddle.Instance(module, { env: { wait: () => 0, call: () => 0 } }).exports as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const call = (name: string, ...args: unknown[]): unknown => exports[name]?.(...args);
  const resume = (fiber: number, value: number): number =>
    Number(BigInt.asUintN(32, call('resume', fiber, BigInt(value) << 16n) as bigint));
  const DEEP_MIXER = 8;
  const random = numbers(depth + 1);
  const fiber = call('make', DEEP_MIXER) as number;
  const above = Array.from({ length: depth + 1 }, (_, i) => sum(fill(i))).reduce((a, b) => (a + b) >>> 0, 0);
  const first = Number(BigInt.asUintN(32, call('resume', fiber, (BigInt(depth) << 32n) | 7n) as bigint));
  const model = new Mixer(fill(7), above);
  expect(first).toBe(sum(model.words));
  let all = [{ fiber, model }];
  for (let step = 0; step < steps; step++) {
    const one = all[random(all.length)] as { fiber: number; model: Mixer };
    if (random(3) === 0 && all.length < 30) {
      all.push({ fiber: call('clone', one.fiber) as number, model: one.model.copy() });
    } else if (random(6) === 0 && all.length > 1) {
      expect(resume(one.fiber, 0)).toBe(one.model.give(0));
      call('release', one.fiber);
      all = all.filter((other) => other !== one);
    } else {
      const value = 1 + random(0xffff);
      expect(resume(one.fiber, value)).toBe(one.model.give(value));
    }
    if (random(20) === 0) hibernate();
    if (random(20) === 0) collect();
  }
  for (const one of all) {
    expect(resume(one.fiber, 0)).toBe(one.model.give(0));
    call('release', one.fiber);
  }
}

describe('fibers in C', () => {
  test.each([
    ['in slices', 0, undefined],
    ['in slices, behind six frames', 6, undefined],
    ['in small slices', 2, { size: 4096 }],
    ['moved, behind three frames', 3, { move: true }],
  ] as const)('a history of clones, %s', (_, depth, options) => {
    const before = statistics();
    clones(depth, options, 600);
    collect();
    const after = statistics();
    expect(after.continuationCopies).toBe(before.continuationCopies);
    expect(after.hibernatedBytes).toBe(before.hibernatedBytes);
  });

  test('a snapshot that nobody resumes does not keep the stack that the module began with', () => {
    for (let round = 0; round < 3; round++) clones(6, { size: 65_536 }, 60);
  });
});

describe('Rust, and C, as continuations', () => {
  const ASK = `(module (tag $ask (export "ask") (param i32) (result i32))
    (func (export "wait") (param i32) (result i32) (suspend $ask (local.get 0))))`;
  const ask = new Heddle.Instance(new Heddle.Module(parseWat(ASK)), {}).exports;

  /** `work(seed, rounds)`: an array is filled; each round asks with its sum and mixes the answer in. */
  class Work {
    constructor(
      readonly words: number[],
      public round = 0,
    ) {}
    copy(): Work {
      return new Work([...this.words], this.round);
    }
    answer(value: number): number {
      const place = this.round++ % WORDS;
      this.words[place] = ((this.words[place] ?? 0) ^ value) >>> 0;
      return sum(this.words);
    }
  }

  test.each(['rust', 'c'])('%s', (language) => {
    const bytes = readFileSync(new URL(`../modules/${language}/locals.wasm`, import.meta.url));
    const { work } = new Heddle.Instance(new Heddle.Module(bytes), { env: { wait: ask['wait'] } }).exports;
    const random = numbers(99);
    const ROUNDS = 12;
    const begun = new Continuation(work as never).resume(5, ROUNDS);
    const model = new Work(fill(5));
    let all = [{ step: begun, model }];
    let ended = 0;
    for (let step = 0; step < 400 && all.length > 0; step++) {
      const one = all[random(all.length)] as (typeof all)[0];
      if (one.step.done) {
        expect(Number(one.step.value) >>> 0).toBe(sum(one.model.words));
        ended++;
        all = all.filter((other) => other !== one);
        continue;
      }
      expect(Number(one.step.payload[0]) >>> 0).toBe(sum(one.model.words));
      if (random(3) === 0 && all.length < 20) {
        const snapshot = one.step.continuation.snapshot();
        all.push({ step: { ...one.step, continuation: snapshot }, model: one.model.copy() });
      } else {
        const value = random(1 << 30);
        one.model.answer(value);
        one.step = one.step.continuation.resume(value);
      }
    }
    expect(ended).toBeGreaterThan(5);
    for (const { step } of all) if (!step.done) step.continuation.cancel();
  });
});
