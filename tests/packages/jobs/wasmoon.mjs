import { LuaFactory } from 'wasmoon';

const lua = await new LuaFactory().createEngine();
lua.global.set('twice', (x) => x * 2);
console.log(
  await lua.doString(`
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local words = {}
for i = 1, 2000 do words[#words + 1] = string.format('%d:%s', twice(i), string.rep('x', i % 7)) end
table.sort(words)
return fib(27) .. ' ' .. #table.concat(words, ',') .. ' ' .. words[1000]`),
);
lua.global.close();
