(module
  (tag $e (param i32 i64))
  (func (param i32)
    (throw $e (local.get 0) (i64.const 7))))
