// Compares the modules that the parent names, and says before each which one it is, so that a crash has a name.
import { compare } from './compare.mjs';
import { commonFeatures, moduleOf, seedOf } from './modules.mjs';

const features = commonFeatures();

process.on('message', ({ seed, from, to, objects }) => {
  const sum = { modules: 0, executions: 0, skipped: {}, differences: [] };
  for (let index = from; index < to; index++) {
    process.send({ at: index });
    const module = moduleOf(seedOf(seed, index), features, { objects });
    if (module === undefined) continue;
    const { executions, skipped, difference } = compare(module.bytes, module.seed);
    if (skipped !== undefined) sum.skipped[skipped] = (sum.skipped[skipped] ?? 0) + 1;
    else sum.modules++;
    sum.executions += executions;
    if (difference !== undefined) sum.differences.push({ index, difference });
  }
  process.send({ done: sum });
});
