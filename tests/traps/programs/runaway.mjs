// A function that resumes a new continuation of itself for ever, three times over; prints how that ended, and the memory that it took at most.
import { configure, WebAssembly as Heddle, parseWat, statistics } from '../../../dist/heddle.mjs';

const [maximum = '', strategy = 'pool'] = process.argv.slice(2);
configure({ stack: { maximum: Number(maximum), strategy } });
const text = `(module (type $f (func)) (type $k (cont $f)) (elem declare func $self)
  (func $self (export "f") (resume $k (cont.new $k (ref.func $self))))
  (func (export "fine") (result i32) (i32.const 42)))`;
const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(text)));
const kilobytes = () => process.resourceUsage().maxRSS;
const start = kilobytes();
const ends = [];
for (let i = 0; i < 3; i++) {
  try {
    exports.f();
    ends.push('returned');
  } catch (error) {
    ends.push(error.code);
  }
  ends.push(exports.fine());
}
const { continuationsLive, stacksLive, stacksPeak } = statistics();
console.log(JSON.stringify({ ends, grown: kilobytes() - start, continuationsLive, stacksLive, stacksPeak }));
