/**
 * Which clause of nested tries takes an exception: trees of tries at random, as legacy tries and as try_tables. V8 of every Node has the first form; the second
 * is the same tree.
 */
import { describe, expect, test } from 'vitest';
import { heddle, outcome, run, v8 } from '../api/oracle.js';
import { Random } from '../fuzz/control/random.js';

const TAGS = 4;
/** Tag 3 is tag 0 imported a second time: what catches one catches the other. */
const PRELUDE = `(import "" "t0" (tag $t0)) (import "" "t1" (tag $t1)) (import "" "t2" (tag $t2)) (import "" "t0" (tag $t3))
  (global $log (mut i64) (i64.const 0)) (global $site (mut i32) (i32.const 0)) (global $tag (mut i32) (i32.const 0))
  (func $note (param i32) (global.set $log (i64.add (i64.mul (global.get $log) (i64.const 1009)) (i64.extend_i32_u (local.get 0)))))
  (func $reach (param i32)
    (if (i32.ne (local.get 0) (global.get $site)) (then (return)))
    (block $3 (block $2 (block $1 (block $0 (br_table $0 $1 $2 $3 (global.get $tag))) (throw $t0)) (throw $t1)) (throw $t2))
    (throw $t3))`;

interface Try {
  readonly body: readonly Node[];
  /** Tag and what the clause does; tag -1 catches everything. */
  readonly clauses: readonly (readonly [tag: number, body: readonly Node[]])[];
  /** Of a try without clauses: how many tries around it are passed by. */
  readonly delegate: number;
}
/** A number stands for a call that may throw. */
type Node = number | Try;

/** A tree; its calls are numbered from 1. */
function tree(seed: number, delegates: boolean): { readonly nodes: readonly Node[]; readonly sites: number } {
  const choices = new Random(seed);
  const random = (below: number): number => choices.below(below);
  let sites = 0;
  const list = (depth: number): Node[] =>
    Array.from({ length: 1 + random(3) }, () => (depth > 0 && random(3) > 0 ? one(depth - 1) : ++sites));
  const one = (depth: number): Try => {
    const body = list(depth);
    if (delegates && random(4) === 0) return { body, clauses: [], delegate: random(8) };
    const clauses = Array.from({ length: 1 + random(3) }, () => [random(TAGS), list(Math.min(depth, 1))] as const);
    return { body, clauses: random(4) === 0 ? [...clauses, [-1, list(Math.min(depth, 1))] as const] : clauses, delegate: -1 };
  };
  return { nodes: list(5), sites };
}

/** A call, and a local that tells a handler how far its body came. */
const site = (n: number): string => `(local.set $at (i32.const ${n})) (call $reach (i32.const ${n})) (call $note (i32.const ${n}))`;
const caught = '(call $note (i32.add (local.get $at) (i32.const 500)))';

/** `open`: tries around, each of which delegation can name. */
function legacy(nodes: readonly Node[], open = 0): string {
  return nodes
    .map((node) => {
      if (typeof node === 'number') return site(node);
      const body = `(do ${legacy(node.body, open + 1)})`;
      if (node.delegate >= 0) return `(try ${body} (delegate ${Math.min(node.delegate, open)}))`;
      const clauses = node.clauses.map(([tag, arm]) => `${tag < 0 ? '(catch_all' : `(catch $t${tag}`} ${caught} ${legacy(arm, open + 1)})`);
      return `(try ${body} ${clauses.join(' ')})`;
    })
    .join(' ');
}

function tables(nodes: readonly Node[]): string {
  return nodes
    .map((node) => {
      if (typeof node === 'number') return site(node);
      const clauses = node.clauses.map(([tag], i) => (tag < 0 ? `(catch_all $c${i})` : `(catch $t${tag} $c${i})`));
      const inner = `(try_table ${clauses.join(' ')} ${tables(node.body)}) (br $end)`;
      const arms = node.clauses.reduce((text, [, arm], i) => `(block $c${i} ${text}) ${caught} ${tables(arm)} (br $end)`, inner);
      return `(block $end ${arms})`;
    })
    .join(' ');
}

const text = (body: string): string => `(module ${PRELUDE}
  (func (export "run") (param i32 i32) (result i64) (local $at i32)
    (global.set $log (i64.const 0)) (global.set $site (local.get 0)) (global.set $tag (local.get 1))
    ${body} (global.get $log)))`;

/** What a program does for each call that may throw and each tag. */
function behaviour(api: typeof heddle, body: string, sites: number): string[] {
  const tags = Object.fromEntries([0, 1, 2].map((i) => [`t${i}`, new api.Tag({ parameters: [] })]));
  const { run: call } = run(api, text(body), { '': tags });
  if (call === undefined) throw new Error('no export');
  const results: string[] = [];
  for (let n = 0; n <= sites; n++) {
    for (let tag = 0; tag < TAGS; tag++) {
      // The engines name the class of what nobody caught differently.
      results.push(outcome(() => call(n, tag)).replace(/threw .*Exception.*/, 'not caught'));
    }
  }
  return results;
}

describe('trees of tries', () => {
  test.each(Array.from({ length: 15 }, (_, i) => i))('number %i: both forms do what V8 does', (seed) => {
    const { nodes, sites } = tree(seed, false);
    const expected = behaviour(v8, legacy(nodes), sites);
    expect(behaviour(heddle, legacy(nodes), sites)).toEqual(expected);
    expect(behaviour(heddle, tables(nodes), sites)).toEqual(expected);
  });

  test.each(Array.from({ length: 15 }, (_, i) => 1000 + i))('number %i, with delegates: as V8', (seed) => {
    const { nodes, sites } = tree(seed, true);
    expect(behaviour(heddle, legacy(nodes), sites)).toEqual(behaviour(v8, legacy(nodes), sites));
  });
});
