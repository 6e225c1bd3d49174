import { loadNodeRuntime } from '@php-wasm/node';
import { PHP } from '@php-wasm/universal';

const php = new PHP(await loadNodeRuntime('8.3', { emscriptenOptions: { processId: 1 } }));
const { text } = await php.run({
  code: `<?php
$words = [];
for ($i = 0; $i < 2000; $i++) $words[] = md5((string) $i);
sort($words);
function fib($n) { return $n < 2 ? $n : fib($n - 1) + fib($n - 2); }
echo PHP_MAJOR_VERSION, ' ', $words[7], ' ', fib(18), ' ', json_encode(['a' => [1, 2.5, null]]), ' ', strlen(gzcompress(str_repeat('heddle', 100))), ' ', preg_replace('/(\\w+) (\\w+)/', '$2 $1', 'hello world');`,
});
console.log(text);
process.exit(0);
