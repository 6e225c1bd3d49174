;; A million continuations that are all suspended at once, then all finished.
;;
;;   heddle run --stats --invoke million examples/million.wat 1000000
;;
;; Each is told its number, suspends, is told another number when it goes on, and returns the sum of both: in all n(n - 1)/2 + n.
(module
  (type $task (func (param i32 i32) (result i32)))
  (type $fresh (cont $task))
  (type $answer (func (param i32) (result i32)))
  (type $waiting (cont $answer))
  (tag $pause (result i32))
  (table $all 0 (ref null $waiting))

  (func $task (type $task)
    (i32.add (local.get 0) (i32.add (local.get 1) (suspend $pause))))
  (elem declare func $task)

  ;; A continuation that was told its number and waits for the other one.
  (func $start (param $number i32) (result (ref $waiting))
    (block $suspended (result (ref $waiting))
      (drop (resume $fresh (on $pause $suspended) (local.get $number) (i32.const 0) (cont.new $fresh (ref.func $task))))
      (unreachable)))

  (func $suspend (export "suspend") (param $count i32)
    (local $i i32)
    (drop (table.grow $all (ref.null $waiting) (local.get $count)))
    (loop $next
      (table.set $all (local.get $i) (call $start (local.get $i)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count)))))

  (func $finish (export "finish") (param $count i32) (result i64)
    (local $i i32) (local $sum i64)
    (loop $next
      (local.set $sum (i64.add (local.get $sum)
        (i64.extend_i32_u (resume $waiting (i32.const 1) (table.get $all (local.get $i))))))
      (table.set $all (local.get $i) (ref.null $waiting))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count))))
    (local.get $sum))

  (func (export "million") (param $count i32) (result i64)
    (call $suspend (local.get $count))
    (call $finish (local.get $count))))
