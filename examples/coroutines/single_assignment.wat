;; Single-assignment variables: who reads one that has no value yet waits for it. The host has the variables.
(module
  (import "host" "reads" (tag $reads (param i32) (result i32)))
  (import "host" "assigns" (tag $assigns (param i32 i32)))

  ;; Adds two variables and assigns the sum to a third. Nothing here says when.
  (func (export "add") (param $one i32) (param $other i32) (param $to i32)
    (suspend $assigns
      (local.get $to)
      (i32.add (suspend $reads (local.get $one)) (suspend $reads (local.get $other))))))
