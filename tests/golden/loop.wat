;; A loop with a local, a load and a branch back: the poll, the sealed header, the cached local.
(module
  (memory 1)
  (func (export "sum") (param $n i32) (result i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (i32.load offset=16 (local.get $n))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 4)))))
    (local.get $sum)))
