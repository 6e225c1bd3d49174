;; Two continuations that hand a number to each other n times by `switch`. The number's distance to $n is in a global: whoever reaches it returns.
(module
  (rec
    (type $f (func (param i64 (ref null $c)) (result i64)))
    (type $c (cont $f)))
  (type $first (func (param (ref null $c)) (result i64)))
  (tag $handed (result i64))
  (elem declare func $task)
  (global $n (mut i64) (i64.const 0))
  (func $task (type $f) (param $value i64) (param $other (ref null $c)) (result i64)
    (loop $again
      (local.set $value (i64.add (local.get $value) (i64.const 1)))
      (if (i64.eq (local.get $value) (global.get $n)) (then (return (local.get $value))))
      ;; The other one has not begun before the first switch.
      (if (ref.is_null (local.get $other)) (then (local.set $other (cont.new $c (ref.func $task)))))
      (switch $c $handed (local.get $value) (local.get $other))
      (local.set $other)
      (local.set $value)
      (br $again))
    (unreachable))
  (func (export "run") (param $n i32) (result i64)
    (if (i32.eqz (local.get $n)) (then (return (i64.const 0))))
    (global.set $n (i64.extend_i32_u (local.get $n)))
    (resume $c (on $handed switch) (i64.const 0) (ref.null $c) (cont.new $c (ref.func $task)))))
