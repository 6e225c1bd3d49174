/** Names that are like another: for "did you mean". */

/** Changes of a letter that make one word the other: insertions, deletions, replacements, exchanges of two neighbours. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Longer words are not compared letter by letter: names of C++ have thousands. */
const LONGEST = 200;

/** Names in their order, but the most alike first; whether that one is so much alike that it may be meant. */
export function byLikeness(
  word: string,
  names: readonly string[],
): { readonly names: readonly string[]; readonly meant: string | undefined } {
  const wanted = word.toLowerCase();
  const apart = (name: string): number => (Math.max(word.length, name.length) > LONGEST ? LONGEST : distance(wanted, name.toLowerCase()));
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const far = apart(name);
    if (far < least) [best, least] = [name, far];
  }
  if (best === undefined || least > Math.max(1, Math.floor(word.length / 3))) return { names, meant: undefined };
  return { names: [best, ...names.filter((name) => name !== best)], meant: best };
}

/** `: did you mean NAME?`, or nothing. */
export function didYouMean(word: string, names: readonly string[]): string {
  const { meant } = byLikeness(word, names);
  return meant === undefined ? '' : `: did you mean ${meant}?`;
}

/** Words in lines of that width, two spaces in front. */
export function wrapped(title: string, words: readonly string[], width = 100): readonly string[] {
  const lines: string[] = [];
  let line = `  ${title}`;
  words.forEach((word, i) => {
    const piece = ` ${word}${i + 1 < words.length ? ',' : ''}`;
    if (line.length + piece.length > width) {
      lines.push(line);
      line = `   ${piece}`;
    } else line += piece;
  });
  return [...lines, line];
}
