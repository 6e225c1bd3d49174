import { loadPyodide } from 'pyodide';

const lines = [];
const python = await loadPyodide({ stdout: (line) => lines.push(line) });
python.globals.set('answer', (n) => new Promise((resolve) => setTimeout(() => resolve(n * n), 5)));
python.runPython(`
import sys, json, functools
print(sys.version_info[:2], json.dumps({'sum': sum(i * i for i in range(1000))}), functools.reduce(lambda a, b: a * b, range(1, 15)))
class Tree:
    def __init__(self, depth): self.children = [Tree(depth - 1) for _ in range(2)] if depth else []
    def count(self): return 1 + sum(child.count() for child in self.children)
print(Tree(8).count())
`);
const waits = await Promise.all(
  [1, 2, 3, 4, 5, 6].map((n) =>
    python.runPythonAsync(`
from pyodide.ffi import run_sync
def depth(n, value): return depth(n - 1, value) if n else run_sync(answer(value))
depth(20, ${n})
`),
  ),
);
console.log([...lines, waits.join(' ')].join('\n'));
