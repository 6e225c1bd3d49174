// The module that V8 runs, assembled by hand, so that nothing of Heddle is needed for it:
// (module (memory 1)
//   (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
//   (func (export "store") (param i32) (i32.store (local.get 0) (i32.const 1)))
//   (func (export "unreachable") unreachable)
//   (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
//   (func $recurse (export "recurse") (call $recurse) (call $recurse)))
const name = (text) => [text.length, ...Buffer.from(text)];
const section = (id, ...bytes) => [id, bytes.length, ...bytes];
const body = (...code) => [code.length + 2, 0, ...code, 0x0b];

export default [
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, 3, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 0, 0x60, 0, 0),
  ...section(3, 5, 0, 1, 2, 0, 2),
  ...section(5, 1, 0, 1),
  ...section(7, 5, ...['load', 'store', 'unreachable', 'divide', 'recurse'].flatMap((text, i) => [...name(text), 0, i])),
  ...section(
    10,
    5,
    ...body(0x20, 0, 0x28, 2, 0),
    ...body(0x20, 0, 0x41, 1, 0x36, 2, 0),
    ...body(0x00),
    ...body(0x41, 1, 0x20, 0, 0x6e),
    ...body(0x10, 4, 0x10, 4),
  ),
];
