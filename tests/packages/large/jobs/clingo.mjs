import clingo from 'clingo-wasm';

const program = `1 { queen(I, 1..6) } 1 :- I = 1..6. :- queen(I, J), queen(II, J), I < II. :- queen(I, J), queen(II, JJ), I < II, II - I = |JJ - J|. #show queen/2.`;
const result = await clingo.run(program, 0);
console.log(
  result.Result,
  result.Call[0].Witnesses.map(({ Value }) => [...Value].sort().join(' '))
    .sort()
    .join('\n'),
);
process.exit(0);
