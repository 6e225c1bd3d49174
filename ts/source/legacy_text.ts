/**
 * The folded form of legacy exceptions, `(try (do …) (catch $e …))`, in module text. The assembler knows only the flat form, `try … catch $e … end`, so one becomes
 * the other before it. Lines stay where they are. A folded `try` that is the operand of another folded instruction stays as it is, and is an error of the
 * assembler's.
 */

const FOLDED = /\(\s*try[\s()]/;
/** Strings, comments, parentheses, everything else that is not white space. */
const TOKEN = /"(?:[^"\\]|\\.)*"|;;[^\n]*|\(;|\(|\)|[^\s()";]+|;/g;
/** What may stand in a folded try and opens a list of instructions, by what is written in its place. */
const ARMS = new Map([
  ['do', ''],
  ['catch', 'catch'],
  ['catch_all', 'catch_all'],
  ['delegate', 'delegate'],
]);

/** A list that is open. */
interface List {
  /** What its closing parenthesis becomes. */
  close: string;
  /** It is a folded try. */
  readonly isTry: boolean;
}

/** The text with flat legacy exceptions; the text itself where it has no folded ones. */
export function flattenLegacyTry(text: string): string {
  if (!FOLDED.test(text)) return text;
  const pieces: string[] = [];
  const lists: List[] = [];
  let copied = 0;
  const replace = (start: number, end: number, by: string): void => {
    pieces.push(text.slice(copied, start), by);
    copied = end;
  };
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const at = match.index;
    if (match[0] === '(;') TOKEN.lastIndex = commentEnd(text, at);
    else if (match[0] === '(') lists.push(open(text, at, lists[lists.length - 1], replace));
    else if (match[0] === ')') {
      const list = lists.pop();
      if (list !== undefined && list.close !== ')') replace(at, at + 1, list.close);
    }
  }
  return pieces.join('') + text.slice(copied);
}

function open(text: string, at: number, parent: List | undefined, replace: (start: number, end: number, by: string) => void): List {
  const head = /^\(\s*([^\s()";]*)/.exec(text.slice(at, at + 64));
  const [whole, keyword] = [head?.[0] ?? '(', head?.[1] ?? ''];
  const spaces = whole.slice(1, whole.length - keyword.length);
  if (keyword === 'try') {
    replace(at, at + whole.length, ` ${spaces}try`);
    return { close: ' end ', isTry: true };
  }
  const arm = parent?.isTry === true ? ARMS.get(keyword) : undefined;
  if (arm === undefined || parent === undefined) return { close: ')', isTry: false };
  replace(at, at + whole.length, ` ${spaces}${arm}`);
  // A delegate ends its try by itself.
  if (keyword === 'delegate') parent.close = ' ';
  return { close: ' ', isTry: false };
}

/** Where the block comment that begins at `at` ends; they nest. */
function commentEnd(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length - 1; i++) {
    const two = text.slice(i, i + 2);
    if (two === '(;') depth++;
    else if (two === ';)') depth--;
    else continue;
    i++;
    if (depth === 0) return i + 1;
  }
  return text.length;
}
