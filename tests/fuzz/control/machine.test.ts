/**
 * The reference interpreter against the specification: programs of its scripts (stack-switching/cont.wast, resume_throw.wast), with what these assert; and against
 * docs/snapshots.md.
 */
import { describe, expect, test } from 'vitest';
import { ProgramBuilder } from './builder.js';
import { endText } from './host.js';
import { Machine } from './machine.js';
import { i32 } from './operands.js';
import type { Code } from './program.js';
import type { Value } from './values.js';

/** What a call ends with: its results, or how it failed. */
function outcome(builder: ProgramBuilder, func: number): readonly Value[] | string {
  try {
    return new Machine(builder.program).invoke(func);
  } catch (error) {
    return endText(builder.program, error);
  }
}

const nothing = { params: [], results: [] };

/** Types and tags that most of the programs use: [] -> [], its continuation, tags without values. */
function basics() {
  const builder = new ProgramBuilder();
  const cont = builder.cont(nothing);
  const tag = builder.tag(nothing);
  const other = builder.tag(nothing);
  const define = (body: Code, signature: Parameters<ProgramBuilder['function']>[0] = nothing): number => {
    const fn = builder.function(signature, 0);
    fn.definition.body.push(...body);
    return fn.number;
  };
  const fresh = (func: number): Code => [
    { op: 'ref.func', func },
    { op: 'cont.new', type: cont },
  ];
  /** Resumes what the code leaves, and leaves the continuation where it suspends with the tag. */
  const suspended = (from: Code, on = tag): Code => {
    const label = builder.label();
    const resume: Code = [{ op: 'resume', type: cont, clauses: [{ kind: 'label', tag: on, label }] }];
    return [{ op: 'block', label, results: [{ to: cont, nullable: false }], body: [...from, ...resume, { op: 'unreachable' }] }];
  };
  return { builder, cont, tag, other, define, fresh, suspended };
}

