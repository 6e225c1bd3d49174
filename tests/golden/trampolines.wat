;; What is made for a type: the way in, and the way out to an imported function.
(module
  (import "host" "log" (func (param i32 f64) (result i64))))
