;; A JavaScript function that is imported second and exported again was named "0", not by its index.
(module
  (import "a" "b" (func $b (result i32)))
  (import "a" "c" (func $c (param i64)))
  (global (export "fuel left") (mut i32) (i32.const 0))
  (table (export "t") 2 2 funcref)
  (elem declare func $b $c)
  (export "c again" (func $c))
  (func (export "f") (result funcref)
    (table.set (i32.const 1) (ref.func $c))
    (ref.func $b)))
