;; What a Scheme compiler may emit for threads that pause. There is no trampoline: procedures call each other as they are, directly, by a table, in tail
;; position, and any of them may pause. A pause suspends to the host, which waits for events and resumes with the one that came.
;; One-shot continuations (call/1cc) live below that, in the same program.
(module
  (rec
    (type $waiting (func (param i32) (result i32)))
    (type $k (cont $waiting))                                   ;; what call/1cc captures: goes on with a value
    (type $receiver (func (param (ref $k)) (result i32))))      ;; what call/1cc calls
  (type $thunk (func (result i32)))
  (type $ready (cont $thunk))                                   ;; goes on with nothing more
  (type $wrapper (func (param (ref $receiver) (ref $k)) (result i32)))
  (type $fresh (cont $wrapper))
  (type $procedure (func (param i32) (result i32)))

  (import "host" "print" (func $print (param i32)))
  (import "host" "send" (func $send (param i32)))               ;; to the socket

  (tag $pause (export "pause") (param i32) (result i32))        ;; the set of events to wait for -> the one that came
  (tag $capture (param (ref $receiver)) (result i32))
  (tag $give (param (ref $k) i32))

  ;; (select events): events are bits; 1 is a timer, 2 the socket.
  (func $select (param $events i32) (result i32)
    (suspend $pause (local.get $events)))

  ;; (call/1cc receiver): the receiver gets the rest of the computation, which can be given a value once.
  (func $call/1cc (param $f (ref $receiver)) (result i32)
    (suspend $capture (local.get $f)))

  ;; (k v): gives up what runs and goes on at k.
  (func $give-to (param $k (ref $k)) (param $v i32)
    (suspend $give (local.get $k) (local.get $v))
    (unreachable))

  ;; A receiver that returns gives its value to the continuation that it got.
  (func $receive (type $wrapper) (param $f (ref $receiver)) (param $k (ref $k)) (result i32)
    (call $give-to (local.get $k) (call_ref $receiver (local.get $k) (local.get $f)))
    (unreachable))

  ;; Runs a thunk to its end, with all that it captures. Pauses pass through: nobody here handles them.
  (func $top (param $main (ref $thunk)) (result i32)
    (local $next (ref null $ready)) (local $k (ref null $k)) (local $v i32)
    (local.set $next (cont.new $ready (local.get $main)))
    (loop $again
      (block $given (result (ref $k) i32 (ref $ready))
        (block $captured (result (ref $receiver) (ref $k))
          (return (resume $ready (on $capture $captured) (on $give $given) (local.get $next))))
        (local.set $next (cont.bind $fresh $ready (cont.new $fresh (ref.func $receive))))
        (br $again))
      (drop)                                                    ;; who gave is over
      (local.set $v)
      (local.set $k)
      (local.set $next (cont.bind $k $ready (local.get $v) (local.get $k)))
      (br $again))
    (unreachable))

  (table funcref (elem $ask $count-down))
  (elem declare func $receive $program $search $return-twice)

  ;; Sends a number and waits for the answer: calls that pause are plain calls.
  (func $ask (type $procedure) (param $n i32) (result i32)
    (call $send (local.get $n))
    (call $select (i32.const 2)))

  ;; A loop by tail calls, through the table, that pauses at each hundred thousandth: the stack does not grow.
  (func $count-down (type $procedure) (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
    (if (i32.eqz (i32.rem_u (local.get $n) (i32.const 100000)))
      (then (call $print (i32.add (i32.const 1000) (call $select (i32.const 1))))))
    (return_call_indirect (type $procedure) (i32.sub (local.get $n) (i32.const 1)) (i32.const 1)))

  ;; (call/1cc (lambda (return) …)): leaves a search from the middle of a loop that also pauses.
  (func $search (type $receiver) (param $return (ref $k)) (result i32)
    (local $i i32)
    (loop $next
      (drop (call $select (i32.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (if (i32.eq (i32.mul (local.get $i) (local.get $i)) (i32.const 49))
        (then (call $give-to (local.get $return) (local.get $i))))
      (br $next))
    (unreachable))

  ;; A continuation that is used twice: one-shot, so this is an error.
  (func $return-twice (type $receiver) (param $return (ref $k)) (result i32)
    (drop (cont.bind $k $ready (i32.const 1) (local.get $return)))
    (i32.const 2))

  (func $program (type $thunk) (result i32)
    (call $print (call $ask (i32.const 20)))                                              ;; direct
    (call $print (call_indirect (type $procedure) (i32.const 21) (i32.const 0)))          ;; indirect
    (call $print (call_indirect (type $procedure) (i32.const 300000) (i32.const 1)))      ;; in tail position
    (call $print (call $call/1cc (ref.func $search)))
    ;; Both events: the socket answers at once, the timer is an hour away.
    (call $send (i32.const 22))
    (call $select (i32.const 6)))

  (func (export "main") (result i32) (call $top (ref.func $program)))
  (func $misuse (type $thunk) (result i32) (call $call/1cc (ref.func $return-twice)))
  (elem declare func $misuse)
  (func (export "misuse") (result i32) (call $top (ref.func $misuse))))
