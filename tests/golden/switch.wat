(module
  (rec (type $f (func (param i32 (ref null $k)))) (type $k (cont $f)))
  (tag $t)
  (func (param (ref null $k)) (result i32 (ref null $k))
    (switch $k $t (i32.const 7) (local.get 0))))
