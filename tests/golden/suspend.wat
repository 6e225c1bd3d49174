;; A suspension with a parameter and a result.
(module
  (tag $ask (param i32) (result i64))
  (func (export "ask") (param $question i32) (result i64)
    (suspend $ask (local.get $question))))
