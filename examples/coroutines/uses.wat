;; Uses of coroutines (after Prokopec and Liu, Theory and Practice of Coroutines with Snapshots) that one-shot continuations allow. Each is a plain function that
;; suspends; the host's half of each stands in uses.mjs.
(module
  (import "host" "print" (func $print (param i32)))

  ;; Iterator: gives a value for each resumption.
  (tag $yield (export "yield") (param i32))
  (func (export "fibonacci") (param $n i32)
    (local $a i32) (local $b i32) (local $next i32)
    (local.set $b (i32.const 1))
    (loop $again
      (if (i32.eqz (local.get $n)) (then (return)))
      (suspend $yield (local.get $b))
      (local.set $next (i32.add (local.get $a) (local.get $b)))
      (local.set $a (local.get $b))
      (local.set $b (local.get $next))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $again)))

  ;; Single-assignment variable: who reads it before it has a value waits for it.
  (tag $read (export "read") (result i32))
  (func (export "reader") (result i32) (i32.mul (i32.const 2) (suspend $read)))

  ;; async/await: awaits what the host computes, one after the other.
  (tag $await (export "await") (param i32) (result i32))
  (func $sum (export "sum") (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (suspend $await (local.get $n)) (call $sum (i32.sub (local.get $n) (i32.const 1)))))
      (else (i32.const 0))))

  ;; Actor: takes messages from its mailbox, until one is negative.
  (tag $receive (export "receive") (result i32))
  (func (export "actor") (result i32)
    (local $message i32) (local $state i32)
    (loop $next
      (local.set $message (suspend $receive))
      (if (i32.ge_s (local.get $message) (i32.const 0))
        (then
          (local.set $state (i32.add (local.get $state) (local.get $message)))
          (br $next))))
    (local.get $state))

  ;; Event stream without inversion of control: a drag is a loop between a press and a release, not three callbacks and a state.
  (tag $event (export "event") (result i32 i32))                  ;; kind (0 down, 1 move, 2 up) and place
  (func (export "drag") (result i32)
    (local $kind i32) (local $place i32) (local $from i32)
    (loop $wait
      (suspend $event)
      (local.set $from)
      (br_if $wait (i32.ne (i32.const 0))))
    (loop $moving
      (suspend $event)
      (local.set $place)
      (local.set $kind)
      (br_if $moving (i32.eq (local.get $kind) (i32.const 1))))
    (i32.sub (local.get $place) (local.get $from)))

  ;; Symmetric coroutines: three that pass control to each other by `switch`, without coming back to who began.
  (rec (type $g (func (param (ref null $c)))) (type $c (cont $g)))
  (tag $pass)
  (table $others 3 (ref null $c))
  (elem declare func $one)
  (global $starting (mut i32) (i32.const 0))
  (global $from (mut i32) (i32.const 0))
  ;; Passes control to the coroutine of a number; keeps who passes it back.
  (func $pass-to (param $self i32) (param $next i32)
    (global.set $from (local.get $self))
    (switch $c $pass (table.get $others (local.get $next)))
    (call $keep))
  (func $keep (param $passed (ref null $c))
    (table.set $others (global.get $from) (local.get $passed)))
  (func $one (type $g) (param $passed (ref null $c))
    (local $self i32) (local $rounds i32)
    (local.set $self (global.get $starting))
    (global.set $starting (i32.add (global.get $starting) (i32.const 1)))
    (if (local.get $self) (then (call $keep (local.get $passed))))
    (local.set $rounds (i32.const 3))
    (loop $again
      (call $print (i32.add (i32.const 97) (local.get $self)))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      ;; The last of the last round returns, and with it the whole.
      (if (i32.eqz (i32.or (local.get $rounds) (i32.sub (i32.const 2) (local.get $self)))) (then (return)))
      (call $pass-to (local.get $self) (i32.rem_u (i32.add (local.get $self) (i32.const 1)) (i32.const 3)))
      (br $again)))
  (func (export "symmetric")
    (table.set $others (i32.const 1) (cont.new $c (ref.func $one)))
    (table.set $others (i32.const 2) (cont.new $c (ref.func $one)))
    (resume $c (on $pass switch) (ref.null $c) (cont.new $c (ref.func $one)))))
