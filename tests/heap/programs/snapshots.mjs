// Two suspended continuations, and with the argument `plant` an address inside the frames of one in the payload of the other. Prints how often the check ran.

import { LIMIT, VMContinuation, VMFiber, VMFunction, VMInstance, VMThread } from '../../../dist/ts/generated/abi.js';
import { Continuation, collect, parseWat, statistics, WebAssembly } from '../../../dist/ts/index.js';
import { theEngine } from '../../../dist/ts/instance/engine.js';
import { Handle } from '../../../dist/ts/instance/functions/mailbox.js';

const text = '(module (tag $t) (func (export "wait") (suspend $t)))';
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)));
const engine = theEngine();
const load = (address) => Number(engine.native.load(address, 'u64'));
const made = [1, 2].map(() => {
  const step = new Continuation(exports.wait).resume();
  const handle = new Handle();
  engine.mailbox.save(handle);
  return { step, index: handle.index };
});

collect();
if (process.argv[2] === 'plant') {
  const thread = load(load(engine.exports.addressOf(exports.wait) + VMFunction.context) + VMInstance.thread);
  const [one, other] = made.map(({ index }) => load(thread + VMThread.continuations) + index * 2 ** LIMIT.recordSizeLog2);
  engine.native.store(load(one + VMContinuation.slots), 'u64', load(load(other + VMContinuation.fiber) + VMFiber.sp));
}
collect();
const waiting = made.filter(({ step }) => !step.done).length;
process.stdout.write(JSON.stringify({ checks: statistics().snapshotChecks, doubts: statistics().snapshotDoubts, waiting }));
