import { loadMicroPython } from '@micropython/micropython-webassembly-pyscript/micropython.mjs';

const lines = [];
const python = await loadMicroPython({ stdout: (line) => lines.push(line), linebuffer: true });
python.runPython(`
def primes(n):
    found = []
    for i in range(2, n):
        for p in found:
            if p * p > i:
                found.append(i)
                break
            if i % p == 0:
                break
        else:
            found.append(i)
    return found

class Counter:
    def __init__(self):
        self.counts = {}
    def add(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1

counter = Counter()
for p in primes(50000):
    counter.add(str(p)[-1])
print(sorted(counter.counts.items()))
`);
console.log(lines.join('\n'));
