import { createRequire } from 'node:module';
import { Language, Parser } from 'web-tree-sitter';

await Parser.init();
const require = createRequire(import.meta.url);
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve('tree-sitter-javascript/tree-sitter-javascript.wasm')));
const tree = parser.parse('class A { #x = 1; get(y) { return y?.z ?? this.#x; } }\nfor (const a of [1, 2]) console.log(`${a}`);');
console.log(tree.rootNode.toString());
