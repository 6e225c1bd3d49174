;; Symmetric coroutines (Dick Grune's problem): one copies its input with b for each aa, the other copies that with c for each bb. Each is written as if it had the
;; thread for itself, and passes control straight to the other by `switch`. To the host the two are one coroutine, which asks for letters and gives letters.
(module
  (import "host" "gets" (tag $gets (result i32)))                 ;; a letter, or -1 at the end
  (import "host" "puts" (tag $puts (param i32)))

  (rec
    (type $reader (func (param (ref null $writing)))) (type $reading (cont $reader))
    (type $writer (func (param i32 (ref null $reading)))) (type $writing (cont $writer)))
  (tag $pass)
  (global $reading (mut (ref null $reading)) (ref.null $reading))
  (global $writing (mut (ref null $writing)) (ref.null $writing))
  (elem declare func $reader $writer)

  ;; The reader gives a letter to the writer, and goes on when the writer wants another.
  (func $give (param $letter i32)
    (global.set $writing (switch $writing $pass (local.get $letter) (global.get $writing))))

  ;; The writer gets one from the reader.
  (func $take (result i32)
    (switch $reading $pass (global.get $reading))
    (global.set $reading))

  (func $reader (type $reader)
    (local $letter i32)
    (loop $again
      (local.set $letter (suspend $gets))
      (if (i32.eq (local.get $letter) (i32.const 97))
        (then
          (local.set $letter (suspend $gets))
          (if (i32.eq (local.get $letter) (i32.const 97))
            (then (local.set $letter (i32.const 98)))
            (else (call $give (i32.const 97))))))
      (call $give (local.get $letter))
      (br $again)))

  (func $writer (type $writer) (param $letter i32) (param $from (ref null $reading))
    (global.set $reading (local.get $from))
    (loop $again
      (if (i32.lt_s (local.get $letter) (i32.const 0)) (then (return)))
      (if (i32.eq (local.get $letter) (i32.const 98))
        (then
          (local.set $letter (call $take))
          (if (i32.ne (local.get $letter) (i32.const 98))
            (then (suspend $puts (i32.const 98)) (br $again)))
          (local.set $letter (i32.const 99))))
      (suspend $puts (local.get $letter))
      (local.set $letter (call $take))
      (br $again)))

  ;; The writer's return is the end of both.
  (func (export "copy")
    (global.set $writing (cont.new $writing (ref.func $writer)))
    (resume $reading (on $pass switch) (ref.null $writing) (cont.new $reading (ref.func $reader)))))