describe('cont.wast', () => {
  test('unhandled-1 to -3: nobody handles the tag', () => {
    const { builder, cont, tag, other, define, fresh, suspended } = basics();
    const suspends = define([{ op: 'suspend', tag }]);
    expect(outcome(builder, suspends)).toBe('trap: unhandled tag');
    expect(outcome(builder, define([...fresh(suspends), { op: 'resume', type: cont, clauses: [] }]))).toBe('trap: unhandled tag');
    expect(outcome(builder, define([...suspended(fresh(suspends), other), { op: 'drop' }]))).toBe('trap: unhandled tag');
    expect(outcome(builder, define([...suspended(fresh(suspends)), { op: 'drop' }]))).toEqual([]);
  });

  test('uncaught-1 to -3: an exception leaves through the resume', () => {
    const { builder, cont, tag, other, define, fresh, suspended } = basics();
    const thrown = `exception of tag ${other}: `;
    const throws = define([{ op: 'throw', tag: other }]);
    expect(outcome(builder, define([...suspended(fresh(throws)), { op: 'drop' }]))).toBe(thrown);
    const suspends = define([{ op: 'suspend', tag }]);
    const calls = define([{ op: 'call', func: suspends }]);
    for (const func of [suspends, calls]) {
      const injects: Code = [...suspended(fresh(func)), { op: 'resume_throw', type: cont, tag: other, clauses: [] }];
      expect(outcome(builder, define(injects))).toBe(thrown);
    }
  });

  test('non-linear-1 to -4 and null: a continuation is good for once', () => {
    const { builder, cont, tag, define, fresh, suspended } = basics();
    const index = builder.global({ to: cont, nullable: true });
    const get: Code = [{ op: 'global.get', index }];
    const resume: Code = [...get, { op: 'resume', type: cont, clauses: [] }];
    const returns = define([]);
    const twice = define([
      { op: 'suspend', tag },
      { op: 'suspend', tag },
    ]);
    const from = (func: number, ...uses: Code[]): number => define([...fresh(func), { op: 'global.set', index }, ...uses.flat()]);
    const consumed = 'trap: continuation consumed';
    expect(outcome(builder, from(returns, resume))).toEqual([]);
    expect(outcome(builder, from(returns, resume, resume))).toBe(consumed);
    expect(outcome(builder, from(twice, suspended(get), [{ op: 'drop' }], resume))).toBe(consumed);
    const again: Code = [{ op: 'global.set', index }, ...suspended(get), { op: 'drop' }];
    expect(outcome(builder, from(twice, suspended(get), again, resume))).toBe(consumed);
    const bind: Code = [...get, { op: 'cont.bind', type: cont, to: cont }, { op: 'drop' }];
    expect(outcome(builder, from(twice, bind, resume))).toBe(consumed);
    expect(outcome(builder, define(resume))).toBe('trap: null continuation');
    const nullFunction: Code = [
      { op: 'ref.null', type: { to: builder.funcOf(cont), nullable: true } },
      { op: 'cont.new', type: cont },
    ];
    expect(outcome(builder, define([...nullFunction, { op: 'drop' }]))).toBe('trap: null function');
  });

  test('state: get and set', () => {
    const builder = new ProgramBuilder();
    const signature = { params: ['i32'], results: ['i32'] } as const;
    const cont = builder.cont(signature);
    const getTag = builder.tag({ params: [], results: ['i32'] });
    const setTag = builder.tag(signature);
    const body = builder.function(signature, 1);
    const set = (value: number): Code => [i32(value), { op: 'suspend', tag: setTag }];
    const get: Code = [{ op: 'suspend', tag: getTag }];
    const sum: Code = [...set(3), ...get, { op: 'numeric', name: 'i32.add' }];
    body.definition.body.push(...set(7), { op: 'drop' }, ...get, i32(2), ...sum, { op: 'numeric', name: 'i32.mul' });
    body.definition.body.push({ op: 'numeric', name: 'i32.add' });

    const k = { to: cont, nullable: false } as const;
    const runner = builder.function({ params: ['i32', k], results: ['i32'] }, 0);
    const [onGet, onSet, loop] = [builder.label(), builder.label(), builder.label()];
    const clauses = [
      { kind: 'label', tag: getTag, label: onGet },
      { kind: 'label', tag: setTag, label: onSet },
    ] as const;
    const resume: Code = [
      { op: 'local.get', index: 0 },
      { op: 'local.get', index: 1 },
      { op: 'resume', type: cont, clauses },
      { op: 'return' },
    ];
    const keep: Code = [{ op: 'local.set', index: 1 }];
    const handled: Code = [
      { op: 'block', label: onSet, results: ['i32', k], body: resume },
      ...keep,
      { op: 'local.set', index: 0 },
      { op: 'br', label: loop },
    ];
    const looped: Code = [{ op: 'block', label: onGet, results: [k], body: handled }, ...keep, { op: 'br', label: loop }];
    runner.definition.body.push({ op: 'loop', label: loop, results: [], body: looped }, { op: 'unreachable' });

    const run = builder.function({ params: [], results: ['i32'] }, 0);
    const start: Code = [i32(0), { op: 'ref.func', func: body.number }, { op: 'cont.new', type: cont }];
    run.definition.body.push(...start, { op: 'call', func: runner.number });
    expect(outcome(builder, run.number)).toEqual([19]);
  });

  test('switch: the one that switched back gets the result', () => {
    const builder = new ProgramBuilder();
    const c1 = builder.cont({ params: [], results: ['i32'] });
    const c2 = builder.cont({ params: [{ to: c1, nullable: true }], results: ['i32'] });
    const c3 = builder.cont({ params: [{ to: c2, nullable: true }], results: ['i32'] });
    const tag = builder.tag({ params: [], results: ['i32'] });
    const first = builder.function({ params: [{ to: c2, nullable: true }], results: ['i32'] }, 1);
    first.definition.body.push({ op: 'local.get', index: 0 }, { op: 'switch', type: c2, tag }, i32(24));
    const second = builder.function({ params: [], results: ['i32'] }, 1);
    const start = (func: number, type: number): Code => [
      { op: 'ref.func', func },
      { op: 'cont.new', type },
    ];
    second.definition.body.push(...start(first.number, c3), { op: 'switch', type: c3, tag }, { op: 'drop' }, i32(-1));
    const main = builder.function({ params: [], results: ['i32'] }, 0);
    main.definition.body.push(...start(second.number, c1), { op: 'resume', type: c1, clauses: [{ kind: 'switch', tag }] });
    expect(outcome(builder, main.number)).toEqual([-1]);
  });
});

