/** Messages for mistakes that new users make: each says what is there, and what should be. */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

const link = (wanted: string, given: unknown) => (): unknown =>
  new Heddle.Instance(new Heddle.Module(parseWat(`(module (import "a" "b" ${wanted}))`)), { a: { b: given } });
const exported = (text: string): unknown => new Heddle.Instance(new Heddle.Module(parseWat(`(module ${text})`))).exports['x'];
const table = (maximum?: number): unknown =>
  new Heddle.Table({ element: 'funcref', initial: 1, ...(maximum !== undefined && { maximum }) });

describe('an import that does not fit', () => {
  test.each([
    [
      '(func (param i32) (result i64))',
      exported('(func (export "x") (param f64))'),
      'the function is of type (f64) -> (), not (i32) -> (i64)',
    ],
    ['(tag (param i32))', exported('(tag (export "x") (param externref))'), 'the tag is of type (externref) -> (), not (i32) -> ()'],
    ['(memory 2)', exported('(memory (export "x") 1)'), 'it has 1 page, the module wants at least 2'],
    ['(memory 1 2)', exported('(memory (export "x") 1)'), 'it has no maximum, the module wants one of at most 2 pages'],
    ['(table 4 funcref)', table(), 'it has 1 element, the module wants at least 4'],
    ['(table 1 2 funcref)', table(9), 'its maximum is 9 elements, the module wants at most 2'],
    ['(table 1 externref)', table(), 'the elements are of type funcref, not externref'],
    [
      '(global (mut i32))',
      exported('(global (export "x") i32 (i32.const 1))'),
      'the global is immutable, the module wants one that is mutable',
    ],
    ['(table i64 1 funcref)', table(), 'the table has 32-bit addresses, the module wants 64'],
  ])('%s', (wanted, given, message) => {
    expect(link(wanted, given)).toThrow(Heddle.LinkError);
    expect(link(wanted, given)).toThrow(`a.b: ${message}`);
  });

  test('a class of V8 that Heddle has one of its own for is told to be so', () => {
    const { Suspending } = globalThis.WebAssembly as unknown as { readonly Suspending?: new (fn: () => unknown) => object };
    // Nodes before 24 have none: a Tag of V8's they all have.
    const foreign: [string, unknown, string] = Suspending
      ? ['(func)', new Suspending(() => 1), 'Suspending']
      : ['(tag)', Reflect.construct(Reflect.get(globalThis.WebAssembly, 'Tag') as () => object, [{ parameters: [] }]), 'Tag'];
    expect(link(foreign[0], foreign[1])).toThrow(`V8's own ${foreign[2]} cannot be used, make it with Heddle's WebAssembly.${foreign[2]}`);
  });
});

describe('an argument that is none', () => {
  test.each([
    [() => new Heddle.Module('(module)' as never), 'parseWat makes the bytes of a text'],
    [() => new Heddle.Tag({ params: ['i32'] } as never), 'a list of parameters is needed, not undefined'],
    [() => new Heddle.Tag({ parameters: ['int'] } as never), '"int" is not a value type: each of parameters is i32'],
    [() => new Heddle.Tag(undefined as never), 'a descriptor of a tag, { parameters }, is needed, not undefined'],
    [() => new Heddle.Global({} as never), '"undefined" is not a value type: value is i32'],
    [() => new Heddle.Table(7 as never), 'a descriptor of a table, { element, initial }, is needed, not 7'],
  ])('%s', (use, message) => {
    expect(use).toThrow(TypeError);
    expect(use).toThrow(message);
  });
});
