/**
 * Tags that know the types of what is suspended with, and of the answer.
 */
import { tagOf as objectOf, Tag as PlainTag } from '../api/objects.js';
import { wrongDeclaration } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import { areNames, areSame, type KnownType, knownType, listed, type TypeName, type Values } from './types.js';

declare const TYPES: unique symbol;

/** Any tag: the values of one without types are `unknown`. */
export type AnyTag = PlainTag;

/** What comes out of a suspension with a tag. */
export type ParametersOf<T> = T extends Tag<infer P, readonly TypeName[], string> ? Values<P> : readonly unknown[];

/** What it is answered with. */
export type ResultsOf<T> = T extends Tag<readonly TypeName[], infer R, string> ? Values<R> : readonly unknown[];

/** The types of a tag. */
export interface TagTypes<
  Parameters extends readonly TypeName[] = readonly TypeName[],
  Results extends readonly TypeName[] = readonly TypeName[],
  Name extends string = string,
> {
  /** What is suspended with. */
  readonly parameters: Parameters;
  /** The answer; none unless said. */
  readonly results?: Results;
  /** For messages, and to tell it from tags with the same types. */
  readonly name?: Name;
}

const names = new WeakMap<PlainTag, string>();

/** Keeps a tag's name. Throws a TypeError where the declaration is none. */
function declare(tag: PlainTag, { name }: TagTypes): void {
  if (name !== undefined && typeof name !== 'string') throw wrongDeclaration('the name of a tag must be a string');
  if (name !== undefined) names.set(tag, name);
}

function requireTypes(types: unknown): asserts types is TagTypes {
  const { parameters, results = [] } = (types ?? {}) as Partial<TagTypes>;
  if (!areNames(parameters) || !areNames(results)) {
    throw wrongDeclaration('a tag is declared with the lists parameters and results of i32, i64, f32, f64, externref and funcref');
  }
}

/**
 * `WebAssembly.Tag`, whose types the compiler knows: `new Tag({ parameters: ['i32'], results: ['i64'] })`. `Name` tells tags apart that have the same types. Throws a
 * TypeError for a wrong declaration.
 */
export class Tag<
  const Parameters extends readonly TypeName[],
  const Results extends readonly TypeName[] = [],
  const Name extends string = string,
> extends PlainTag {
  /** For the compiler alone. */
  declare readonly [TYPES]: {
    /** What is suspended with. */
    readonly parameters: Parameters;
    /** The answer. */
    readonly results: Results;
    /** What tells it from tags with the same types. */
    readonly name: Name;
  };

  constructor(types: TagTypes<Parameters, Results, Name>) {
    requireTypes(types);
    super(types);
    declare(this, types);
  }
}

/** The types of a tag at run time. */
interface FoundTypes {
  readonly parameters: readonly KnownType[];
  readonly results: readonly KnownType[];
}

const found = new WeakMap<PlainTag, FoundTypes>();

/** What a tag's types are; undefined where it is no tag. Throws a TypeError where its values do not cross to JavaScript. */
export function typesOf(tag: unknown): FoundTypes | undefined {
  const object = objectOf(tag);
  if (object === undefined) return undefined;
  const known = found.get(tag as PlainTag);
  if (known !== undefined) return known;
  const { types, convert } = theEngine();
  const type = types.type(object.type);
  convert.requireCrossing(type);
  const made = { parameters: type.params.map(knownType), results: type.results.map(knownType) };
  found.set(tag as PlainTag, made);
  return made;
}

/** A tag's name: that of its declaration, or the module's. */
export function nameOf(tag: PlainTag): string {
  const object = objectOf(tag);
  return names.get(tag) ?? (object === undefined ? 'a tag' : theEngine().tags.nameOf(object.address));
}

/** A tag that a module exports, as one of these types. Throws a TypeError where it is no tag, or has others. */
export function tagOf<
  const Parameters extends readonly TypeName[],
  const Results extends readonly TypeName[] = [],
  const Name extends string = string,
>(exported: unknown, types: TagTypes<Parameters, Results, Name>): Tag<Parameters, Results, Name> {
  requireTypes(types);
  const its = typesOf(exported);
  if (its === undefined) throw wrongDeclaration('a Tag is needed');
  const { parameters, results = [] }: TagTypes = types;
  if (!areSame(parameters, its.parameters) || !areSame(results, its.results)) {
    const both = (from: readonly KnownType[], to: readonly KnownType[]): string => `${listed(from)} -> ${listed(to)}`;
    throw wrongDeclaration(`the tag is ${both(its.parameters, its.results)}, not ${both(parameters, results)}`);
  }
  const tag = exported as Tag<Parameters, Results, Name>;
  declare(tag, types);
  return tag;
}
