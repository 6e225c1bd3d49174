;; Making a continuation and binding its first argument.
(module
  (type $two (func (param i32 i64)))
  (type $one (func (param i64)))
  (type $k2 (cont $two))
  (type $k1 (cont $one))
  (func (export "bind") (param $f (ref null $two)) (result (ref $k1))
    (cont.bind $k2 $k1 (i32.const 3) (cont.new $k2 (local.get $f)))))
