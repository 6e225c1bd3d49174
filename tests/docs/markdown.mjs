// Snippets of the documentation, taken out of its Markdown.

/** A line of a program that prints: the comment behind it is what it prints. */
const PRINTS = /console\.log\(.*\);?[ })]*\/\/ (.*)$/;

/**
 * The fenced blocks of a Markdown text: `{ language, code, line, reason }`. A comment `<!-- not run: REASON -->` in
 * front of a block says why it cannot be run; `reason` is undefined where there is none.
 */
export function snippetsOf(text) {
  const snippets = [];
  const lines = text.split('\n');
  let reason;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const fence = /^( *)```(\w*)/.exec(line);
    if (fence === null) {
      const comment = /^ *<!-- not run: (.*) -->$/.exec(line);
      if (comment !== null) reason = comment[1];
      else if (line.trim() !== '') reason = undefined;
      continue;
    }
    const [, indent, language] = fence;
    const start = i + 1;
    do i++;
    while (i < lines.length && !/^ *```$/.test(lines[i]));
    const code = lines.slice(start, i).map((inner) => `${inner.startsWith(indent) ? inner.slice(indent.length) : inner}\n`);
    snippets.push({ language, code: code.join(''), line: start, reason });
    reason = undefined;
  }
  return snippets;
}

/** The text of a source file's docstrings, each line where it stands there. */
export function docstringsOf(source) {
  return source
    .split('\n')
    .map((line) => /^ *\*(?: (.*)|)$/.exec(line)?.[1] ?? '')
    .join('\n');
}

/**
 * What a JavaScript snippet says that it prints: the comment behind each `console.log`, a line each. Throws where one
 * has none.
 */
export function saidOutput(code) {
  const prints = code.split('\n').filter((line) => line.includes('console.log('));
  return prints.map((line) => {
    const comment = PRINTS.exec(line);
    if (comment === null) throw new Error(`what is printed is not said: ${line}`);
    return `${comment[1]}\n`;
  });
}
