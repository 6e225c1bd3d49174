;; A parser that chooses between alternatives as the grammar has them, without looking ahead:
;;   list = item | item "," list        item = number | number "-" number
;; Each function takes the place where it begins, and gives the place behind it and the sum of the numbers.
(module
  (import "host" "chooses" (tag $chooses (param i32) (result i32)))
  (memory (export "text") 1)

  (func $fail (drop (suspend $chooses (i32.const 0))))
  (func $either (result i32) (suspend $chooses (i32.const 2)))

  (func $char (param $at i32) (param $wanted i32) (result i32)
    (if (i32.ne (i32.load8_u (local.get $at)) (local.get $wanted)) (then (call $fail)))
    (i32.add (local.get $at) (i32.const 1)))

  (func $number (param $at i32) (result i32 i32) (local $from i32) (local $digit i32) (local $value i32)
    (local.set $from (local.get $at))
    (loop $next
      (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
      (if (i32.lt_u (local.get $digit) (i32.const 10))
        (then
          (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 10)) (local.get $digit)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (if (i32.eq (local.get $at) (local.get $from)) (then (call $fail)))
    (local.get $at) (local.get $value))

  (func $item (param $at i32) (result i32 i32) (local $from i32) (local $to i32)
    (if (call $either) (then (return (call $number (local.get $at)))))
    (call $number (local.get $at)) (local.set $from) (local.set $at)
    (call $number (call $char (local.get $at) (i32.const 45))) (local.set $to) (local.set $at)
    (local.get $at)
    (i32.div_s
      (i32.mul
        (i32.add (local.get $from) (local.get $to))
        (i32.add (i32.sub (local.get $to) (local.get $from)) (i32.const 1)))
      (i32.const 2)))

  (func $list (param $at i32) (result i32 i32) (local $sum i32) (local $rest i32)
    (if (call $either) (then (return (call $item (local.get $at)))))
    (call $item (local.get $at)) (local.set $sum) (local.set $at)
    (call $list (call $char (local.get $at) (i32.const 44))) (local.set $rest) (local.set $at)
    (local.get $at)
    (i32.add (local.get $sum) (local.get $rest)))

  ;; The sum of all numbers of a text, which ends with a 0.
  (func (export "parse") (result i32) (local $at i32) (local $sum i32)
    (call $list (i32.const 0)) (local.set $sum) (local.set $at)
    (drop (call $char (local.get $at) (i32.const 0)))
    (local.get $sum)))
