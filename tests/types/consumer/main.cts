/** The same of CommonJS. Only compiled (tests/types). */
import heddle = require('heddle');
import typed = require('heddle/typed');
import register = require('heddle/register');

const { parseWat, Scheduler, WebAssembly } = heddle;

async function main(): Promise<number> {
  const { instance } = await WebAssembly.instantiate<{ f(): number }>(parseWat('(module)'));
  const tag: heddle.WebAssembly.Tag = new typed.Tag({ parameters: ['i32'] });
  const memory: heddle.WebAssembly.Memory = new register.V8.Memory({ initial: 1 });
  console.log(tag, memory);
  return await new Scheduler().spawn(instance.exports.f).promise;
}

// Both kinds of modules have the same classes.
import('heddle').then(({ Scheduler: Other }) => {
  const one: heddle.Scheduler = new Other();
  console.log(one);
});

export = main;
