;; Actors: each has a mailbox, and is a loop that takes one message after the other.
(module
  (import "host" "receives" (tag $receives (result i32)))
  (import "host" "sends" (tag $sends (param i32 i32)))            ;; to whom, and what

  ;; Passes a token round, one less each time. Who gets 0 returns with its own number, who gets less than that just returns.
  (func (export "ring") (param $self i32) (param $next i32) (result i32)
    (local $token i32)
    (loop $again
      (local.set $token (suspend $receives))
      (if (i32.gt_s (local.get $token) (i32.const 0))
        (then
          (suspend $sends (local.get $next) (i32.sub (local.get $token) (i32.const 1)))
          (br $again))))
    (select (i32.const 0) (local.get $self) (i32.lt_s (local.get $token) (i32.const 0))))

  ;; Adds up what it gets until that is 0, and sends the sum on.
  (func (export "adder") (param $self i32) (param $to i32) (result i32)
    (local $message i32) (local $sum i32)
    (loop $again
      (local.set $message (suspend $receives))
      (local.set $sum (i32.add (local.get $sum) (local.get $message)))
      (br_if $again (local.get $message)))
    (suspend $sends (local.get $to) (local.get $sum))
    (local.get $self)))
