/**
 * Emscripten's functions `invoke_…`, told by their text: `var sp = stackSave(); try { return getWasmTableEntry(index)(a1); } catch (e) { stackRestore(sp); if (e !== e+0) throw e; _setThrew(1, 0); }`.
 * Names mean nothing, for programs are minified.
 */
import { append, charCodeAt, contains, functionText, indexOf, item, sliced } from '../../base/intrinsics.js';

const SPACE = ' \t\n\r\u2028\u2029\ufeff';
const QUOTES = '"\'';
/** Longer texts are none: the longest have a few dozen params. */
const MOST = 2000;

function isLetter(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f || code === 0x24
  );
}

/** Names and numbers, strings, and single characters; none where there is anything else, a comment say. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < text.length; ) {
    const start = at++;
    const first = sliced(text, start, at);
    if (indexOf(SPACE, first) >= 0) continue;
    if (isLetter(charCodeAt(text, start))) while (at < text.length && isLetter(charCodeAt(text, at))) at++;
    else if (indexOf(QUOTES, first) >= 0) {
      const end = indexOf(text, first, at);
      if (end < 0) return [];
      at = end + 1;
    }
    append(tokens, sliced(text, start, at));
  }
  return tokens;
}

const isName = (token: string | undefined): token is string =>
  token !== undefined && isLetter(charCodeAt(token, 0)) && !(charCodeAt(token, 0) <= 0x39 && charCodeAt(token, 0) >= 0x30);

const DECLARATIONS = ['var', 'let', 'const'];

/** Reads tokens one after the other. What does not fit leaves it failed. */
class Reader {
  readonly #tokens: readonly string[];
  #at = 0;
  failed = false;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get next(): string | undefined {
    return this.#tokens[this.#at];
  }

  get isDone(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** Takes a token where it is the next. */
  may(token: string): boolean {
    if (this.next !== token) return false;
    this.#at++;
    return true;
  }

  /** Takes each of them. */
  must(...tokens: readonly string[]): void {
    for (let i = 0; i < tokens.length; i++) if (!this.may(item(tokens, i))) this.failed = true;
  }

  /** Takes those where they all follow. */
  mayAll(...tokens: readonly string[]): boolean {
    for (let i = 0; i < tokens.length; i++) if (this.#tokens[this.#at + i] !== item(tokens, i)) return false;
    this.#at += tokens.length;
    return true;
  }

  name(): string {
    const found = this.next;
    if (!isName(found)) {
      this.failed = true;
      return '';
    }
    this.#at++;
    return found;
  }

  /** A function's name, or a member's: `a.b`. */
  path(): void {
    do this.name();
    while (this.may('.'));
  }

  /** Names between commas, up to the closing parenthesis. */
  names(): string[] {
    const found: string[] = [];
    if (this.may(')')) return found;
    do append(found, this.name());
    while (this.may(','));
    this.must(')');
    return found;
  }
}

/** `restore(sp)`. */
function restore(reader: Reader, sp: string): void {
  reader.path();
  reader.must('(', sp, ')');
}

/** What it asks of the value that was thrown. */
function test(reader: Reader, thrown: string): void {
  if (reader.mayAll('!', '(', thrown, 'instanceof')) {
    reader.path();
    reader.must(')');
    return;
  }
  if (reader.mayAll('typeof', thrown)) {
    reader.must('!', '=');
    reader.may('=');
    if (!reader.may("'number'")) reader.must('"number"');
  } else {
    reader.must(thrown, '!', '=', '=', thrown, '+', '0');
  }
  if (!reader.mayAll('&', '&')) return;
  reader.must(thrown, '!', '=', '=');
  if (!reader.may("'longjmp'")) reader.must('"longjmp"');
}

/** `setThrew(1, 0)`, and what is returned then. */
function set(reader: Reader): void {
  const returns = reader.may('return');
  reader.path();
  reader.must('(', '1', ',', '0', ')');
  if (returns) reader.must(',', '0n');
  reader.may(';');
  if (reader.may('return')) {
    if (!reader.may('0n')) reader.must('0');
    reader.may(';');
  }
}

/** Whether a function is one that calls the element of a table with its arguments, and catches as Emscripten's do. It takes `params` arguments. */
export function isInvokeGlue(fn: object, params: number): boolean {
  const text = functionText(fn);
  if (text.length > MOST || indexOf(text, 'try') < 0) return false;
  const reader = new Reader(tokensOf(text));
  if (reader.may('async') || reader.next === undefined) return false;
  const isFunction = reader.may('function');
  if (isName(reader.next)) reader.name();
  reader.must('(');
  const names = reader.names();
  if (!isFunction) reader.mayAll('=', '>');
  reader.must('{');
  if (!contains(DECLARATIONS, reader.name())) return false;
  const sp = reader.name();
  reader.must('=');
  reader.path();
  reader.must('(', ')', ';', 'try', '{');
  reader.may('return');
  reader.path();
  const { 0: index = '' } = names;
  reader.must('(', index, ')', '(');
  const given = reader.names();
  reader.may(';');
  reader.must('}', 'catch', '(');
  const thrown = reader.name();
  reader.must(')', '{');
  if (reader.mayAll('if', '(')) {
    restore(reader, sp);
    reader.must(',');
  } else {
    restore(reader, sp);
    reader.must(';', 'if', '(');
  }
  test(reader, thrown);
  reader.must(')', 'throw', thrown, ';');
  set(reader);
  reader.must('}');
  reader.may(';');
  reader.must('}');
  if (reader.failed || !reader.isDone || names.length !== params || given.length !== params - 1) return false;
  for (let i = 0; i < given.length; i++) {
    if (item(given, i) !== item(names, i + 1) || item(given, i) === sp) return false;
    for (let k = 0; k <= i; k++) if (item(names, k) === item(given, i)) return false;
  }
  return index !== sp;
}
