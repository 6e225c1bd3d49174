// Random types for pairs of modules, and what the specification says of them: which are equal, and which is below which. The engines' answers are compared with that.

export const I32 = 0x7f;
export const I64 = 0x7e;
export const FUNCREF = 0x70;

/** A nullable reference to a type of the same module. */
export const refTo = (index) => ({ index });

const isRef = (value) => typeof value === 'object';

/** Random recursion groups: lists of `{open, super, params, results}`, where indices count through all groups. `plain` ones are what WebAssembly 1 has. */
export function randomGroups(random, plain) {
  const groups = [];
  let first = 0;
  const flat = [];
  const wanted = 1 + random.below(4);
  while (groups.length < wanted) {
    const size = plain ? 1 : 1 + random.below(3);
    const value = () => {
      const kind = random.below(plain ? 3 : 5);
      return kind < 3 ? [I32, I64, FUNCREF][kind] : refTo(random.below(first + size));
    };
    const values = () => Array.from({ length: random.below(3) }, value);
    const group = [];
    for (let i = 0; i < size; i++) {
      const above = plain ? -1 : random.below(first + i + 1) - 1;
      // What is below another has its values: that is valid whatever they are.
      const type =
        above >= 0 && flat[above].open && random.below(2) === 0
          ? { open: random.below(2) === 0, super: above, params: flat[above].params, results: flat[above].results }
          : { open: !plain && random.below(2) === 0, super: -1, params: values(), results: values() };
      group.push(type);
      flat.push(type);
    }
    groups.push(group);
    first += size;
  }
  return groups;
}

/** The same groups, with one thing changed. */
export function mutated(random, groups, plain) {
  const copy = structuredClone(groups);
  const group = copy[random.below(copy.length)];
  const type = group[random.below(group.length)];
  // A supertype, and what is below it, must stay as they are.
  const isAlone = type.super < 0 && !copy.flat().some((other) => other.super >= 0);
  switch (random.below(isAlone ? 4 : 1)) {
    case 0:
      if (plain || type.open) type.params = isAlone ? [...type.params, I32] : type.params;
      else type.open = true;
      break;
    case 1:
      type.results = type.results.slice(1);
      break;
    case 2:
      type.params = type.params.map((value) => (value === I64 ? FUNCREF : I64));
      break;
    default:
      type.results = type.results.map((value) =>
        isRef(value) && value.index > 0 ? refTo(value.index - 1) : value === I64 ? FUNCREF : value,
      );
  }
  return copy;
}

/** By type index: text that equal types have in common and others have not, and the texts of what is above. */
export function formsOf(groups) {
  const forms = [];
  for (const group of groups) {
    const start = forms.length;
    const name = (index) => (index < start ? forms[index].text : `#${index - start}`);
    const value = (one) => (isRef(one) ? `<${name(one.index)}>` : String(one));
    const text = group.map(
      ({ open, super: above, params, results }) => `${open}^${above < 0 ? '' : name(above)}(${params.map(value)})(${results.map(value)})`,
    );
    group.forEach((type, i) => {
      const above = type.super < 0 ? [] : [type.super < start ? forms[type.super] : forms[type.super]];
      forms.push({ text: `{${text.join(';')}}.${i}`, above: above.flatMap((form) => [form.text, ...form.above]) });
    });
  }
  return forms;
}

/** Whether one form is another or below it. */
export const isBelow = (sub, sup) => sub.text === sup.text || sub.above.includes(sup.text);
