;; A call through a table: bounds, null, and the type, which is not final, so that a subtype is asked for where it differs.
(module
  (type $binary (sub (func (param i32 i32) (result i32))))
  (table 8 funcref)
  (func (export "apply") (param $f i32) (param $a i32) (result i32)
    (call_indirect (type $binary) (local.get $a) (i32.const 7) (local.get $f))))
