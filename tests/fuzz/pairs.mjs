// Pairs of modules: what one exports the other imports, with types that are equal or nearly so, and collections between. Whether they link, and whether an indirect call finds its
// type, is what the specification says (pair_types.mjs), and what V8 says, where it takes the modules. HEDDLE_DEBUG_TYPES=1 lets the engine look at itself after each collection.
import v8 from 'node:v8';
import vm from 'node:vm';
import { collect } from '../../dist/heddle.mjs';
import { HEDDLE, V8 } from './engines.mjs';
import { outcome } from './outcomes.mjs';
import { caller, exporter, importer } from './pair_modules.mjs';
import { formsOf, isBelow, mutated, randomGroups } from './pair_types.mjs';
import { mix, Random } from './random.mjs';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

const STEPS = 12;
/** Exporters that live at a time, at most. */
const MOST = 4;

/** An exporter in both engines; V8's is undefined where it does not take such modules. */
class Exporter {
  constructor(groups, plain) {
    this.groups = groups;
    this.plain = plain;
    this.forms = formsOf(groups);
    this.bytes = exporter(groups, { typed: !plain, tags: !plain });
    this.heddle = new HEDDLE.Instance(new HEDDLE.Module(this.bytes)).exports;
    this.v8 = WebAssembly.validate(this.bytes) ? new V8.Instance(new V8.Module(this.bytes)).exports : undefined;
  }
}

/** Whether an import of that kind links, by the specification. */
function links(kind, actual, wanted) {
  if (kind === 'f' || kind === 'g') return isBelow(actual, wanted);
  return kind === 'e' ? actual.text === wanted.text : actual.text === wanted.text;
}

function linkOutcome(api, bytes, exports) {
  return outcome(() => {
    new api.Instance(new api.Module(bytes), { a: exports });
    return 'links';
  });
}

/** Runs the pairs of a number. The text of what differed, with what it was; undefined where nothing did. */
export function comparePairs(seed, mark = () => undefined) {
  const random = new Random(mix(seed, 77));
  const plain = random.below(3) === 0;
  let live = [];
  for (let step = 0; step < STEPS; step++) {
    if (live.length === 0 || (live.length < MOST && random.below(3) === 0)) {
      const like = live.length > 0 && random.below(2) === 0 ? live[random.below(live.length)].groups : randomGroups(random, plain);
      live.push(new Exporter(random.below(2) === 0 ? like : mutated(random, like, plain), plain));
    }
    const from = live[random.below(live.length)];
    const extra = random.below(2) === 0 ? randomGroups(random, plain) : [];
    const own = random.below(2) === 0 ? from.groups : mutated(random, from.groups, plain);
    const groups = [...own, ...shifted(extra, own.flat().length)];
    const difference = random.below(2) === 0 ? compareCalls(from, groups, mark) : compareLink(random, from, groups, mark);
    if (difference !== undefined) return `step ${step}: ${difference}`;
    if (random.below(3) === 0) live = live.filter(() => random.below(2) === 0);
    if (random.below(3) === 0) {
      gc();
      collect();
    }
  }
  return undefined;
}

/** Groups whose indices begin at `by`. */
function shifted(groups, by) {
  const value = (one) => (typeof one === 'object' ? { index: one.index + by } : one);
  return groups.map((group) =>
    group.map(({ open, super: above, params, results }) => ({
      open,
      super: above < 0 ? -1 : above + by,
      params: params.map(value),
      results: results.map(value),
    })),
  );
}

function compareLink(random, from, groups, mark) {
  const forms = formsOf(groups);
  const kinds = from.plain ? ['f'] : ['f', 'g', 'm', 't', 'e'];
  const kind = kinds[random.below(kinds.length)];
  const actual = random.below(from.forms.length);
  const wanted = random.below(forms.length);
  const name = `${kind}${actual}`;
  if (!(name in from.heddle)) return undefined;
  if (kind === 'e' && groups.flat()[wanted].results.length > 0) return undefined;
  const bytes = importer(groups, kind, name, wanted);
  const expected = links(kind, from.forms[actual], forms[wanted]) ? 'links' : 'threw LinkError';
  const found = linkOutcome(HEDDLE, bytes, from.heddle);
  mark(expected);
  if (found !== expected) return `import of ${name} as type ${wanted}: ${expected} is right, Heddle ${found}\n${described(from, groups)}`;
  if (from.v8 === undefined || !WebAssembly.validate(bytes)) return undefined;
  const other = linkOutcome(V8, bytes, from.v8);
  return other === expected
    ? undefined
    : `import of ${name} as type ${wanted}: ${expected} is right, V8 ${other}\n${described(from, groups)}`;
}

function compareCalls(from, groups, mark) {
  const forms = formsOf(groups);
  const bytes = caller(groups);
  const heddle = new HEDDLE.Instance(new HEDDLE.Module(bytes), { a: from.heddle }).exports;
  const v8 =
    from.v8 !== undefined && WebAssembly.validate(bytes) ? new V8.Instance(new V8.Module(bytes), { a: from.v8 }).exports : undefined;
  for (let actual = 0; actual < from.forms.length; actual++) {
    for (let wanted = 0; wanted < forms.length; wanted++) {
      const expected = isBelow(from.forms[actual], forms[wanted]) ? outcome(() => wanted + 1) : 'threw signature';
      mark(expected);
      const found = outcome(() => heddle[`c${wanted}`](actual));
      const other = v8 === undefined ? expected : outcome(() => v8[`c${wanted}`](actual));
      const what = `indirect call of function ${actual} as type ${wanted}`;
      if (found !== expected) return `${what}: ${expected} is right, Heddle ${found}\n${described(from, groups)}`;
      if (other !== expected) return `${what}: ${expected} is right, V8 ${other}\n${described(from, groups)}`;
    }
  }
  return undefined;
}

function described(from, groups) {
  return `exporter: ${JSON.stringify(from.groups)}\nimporter: ${JSON.stringify(groups)}`;
}
