;; Continuations that are entered again: (+ 1 (call/cc (lambda (k) (set! saved k) 10))), and a sum that is still open.
(module
  (import "host" "captures" (tag $captures (result i32)))
  (import "host" "yields" (tag $yields (param i32) (result i32)))

  (func (export "plusOne") (result i32) (i32.add (i32.const 1) (suspend $captures)))

  ;; Adds up what it is told until that is 0. It yields the sum so far.
  (func (export "total") (result i32) (local $sum i32) (local $told i32)
    (loop $next
      (local.set $told (suspend $yields (local.get $sum)))
      (local.set $sum (i32.add (local.get $sum) (local.get $told)))
      (br_if $next (local.get $told)))
    (local.get $sum)))
