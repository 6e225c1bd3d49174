/** The instructions of a function in a module's text, in the order of the binary format. */

/** An instruction. Positions are indices in the text. */
export interface Instruction {
  /** What a message points at. */
  readonly at: number;
  /** Where a folded instruction can be written that is executed right before. */
  readonly insertAt: number;
}

interface Atom {
  readonly text: string;
  readonly at: number;
}

interface List {
  readonly items: Item[];
  readonly open: number;
  close: number;
}

type Item = Atom | List;

const isList = (item: Item | undefined): item is List => item !== undefined && 'items' in item;

/** Strings, comments, parentheses, everything else that is not white space. */
const TOKEN = /"(?:[^"\\]|\\.)*"|;;[^\n]*|\(;|\(|\)|[^\s()";]+|;/g;

/** The text's lists; undefined where they are not closed. */
function listsOf(text: string): List | undefined {
  const whole: List = { items: [], open: 0, close: text.length };
  const open = [whole];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match;
    const top = open.at(-1);
    if (top === undefined) return undefined;
    if (token === '(;') TOKEN.lastIndex = commentEnd(text, match.index);
    else if (token === '(') {
      const list = { items: [], open: match.index, close: text.length };
      top.items.push(list);
      open.push(list);
    } else if (token === ')') {
      top.close = match.index;
      open.pop();
    } else if (!token.startsWith(';')) top.items.push({ text: token, at: match.index });
  }
  return open.length === 1 ? whole : undefined;
}

/** Behind the block comment that begins there; they nest. */
function commentEnd(text: string, from: number): number {
  const mark = /\(;|;\)/g;
  mark.lastIndex = from;
  let depth = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    depth += match[0] === '(;' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}

const headOf = (list: List): string => {
  const [first] = list.items;
  return first !== undefined && !isList(first) ? first.text : '';
};

/** Lists that belong to an instruction, or to the function, and are no operands. */
const IMMEDIATES = new Set([
  'type',
  'param',
  'result',
  'local',
  'export',
  'import',
  'on',
  'ref',
  'catch',
  'catch_ref',
  'catch_all',
  'catch_all_ref',
]);
/** Instructions with instructions inside. */
const BLOCKS = new Set(['block', 'loop', 'try_table']);
/** Instructions whose names have no dot. */
const PLAIN = new Set(
  `unreachable nop block loop if else try catch catch_all throw rethrow throw_ref delegate end br br_if br_table return call call_indirect
  return_call return_call_indirect call_ref return_call_ref drop select try_table br_on_null br_on_non_null br_on_cast br_on_cast_fail
  suspend resume resume_throw resume_throw_ref switch pause`.split(/\s+/),
);
const isInstruction = (text: string): boolean => PLAIN.has(text) || /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/.test(text);

/** The instructions of one of the functions that a module defines, the last of which is its end; undefined where it is not found. */
export function instructionsOf(text: string, defined: number): readonly Instruction[] | undefined {
  const whole = listsOf(text);
  if (whole === undefined) return undefined;
  const module = whole.items.find((item) => isList(item) && headOf(item) === 'module');
  const fields = isList(module) ? module.items : whole.items;
  const functions = fields.filter(
    (item): item is List =>
      isList(item) && headOf(item) === 'func' && !item.items.some((part) => isList(part) && headOf(part) === 'import'),
  );
  const fn = functions[defined];
  if (fn === undefined) return undefined;
  const walk = new Walk();
  walk.sequence(fn.items.slice(1));
  walk.add(fn.close, fn.close);
  return walk.isKnown ? walk.found : undefined;
}

class Walk {
  readonly found: Instruction[] = [];
  /** Nothing was met that is another form of something else (ts/source/legacy_text.ts). */
  isKnown = true;

  add(at: number, insertAt: number): void {
    this.found.push({ at, insertAt });
  }

  /** Instructions that follow each other, flat or folded. */
  sequence(items: readonly Item[]): void {
    for (const item of items) {
      if (isList(item)) this.folded(item);
      else if (isInstruction(item.text)) this.add(item.at, item.at);
    }
  }

  folded(list: List): void {
    const [first, ...rest] = list.items;
    const head = headOf(list);
    if (first === undefined || isList(first) || IMMEDIATES.has(head) || head.startsWith('@')) return;
    if (head === 'try') this.isKnown = false;
    else if (BLOCKS.has(head)) {
      this.add(first.at, list.open);
      this.sequence(rest);
      this.add(list.close, list.close);
    } else if (head === 'if') this.conditional(list, first);
    else {
      for (const item of rest) if (isList(item)) this.folded(item);
      this.add(first.at, list.close);
    }
  }

  conditional(list: List, first: Atom): void {
    const arms = list.items.filter(isList);
    const then = arms.find((arm) => headOf(arm) === 'then');
    const otherwise = arms.find((arm) => headOf(arm) === 'else');
    for (const arm of arms) if (arm !== then && arm !== otherwise) this.folded(arm);
    if (then === undefined) return;
    this.add(first.at, then.open);
    this.sequence(then.items.slice(1));
    if (otherwise !== undefined) {
      this.add(otherwise.open, then.close);
      this.sequence(otherwise.items.slice(1));
    }
    this.add(list.close, (otherwise ?? then).close);
  }
}
