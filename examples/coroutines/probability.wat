;; Probabilistic programs: each says how something comes about, and what was seen. Running all outcomes gives what follows.
(module
  (import "host" "chooses" (tag $chooses (param i32) (result i32)))
  ;; How probable it is that all went as it did.
  (global $weight (export "weight") (mut f64) (f64.const 1))

  (func $weigh (param f64) (global.set $weight (f64.mul (global.get $weight) (local.get 0))))
  (func $require (param i32) (if (i32.eqz (local.get 0)) (then (drop (suspend $chooses (i32.const 0))))))

  ;; 1 with this probability, otherwise 0.
  (func $flip (param $p f64) (result i32) (local $is i32)
    (local.set $is (suspend $chooses (i32.const 2)))
    (call $weigh (select (local.get $p) (f64.sub (f64.const 1) (local.get $p)) (local.get $is)))
    (local.get $is))

  (func $die (result i32) (local $eyes i32)
    (local.set $eyes (suspend $chooses (i32.const 6)))
    (call $weigh (f64.div (f64.const 1) (f64.const 6)))
    (i32.add (local.get $eyes) (i32.const 1)))

  ;; The sum of two dice.
  (func (export "dice") (result i32) (i32.add (call $die) (call $die)))

  ;; The first of two dice, where the sum was at least $least.
  (func (export "first") (param $least i32) (result i32) (local $one i32)
    (local.set $one (call $die))
    (call $require (i32.ge_u (i32.add (local.get $one) (call $die)) (local.get $least)))
    (local.get $one))

  ;; A bit that was sent three times over a line that turns one in ten; $seen has the three bits that came.
  (func (export "sent") (param $seen i32) (result i32) (local $bit i32) (local $i i32)
    (local.set $bit (call $flip (f64.const 0.5)))
    (loop $next
      (call $require
        (i32.eq
          (i32.xor (local.get $bit) (call $flip (f64.const 0.1)))
          (i32.and (i32.shr_u (local.get $seen) (local.get $i)) (i32.const 1))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 3))))
    (local.get $bit)))
