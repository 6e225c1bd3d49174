;; Queens that do not attack each other, one in each row: WebAssembly itself tries all places, by `cont.clone`.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (import "heddle" "cont.clone" (func $clone (param (ref null $k)) (result (ref $k))))
  (tag $chooses (param i32) (result i32))

  ;; 1 where $n queens stand on a board of $n by $n, 0 where one is attacked. It knows nothing of other tries.
  (func $place (param $n i32) (result i32)
    (local $row i32) (local $queen i32) (local $columns i32) (local $left i32) (local $right i32)
    (loop $next
      (if (i32.lt_u (local.get $row) (local.get $n))
        (then
          (local.set $queen (i32.shl (i32.const 1) (suspend $chooses (local.get $n))))
          (if (i32.and (local.get $queen)
                (i32.or (local.get $columns) (i32.or (local.get $left) (local.get $right))))
            (then (return (i32.const 0))))
          (local.set $columns (i32.or (local.get $columns) (local.get $queen)))
          (local.set $left (i32.shl (i32.or (local.get $left) (local.get $queen)) (i32.const 1)))
          (local.set $right (i32.shr_u (i32.or (local.get $right) (local.get $queen)) (i32.const 1)))
          (local.set $row (i32.add (local.get $row) (i32.const 1)))
          (br $next))))
    (i32.const 1))
  (elem declare func $place)

  ;; The sum of what all outcomes return. The last one needs no copy.
  (func $sum (param $k (ref $k)) (param $answer i32) (result i32) (local $last i32) (local $i i32) (local $sum i32)
    (block $chosen (result i32 (ref $k))
      (return (resume $k (on $chooses $chosen) (local.get $answer) (local.get $k))))
    (local.set $k)
    (local.set $last)
    (local.set $last (i32.sub (local.get $last) (i32.const 1)))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $last))
        (then
          (local.set $sum (i32.add (local.get $sum) (call $sum (call $clone (local.get $k)) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (i32.add (local.get $sum) (call $sum (local.get $k) (local.get $last))))

  (func (export "queens") (param $n i32) (result i32)
    (call $sum (cont.new $k (ref.func $place)) (local.get $n))))