describe('resume_throw.wast', () => {
  test('throw_handled_ref: the continuation catches what is thrown into it', () => {
    const builder = new ProgramBuilder();
    const cont = builder.cont({ params: [], results: ['i32'] });
    const exception = builder.tag({ params: ['i32'], results: [] });
    const tag = builder.tag(nothing);
    const caught = builder.label();
    const inner = builder.function({ params: [], results: ['i32'] }, 1);
    const body: Code = [{ op: 'suspend', tag }, { op: 'unreachable' }];
    const catches = [{ kind: 'catch', tag: exception, label: caught }] as const;
    const tried: Code = [{ op: 'try_table', label: builder.label(), results: ['i32'], catches, body }];
    inner.definition.body.push({ op: 'block', label: caught, results: ['i32'], body: tried });

    const main = builder.function({ params: [], results: ['i32'] }, 0);
    const [onTag, made] = [builder.label(), builder.label()];
    const clauses = [{ kind: 'label', tag, label: onTag }] as const;
    const resume: Code = [
      { op: 'ref.func', func: inner.number },
      { op: 'cont.new', type: cont },
      { op: 'resume', type: cont, clauses },
    ];
    const throws: Code = [i32(42), { op: 'throw', tag: exception }];
    const catching = [{ kind: 'catch_ref', tag: exception, label: made }] as const;
    const index = main.local({ to: cont, nullable: true });
    main.definition.body.push(
      { op: 'block', label: onTag, results: [{ to: cont, nullable: false }], body: [...resume, { op: 'unreachable' }] },
      { op: 'local.set', index },
      {
        op: 'block',
        label: made,
        results: ['i32', 'exnref'],
        body: [{ op: 'try_table', label: builder.label(), results: [], catches: catching, body: throws }, { op: 'unreachable' }],
      },
      { op: 'local.get', index },
      { op: 'resume_throw_ref', type: cont, clauses: [] },
      { op: 'return' },
    );
    expect(outcome(builder, main.number)).toEqual([42]);
  });

  test('throw_never: a fresh continuation is never entered', () => {
    const { builder, cont, other, define, fresh } = basics();
    const never = define([{ op: 'unreachable' }]);
    const throws: Code = [...fresh(never), { op: 'resume_throw', type: cont, tag: other, clauses: [] }];
    expect(outcome(builder, define(throws))).toBe(`exception of tag ${other}: `);
  });
});

