(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $e (param i32))
  (func (param (ref null $k)) (result i32)
    (resume_throw $k $e (i32.const 7) (local.get 0))))
