// What is said of results, as tables: on the terminal, as Markdown, and in the HTML report.
import { NOT_WRITTEN } from './programs.mjs';
import { median, spread } from './statistics.mjs';
import { THEN } from './talk.mjs';

const MEGABYTE = 1e6;

/** Three digits that count. */
export function digits(value) {
  if (value === 0) return '0';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

const ran = (result) => result !== undefined && result.failure === undefined && result.missing === undefined && result.runs.length > 0;
const values = (result, key) => result.runs.map((run) => run[key]);

/** What a cell says where there is no number. */
const without = (result) => (result?.failure === undefined ? '-' : 'fails');

/** A table of programs and engines. `say` makes a cell's text of a result that is there. */
function grid(results, title, note, say) {
  const engines = results.engines.filter(({ missing }) => missing === undefined);
  return {
    title,
    note,
    head: ['', ...engines.map(({ name }) => name)],
    rows: Object.entries(results.programs).map(([name, program]) => [
      name,
      ...engines.map(({ key }) => (ran(program.results[key]) ? say(program.results[key], program, key) : without(program.results[key]))),
    ]),
  };
}

/** All that did not end as it should. */
export function failures(results) {
  return Object.entries(results.programs).flatMap(([program, { results: all }]) =>
    Object.entries(all).flatMap(([engine, { failure }]) => (failure === undefined ? [] : [{ program, engine, failure }])),
  );
}

function about(results) {
  const { machine, settings } = results;
  const trials = `${settings.trials} trial${settings.trials === 1 ? '' : 's'}`;
  const size = settings.quick ? 'small sizes, which say whether it works and not how fast' : `sizes times ${settings.scale}`;
  return {
    title: 'Heddle beside other engines',
    note: [
      `${results.date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memory / 2 ** 30)} GiB, ${machine.kernel}`,
      `commit ${results.commit.slice(0, 10)}${results.changed ? ', changed' : ''}; ${results.tools.compiler}; ${results.tools.binaryen}`,
      `${trials}, ${size}; load ${digits(machine.load)} before, ${digits(results.loadAtEnd)} after`,
    ].join('\n'),
    head: ['engine', 'runs', 'version', 'options'],
    rows: results.engines.map(({ name, build, version, options, missing }) => [
      name,
      build,
      missing === undefined ? version : `not there: ${missing}`,
      (options ?? []).join(' '),
    ]),
  };
}

/** What an engine's processes that did nothing took. */
const idle = (results, key) => Object.values(results.programs).flatMap((program) => program.results[key]?.startups ?? []);

function startups(results) {
  const engines = results.engines.filter(({ missing }) => missing === undefined);
  const of = (runs, key) => (runs.length === 0 ? '-' : digits(median(runs.map((run) => run[key]))));
  return {
    title: 'Start-up: a process that runs a program of size 0',
    note: 'Medians. None of the tables below contains it, but peak memory does.',
    head: ['engine', 'ms', 'processor ms', 'peak MB'],
    rows: engines.map(({ key, name }) => {
      const runs = idle(results, key);
      const memory = runs.map(({ peak }) => ({ peak: peak / MEGABYTE }));
      return [name, of(runs, 'wall'), of(runs, 'processor'), of(memory, 'peak')];
    }),
  };
}

function programs(results) {
  return {
    title: 'The programs',
    note: 'Bytes of each build. `import` has its fibers from the engine, `switching` the instructions, `asyncify` is the whole program through that pass.',
    head: ['', 'n', 'import', 'switching', 'asyncify', 'what it does'],
    rows: Object.entries(results.programs).map(([name, { n, builds, what }]) => [
      name,
      String(n),
      ...['import', 'switching', 'asyncify'].map((kind) => String(builds[kind]?.bytes ?? '-')),
      what,
    ]),
  };
}

const ratio = (a, b) => (a === undefined || b === undefined || b === 0 ? '-' : digits(a / b));

function talk(results) {
  const program = results.programs.c10m;
  const of = (engine, key) => (ran(program?.results[engine]) ? median(values(program.results[engine], key)) : undefined);
  const coroutines = [
    ['v8-asyncify', 'V8'],
    ['heddle-asyncify', 'Heddle'],
  ].flatMap(([engine, name]) => [
    [
      `${program?.n ?? 'no'} coroutines: time, to Asyncify in ${name}`,
      String(THEN.c10m.time),
      ratio(of('heddle', 'milliseconds'), of(engine, 'milliseconds')),
    ],
    [`their peak memory, to Asyncify in ${name}`, String(THEN.c10m.memory), ratio(of('heddle', 'peak'), of(engine, 'peak'))],
  ]);
  const { go } = results.talk;
  const small = results.programs.itersum?.builds;
  const kilobytes = (bytes) => (bytes === undefined ? '-' : digits(bytes / 1000));
  const calls = (name) =>
    `library calls of ${name}${name === 'resume' ? ' (now where the function returns, and one more where it begins; none between)' : ''}`;
  const sizes = (named, [before, after], now) => [
    named,
    `${before} to ${after} kB`,
    `${kilobytes(now?.asyncify)} to ${kilobytes(now?.plain)} kB`,
  ];
  return {
    title: 'The first implementation, as a talk of 2023 gave it, and now',
    note: [
      'Ratios are stack switching to Asyncify. Sizes are with Asyncify and without: then of TinyGo programs; now of one of those, and in place of the',
      'small one of the program itersum in C, whose build by stack switching is taken.',
    ].join('\n'),
    head: ['', 'then', 'now'],
    rows: [
      ...coroutines,
      sizes(`a large program${go === undefined ? '' : `: ${go.name}`}`, THEN.sizes.large, go),
      sizes('a small program', THEN.sizes.small, { asyncify: small?.asyncify?.bytes, plain: small?.switching?.bytes }),
      ...Object.entries(THEN.calls).map(([name, then]) => [calls(name), String(then), String(results.talk.calls[name])]),
    ],
  };
}

function failing(results) {
  const name = (key) => results.engines.find((engine) => engine.key === key)?.name ?? key;
  const rows = failures(results).map(({ program, engine, failure }) => [program, name(engine), failure]);
  // Why a program was not even built. That it is not written for an engine is no failure.
  for (const [program, { builds }] of Object.entries(results.programs)) {
    for (const [kind, { missing }] of Object.entries(builds))
      if (missing !== undefined && missing !== NOT_WRITTEN) rows.push([program, `build ${kind}`, missing]);
  }
  return rows.length === 0 ? [] : [{ title: 'What fails, and what is not there', head: ['program', 'engine', 'how'], rows }];
}

/** All tables of results: `{ title, note, head, rows }` each; cells are text. */
export function sections(results) {
  const time = (result) =>
    `${digits(median(values(result, 'milliseconds')))} ±${(spread(values(result, 'milliseconds')) * 100).toFixed(0)}%`;
  const step = (result, { steps }) => (steps === undefined ? '-' : digits((median(values(result, 'milliseconds')) * 1e6) / steps));
  const processor = (result, _, key) => {
    // A program's own, where there are such: they contain its compile.
    const nothing = result.startups.length > 0 ? result.startups : idle(results, key);
    const start = nothing.length > 0 ? median(nothing.map((run) => run.processor)) : 0;
    return digits(Math.max(0, median(values(result, 'processor')) - start));
  };
  return [
    about(results),
    grid(results, 'Time, ms', 'Medians, and half of the distance between the least and the largest.', time),
    grid(results, 'The same, ns a step', 'A step is a way to a fiber and back.', step),
    grid(results, 'Processor time of all threads, ms', 'Medians, less those of start-up.', processor),
    grid(results, 'Peak memory, MB', undefined, (result) => digits(median(values(result, 'peak')) / MEGABYTE)),
    startups(results),
    programs(results),
    talk(results),
    ...failing(results),
  ];
}

/** The tables as Markdown. */
export function markdown(results) {
  const row = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return sections(results)
    .map(({ title, note, head, rows }) =>
      [
        `### ${title}`,
        '',
        ...(note === undefined ? [] : [note, '']),
        row(head),
        `|${' --- |'.repeat(head.length)}`,
        ...rows.map(row),
        '',
      ].join('\n'),
    )
    .join('\n');
}
