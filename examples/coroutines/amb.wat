;; Backtracking: `amb` is one of several numbers, whichever makes what follows come true.
(module
  (import "host" "chooses" (tag $chooses (param i32) (result i32)))

  ;; One of the numbers from $from to $to.
  (func $amb (param $from i32) (param $to i32) (result i32)
    (i32.add (local.get $from)
      (suspend $chooses (i32.sub (i32.add (local.get $to) (i32.const 1)) (local.get $from)))))

  ;; There is no outcome where this is false.
  (func $require (param i32)
    (if (i32.eqz (local.get 0)) (then (drop (suspend $chooses (i32.const 0))))))

  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))

  ;; The sides of a right-angled triangle, none longer than $most.
  (func (export "triangle") (param $most i32) (result i32 i32 i32) (local $a i32) (local $b i32) (local $c i32)
    (local.set $a (call $amb (i32.const 1) (local.get $most)))
    (local.set $b (call $amb (local.get $a) (local.get $most)))
    (local.set $c (call $amb (local.get $b) (local.get $most)))
    (call $require
      (i32.eq
        (i32.add (call $square (local.get $a)) (call $square (local.get $b)))
        (call $square (local.get $c))))
    (local.get $a) (local.get $b) (local.get $c)))
