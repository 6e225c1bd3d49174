/**
 * What TypeScript says of `heddle/typed`: it is asked itself.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const file = fileURLToPath(new URL('types.ts', import.meta.url));
const text = readFileSync(file, 'utf8');
const MARK = /@ts-expect-error (\d+)/;

/** Lines of the file that have errors, with their codes. */
function errorsOf(source: string): string[] {
  const config = ts.readConfigFile(`${root}tsconfig.check.json`, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022, true) : read(name, ...rest);
  const program = ts.createProgram([file], options, host);
  const found = program.getSourceFile(file);
  if (found === undefined) throw new Error(`${file} was not compiled`);
  const errors = program.getSemanticDiagnostics(found);
  return [...new Set(errors.map(({ code, start = 0 }) => `${found.getLineAndCharacterOfPosition(start).line + 1}: ${code}`))];
}

test('accepts what fits, and refuses what does not, each for the reason that is named', { timeout: 120_000 }, () => {
  const expected = text.split('\n').flatMap((line, i) => {
    const code = MARK.exec(line)?.[1];
    return code === undefined ? [] : [`${i + 2}: ${code}`];
  });
  expect(expected.length).toBeGreaterThan(15);
  expect(errorsOf(text.replaceAll('@ts-expect-error', ''))).toEqual(expected);
});
