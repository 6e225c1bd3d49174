/**
 * The folded form of legacy exceptions, `(try (do …) (catch $e …))`, in module text. The assembler knows only the flat form, `try … catch $e … end`, so one becomes
 * the other before it. A flat instruction cannot stand among the operands of a folded one: where a `try` is an operand, the instructions around it
 * are unfolded too, `(drop (try …))` to `try … end drop`. Lines stay where they are.
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
/** Lists whose instructions follow each other, flat or folded. */
const SEQUENCES = new Set(['func', 'block', 'loop', 'then', 'else', 'try_table', 'global', 'offset', 'item', 'elem', 'table', 'module']);
/** Lists that belong to an instruction and are no operands. */
const IMMEDIATES = new Set(['type', 'param', 'result', 'on', 'ref']);

/**
 * What a list is: a folded try or an arm of it, a folded if, another folded instruction, an immediate of one, or something in which
 * flat instructions may stand.
 */
type Kind = 'try' | 'arm' | 'if' | 'instruction' | 'immediate' | 'sequence';

/** A list that is open. */
interface List {
  readonly kind: Kind;
  readonly start: number;
  /** Tokens of the instruction and its immediates. */
  readonly head: string[];
  /** Where the first operand begins. */
  operands: number | undefined;
  /** What its closing parenthesis becomes. */
  close: string;
  /** A folded try is among its operands, so that it becomes flat. */
  unfolded: boolean;
}

/** The text with flat legacy exceptions; the text itself where it has no folded ones. */
export function flattenLegacyTry(text: string): string {
  return FOLDED.test(text) ? new Flattening(text).run() : text;
}

class Flattening {
  readonly #text: string;
  readonly #lists: List[] = [];
  readonly #edits: { readonly start: number; readonly end: number; readonly by: string }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): string {
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(this.#text); match !== null; match = TOKEN.exec(this.#text)) {
      const [token] = match;
      if (token === '(;') TOKEN.lastIndex = commentEnd(this.#text, match.index);
      else if (token === '(') this.#open(match.index);
      else if (token === ')') this.#close(match.index);
      else if (!token.startsWith(';;')) this.#word(token);
    }
    return this.#edited();
  }

  #open(at: number): void {
    const head = /^\(\s*([^\s()";]*)/.exec(this.#text.slice(at, at + 64));
    const [whole, keyword] = [head?.[0] ?? '(', head?.[1] ?? ''];
    const parent = this.#lists[this.#lists.length - 1];
    const list: List = { kind: kindOf(keyword, parent), start: at, head: [], operands: undefined, close: ')', unfolded: false };
    const write = (by: string): void => this.#replace(at, at + whole.length, ` ${whole.slice(1, whole.length - keyword.length)}${by}`);
    if (list.kind === 'immediate') this.#word('(');
    else if (parent?.operands === undefined && parent !== undefined) parent.operands = at;
    if (list.kind === 'try') {
      write('try');
      list.close = ' end ';
      this.#unfoldAround();
    } else if (list.kind === 'arm') {
      write(ARMS.get(keyword) ?? '');
      list.close = ' ';
      // A delegate ends its try by itself.
      if (keyword === 'delegate' && parent !== undefined) parent.close = ' ';
    } else if (parent?.kind === 'if' && parent.unfolded && (keyword === 'then' || keyword === 'else')) {
      write(keyword === 'then' ? parent.head.join(' ') : 'else');
      list.close = ' ';
    }
    this.#lists.push(list);
  }

  #close(at: number): void {
    const list = this.#lists.pop();
    if (list?.kind === 'immediate') this.#word(')');
    if (list !== undefined && list.close !== ')') this.#replace(at, at + 1, list.close);
  }

  /** A token that is no list: part of the instruction around it, or of an immediate of that. */
  #word(token: string): void {
    const owner = this.#lists.findLast(({ kind }) => kind !== 'immediate');
    if (owner?.operands === undefined) owner?.head.push(token);
  }

  /** Makes the instructions flat of which what opens now is an operand: each goes behind its operands. */
  #unfoldAround(): void {
    for (let i = this.#lists.length - 1; i >= 0; i--) {
      const list = this.#lists[i];
      if (list === undefined || list.unfolded || (list.kind !== 'instruction' && list.kind !== 'if')) return;
      list.unfolded = true;
      list.close = list.kind === 'if' ? ' end ' : ` ${list.head.join(' ')} `;
      const end = list.operands ?? list.start;
      this.#replace(list.start, end, this.#text.slice(list.start, end).replace(/[^\n]+/g, ' '));
    }
  }

  #replace(start: number, end: number, by: string): void {
    this.#edits.push({ start, end, by });
  }

  #edited(): string {
    const pieces: string[] = [];
    let copied = 0;
    for (const { start, end, by } of this.#edits.sort((a, b) => a.start - b.start)) {
      pieces.push(this.#text.slice(copied, start), by);
      copied = end;
    }
    return pieces.join('') + this.#text.slice(copied);
  }
}

function kindOf(keyword: string, parent: List | undefined): Kind {
  if (keyword === 'try') return 'try';
  if (parent?.kind === 'try' && ARMS.has(keyword)) return 'arm';
  if (parent?.kind === 'immediate' || (IMMEDIATES.has(keyword) && parent !== undefined)) return 'immediate';
  if (keyword === 'if') return 'if';
  // Outside functions and in annotations all is left as it is.
  return SEQUENCES.has(keyword) || keyword.startsWith('@') || keyword === '' ? 'sequence' : 'instruction';
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
