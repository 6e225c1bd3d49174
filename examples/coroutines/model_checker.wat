;; Two workers that share a counter, and a scheduler that lets another world decide who is next. It resumes copies of the
;; workers, so that each world has its own.
(module
  (type $f (func))
  (type $worker (cont $f))
  (import "heddle" "cont.clone" (func $clone (param (ref null $worker)) (result (ref $worker))))
  (import "host" "chooses" (tag $chooses (param i32) (result i32)))
  (tag $pauses)
  (tag $waits)
  ;; The counter, and whether the lock is taken.
  (memory (export "memory") 1)

  ;; Reads, and writes one more. Others may run between the two: that is the mistake.
  (func $add (local $seen i32)
    (local.set $seen (i32.load (i32.const 0)))
    (suspend $pauses)
    (i32.store (i32.const 0) (i32.add (local.get $seen) (i32.const 1))))

  (func $lockedAdd
    (loop $again
      (if (i32.load (i32.const 4)) (then (suspend $waits) (br $again))))
    (i32.store (i32.const 4) (i32.const 1))
    (call $add)
    (i32.store (i32.const 4) (i32.const 0)))
  (elem declare func $add $lockedAdd)

  ;; Runs a copy until it lets others run: what is left of it, null at its end, and whether it waits.
  (func $step (param $worker (ref null $worker)) (result (ref null $worker) i32)
    (block $paused (result (ref $worker))
      (block $waiting (result (ref $worker))
        (resume $worker (on $pauses $paused) (on $waits $waiting) (call $clone (local.get $worker)))
        (return (ref.null $worker) (i32.const 0)))
      (return (i32.const 1)))
    (i32.const 0))

  ;; Runs both workers to their end, and gives the counter. Who waits is not asked again before the other has run.
  (func $run (param $one (ref null $worker)) (param $two (ref null $worker)) (result i32)
    (local $waits1 i32) (local $waits2 i32) (local $next i32)
    (loop $again
      (local.set $next
        (if (result i32) (i32.or (ref.is_null (local.get $one)) (local.get $waits1)) (then (i32.const 1))
          (else
            (if (result i32) (i32.or (ref.is_null (local.get $two)) (local.get $waits2)) (then (i32.const 0))
              (else (suspend $chooses (i32.const 2)))))))
      (if (local.get $next)
        (then
          (call $step (local.get $two)) (local.set $waits2) (local.set $two)
          (local.set $waits1 (i32.const 0)))
        (else
          (call $step (local.get $one)) (local.set $waits1) (local.set $one)
          (local.set $waits2 (i32.const 0))))
      (br_if $again (i32.eqz (i32.and (ref.is_null (local.get $one)) (ref.is_null (local.get $two))))))
    (i32.load (i32.const 0)))

  (func (export "racy") (result i32)
    (call $run (cont.new $worker (ref.func $add)) (cont.new $worker (ref.func $add))))
  (func (export "locked") (result i32)
    (call $run (cont.new $worker (ref.func $lockedAdd)) (cont.new $worker (ref.func $lockedAdd)))))
