// The programs in programs/: what each does, how large it is run (`n`, and `quick` for a look at whether it works), and what it returns, by arithmetic.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sumBelow = (n) => (n * (n - 1n)) / 2n;

/** The n-th prime, by trial division. */
function prime(n) {
  const primes = [];
  for (let candidate = 2; primes.length < n; candidate++) {
    if (primes.every((p) => candidate % p !== 0)) primes.push(candidate);
  }
  return BigInt(primes.at(-1) ?? 0);
}

const TERMS = 1000;
const ROUNDED = 1e6;

/** Leibniz's series as pi.c sums it: by tasks, in the order of IEEE 754's roundings. It must be as near to pi as the first term that is left out. */
function leibniz(tasks) {
  let pi = 0;
  for (let task = 0; task < tasks; task++) {
    let sum = 0;
    for (let term = task * TERMS; term < (task + 1) * TERMS; term++) sum += (term % 2 === 0 ? 4 : -4) / (2 * term + 1);
    pi += sum;
  }
  if (tasks > 0 && Math.abs(pi - Math.PI) > 4 / (2 * tasks * TERMS + 1)) throw new Error(`the series of ${tasks} tasks is ${pi}`);
  return BigInt(Math.floor(pi * ROUNDED * ROUNDED));
}

const DEPTHS = [2, 4, 8, 16, 32, 64];
const DEEP = 3n;

/** `steps` is how many times a run of n goes to a fiber or leaves one and comes back. */
export const PROGRAMS = {
  pairs: {
    what: 'one fiber that yields again and again, nothing else',
    n: 5_000_000,
    quick: 1000,
    steps: (n) => n,
    expected: (n) => n,
  },
  itersum: {
    what: 'a generator, summed',
    n: 5_000_000,
    quick: 1000,
    steps: (n) => n,
    expected: sumBelow,
  },
  sieve: {
    what: 'the n-th prime by a chain of fibers, one for each prime',
    n: 1200,
    quick: 20,
    // What goes through each filter; nearly all is said by the primes themselves.
    steps: undefined,
    expected: (n) => prime(Number(n)),
  },
  state: {
    what: 'a handler of state: get and put',
    n: 2_000_000,
    quick: 1000,
    steps: (n) => 2 * n,
    expected: (n) => n,
  },
  tree: {
    what: 'the leaves of a tree of n levels, yielded from n calls deep',
    n: 20,
    quick: 5,
    steps: (n) => 2 ** n,
    expected: (n) => (n === 0n ? 0n : sumBelow(1n << n) + (1n << n)),
  },
  c10m: {
    what: 'coroutines that yield once each, 10,000 of them alive',
    n: 1_000_000,
    quick: 12_000,
    steps: (n) => 2 * n,
    expected: (n) => 2n * sumBelow(n) + n,
  },
  skynet: {
    what: 'a tree of fibers with ten children each, n levels',
    n: 5,
    quick: 2,
    steps: (n) => (2 * (10 ** (n + 1) - 1)) / 9,
    expected: (n) => sumBelow(10n ** n),
  },
  scheduler: {
    what: 'ten workers that take turns',
    n: 5_000_000,
    quick: 1000,
    steps: (n) => n,
    expected: (n) => (n / 10n) * sumBelow(10n) + sumBelow(n % 10n),
  },
  pi: {
    what: 'a series in n tasks: mostly arithmetic',
    n: 50_000,
    quick: 10,
    steps: (n) => n * 11,
    expected: (n) => leibniz(Number(n)),
  },
  nested: {
    what: `generators in generators, ${DEPTHS[0]} to ${DEPTHS.at(-1)} deep`,
    n: 50_000,
    quick: 20,
    steps: (n) => n * DEPTHS.reduce((sum, depth) => sum + depth),
    expected: (n) => BigInt(DEPTHS.length) * sumBelow(n),
  },
  symmetric: {
    what: 'two coroutines that hand a number to each other: by `switch`, or by a loop that resumes them in turn',
    n: 5_000_000,
    quick: 1000,
    steps: (n) => n,
    expected: (n) => n,
  },
  exceptions: {
    what: 'an exception that leaves a continuation, from three calls deep',
    n: 500_000,
    quick: 1000,
    steps: (n) => 2 * n,
    expected: (n) => sumBelow(n) + DEEP * n,
  },
  million: {
    what: 'coroutines that all wait at once, and then finish',
    n: 1_000_000,
    quick: 1000,
    steps: (n) => 2 * n,
    expected: (n) => 2n * sumBelow(n) + n,
  },
};

/** Why there is no build of a program that has no text for it. */
export const NOT_WRITTEN = 'not written for it';

export const programsFolder = fileURLToPath(new URL('programs', import.meta.url));

/** A program's text in C or in WebAssembly's own form; undefined where there is none. */
export function source(name, language) {
  const file = `${programsFolder}/${name}.${language}`;
  return existsSync(file) ? file : undefined;
}
