;; A trap put a global back that looked like a shadow stack's pointer; here it counts what is left.
(module
  (import "m" "table" (table 1 1 funcref))
  (memory 2)
  (data (i32.const 65536) "data")
  (global $left (export "fuel left") (mut i32) (i32.const 65536))
  (func (export "f") (param i32)
    (local $frame i32)
    (global.set $left (local.tee $frame (i32.sub (global.get $left) (i32.const 16))))
    (i32.store (local.get $frame) (local.get 0))
    (unreachable)))
