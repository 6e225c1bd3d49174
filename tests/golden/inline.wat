;; A call of a function that suspends: its body stands in the caller, with a block behind it for the early return.
(module (type $f (func)) (type $k (cont $f)) (tag $t (param i32) (result i32))
  (func $ask (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const -1))))
    (suspend $t (local.get 0)))
  (func $main (param i32) (result i32) (i32.add (call $ask (local.get 0)) (i32.const 7))))
