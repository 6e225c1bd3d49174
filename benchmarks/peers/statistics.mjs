// What is said of repeated measurements.

const sorted = (values) => [...values].sort((a, b) => a - b);

/** The median; of an even number of values the mean of the middle two. */
export function median(values) {
  const all = sorted(values);
  const middle = all.length >> 1;
  return all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

/** Half of the distance from the least to the largest, to the median. */
export function spread(values) {
  const middle = median(values);
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / 2 / middle;
}

export const geometric = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** How often a value of `a` is less than one of `b`, counted over all pairs; a draw is half. */
function wins(a, b) {
  let count = 0;
  for (const x of a) for (const y of b) count += x < y ? 1 : x === y ? 0.5 : 0;
  return count;
}

/** In how many ways m of m + n ranks give each number of wins: Mann and Whitney's recursion. */
function distribution(m, n) {
  let counts = Array.from({ length: n + 1 }, () => [1]);
  for (let i = 1; i <= m; i++) {
    const next = [[1]];
    for (let j = 1; j <= n; j++) {
      // The largest of all is one of the m, and then more than j others, or one of the n.
      const row = new Array(i * j + 1).fill(0);
      counts[j].forEach((ways, u) => {
        row[u + j] += ways;
      });
      next[j - 1].forEach((ways, u) => {
        row[u] += ways;
      });
      next.push(row);
    }
    counts = next;
  }
  return counts[n];
}

/**
 * The chance that two samples of one distribution differ as much as these or more, by Mann and Whitney's test, exactly, both sides. It asks nothing of
 * the distribution; draws make it say slightly more than it should.
 */
export function chance(a, b) {
  const ways = distribution(a.length, b.length);
  const all = ways.reduce((sum, count) => sum + count, 0);
  const won = wins(a, b);
  const least = Math.min(won, a.length * b.length - won);
  const tail = ways.slice(0, Math.floor(least) + 1).reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * tail) / all);
}
