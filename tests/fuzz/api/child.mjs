// Runs sequences of seeds in a process of its own; tells the parent each seed before it is tried, so that a crash has a name.
import { setImmediate as turn } from 'node:timers/promises';
import * as heddle from '../../../dist/heddle.mjs';
import { runSequence } from './sequence.mjs';
import { wrongness } from './world.mjs';

/** Sequences between two looks for leaks. */
const LOOK = 150;
/** What may live on by chance: words in frames that look like addresses, and what V8 has not got around to. */
const SLACK = 150;
const COUNTERS = [
  'continuationsLive',
  'exceptionsLive',
  'stacksLive',
  'instances',
  'tables',
  'globals',
  'tags',
  'memories',
  'hostFunctions',
  'holders',
  'externrefs',
  'codes',
];

let baseline;
let tried = 0;

/** Counters that have risen since the first look, after everything was let go of. */
async function leaks() {
  for (let i = 0; i < 6; i++) {
    globalThis.gc();
    await turn();
    heddle.collect();
    await turn();
  }
  const now = heddle.statistics();
  baseline ??= now;
  return COUNTERS.filter((name) => now[name] > baseline[name] + SLACK).map((name) => `leak: ${name} ${baseline[name]} to ${now[name]}`);
}

// Between two sequences, of one that is over.
process.on('unhandledRejection', late);
process.on('uncaughtException', late);
let lateWrong = [];
function late(error) {
  const why = wrongness(error);
  if (why !== undefined) lateWrong.push(`late: ${why}`);
}

process.on('message', async ({ from, to }) => {
  for (let seed = from; seed < to; seed++) {
    process.send({ at: seed });
    const wrong = [...(await runSequence(seed)), ...lateWrong].map((line) => `seed ${seed} (--before ${seed - from}): ${line}`);
    lateWrong = [];
    if (++tried % LOOK === 0) for (const line of await leaks()) wrong.push(`seeds up to ${seed}: ${line}`);
    process.send({ done: seed, wrong });
  }
  process.send({ over: true });
});