describe('docs/snapshots.md', () => {
  test('both answers to a question', () => {
    const builder = new ProgramBuilder();
    const c = builder.cont({ params: ['i32'], results: ['i32'] });
    const k = builder.cont({ params: [], results: ['i32'] });
    const coin = builder.tag({ params: [], results: ['i32'] });
    const both = builder.function({ params: [{ to: c, nullable: false }], results: ['i32'] }, 0);
    const handled = (resume: Code): Code => {
      const label = builder.label();
      const clauses = [{ kind: 'label', tag: coin, label }] as const;
      const type = resume.length > 2 ? c : k;
      return [
        {
          op: 'block',
          label,
          results: [{ to: c, nullable: false }],
          body: [...resume, { op: 'resume', type, clauses }, { op: 'return' }],
        },
        { op: 'call', func: both.number },
      ];
    };
    const toss = builder.function({ params: [{ to: c, nullable: false }, 'i32'], results: ['i32'] }, 0);
    toss.definition.body.push(...handled([{ op: 'local.get', index: 1 }, { op: 'local.get', index: 0 }, { op: 'ref.as_non_null' }]));
    both.definition.body.push(
      { op: 'local.get', index: 0 },
      { op: 'call_clone', type: c },
      i32(0),
      { op: 'call', func: toss.number },
      { op: 'local.get', index: 0 },
      i32(1),
      { op: 'call', func: toss.number },
      { op: 'numeric', name: 'i32.add' },
    );
    const twoCoins = builder.function({ params: [], results: ['i32'] }, 1);
    twoCoins.definition.body.push(
      i32(10),
      { op: 'suspend', tag: coin },
      { op: 'numeric', name: 'i32.mul' },
      { op: 'suspend', tag: coin },
      { op: 'numeric', name: 'i32.add' },
    );
    const sum = builder.function({ params: [], results: ['i32'] }, 0);
    sum.definition.body.push(
      ...handled([
        { op: 'ref.func', func: twoCoins.number },
        { op: 'cont.new', type: k },
      ]),
    );
    expect(outcome(builder, sum.number)).toEqual([22]);
  });

  test('null and used ones trap', () => {
    const { builder, cont, define, fresh } = basics();
    const index = builder.global({ to: cont, nullable: true });
    const clone: Code = [{ op: 'global.get', index }, { op: 'call_clone', type: cont }, { op: 'drop' }];
    const resume: Code = [
      { op: 'global.get', index },
      { op: 'resume', type: cont, clauses: [] },
    ];
    expect(outcome(builder, define(clone))).toBe('trap: null continuation');
    const used: Code = [...fresh(define([])), { op: 'global.set', index }, ...resume];
    expect(outcome(builder, define([...used, ...clone]))).toBe('trap: continuation consumed');
  });

  test('of two versions one is active; a fiber that was left is none', () => {
    const { builder, cont, tag, other, define, fresh, suspended } = basics();
    const first = builder.global({ to: cont, nullable: true });
    const second = builder.global({ to: cont, nullable: true });
    const resume = (index: number): Code => [
      { op: 'global.get', index },
      { op: 'resume', type: cont, clauses: [] },
    ];
    const clone: Code = [
      { op: 'global.get', index: first },
      { op: 'call_clone', type: cont },
      { op: 'global.set', index: second },
    ];
    const meets = define([{ op: 'suspend', tag }, ...resume(second)]);
    const keep = define([...suspended(fresh(meets)), { op: 'global.set', index: first }, ...clone]);
    const machine = new Machine(builder.program);
    machine.invoke(keep);
    const run = define(resume(first));
    expect(() => machine.invoke(run)).toThrow('another version is active');
    // The refused one is as it was, and the other is over: now it goes on, and finds itself used.
    const rest = define(resume(second));
    expect(() => machine.invoke(rest)).toThrow('continuation consumed');

    // The outer fiber keeps a clone of the inner one, whose original then waits inside the outer one, is left by an exception, and its clone goes on.
    const inner = define([
      { op: 'suspend', tag },
      { op: 'suspend', tag: other },
    ]);
    const thrown = builder.tag(nothing);
    const caught = builder.label();
    const tried: Code = [
      {
        op: 'try_table',
        label: builder.label(),
        results: [],
        catches: [{ kind: 'catch', tag: thrown, label: caught }],
        body: resume(first),
      },
      { op: 'unreachable' },
    ];
    const goesOn: Code = [...suspended([{ op: 'global.get', index: second }], other), { op: 'drop' }];
    const outer = define([
      ...suspended(fresh(inner)),
      { op: 'global.set', index: first },
      ...clone,
      { op: 'block', label: caught, results: [], body: tried },
      ...goesOn,
    ]);
    const throws: Code = [...suspended(fresh(outer), other), { op: 'resume_throw', type: cont, tag: thrown, clauses: [] }];
    expect(outcome(builder, define(throws))).toEqual([]);
  });
});
