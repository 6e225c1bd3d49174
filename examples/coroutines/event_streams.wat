;; Event streams without inversion of control: dragging is a loop inside a loop, not a callback for each kind of event and a state that they share.
(module
  (import "host" "next" (tag $next (result i32 i32)))             ;; its kind (0 down, 1 move, 2 up, 3 the end), and its place
  (import "host" "emits" (tag $emits (param i32 i32)))            ;; from where, to where

  ;; Emits each drag; returns how many there were.
  (func (export "drags") (result i32)
    (local $kind i32) (local $place i32) (local $from i32) (local $count i32)
    (loop $outside
      (suspend $next)
      (local.set $from)
      (local.set $kind)
      (if (i32.eq (local.get $kind) (i32.const 3)) (then (return (local.get $count))))
      (br_if $outside (local.get $kind))                          ;; the button is not down: moves do not matter
      (loop $inside
        (suspend $next)
        (local.set $place)
        (local.set $kind)
        (if (i32.eq (local.get $kind) (i32.const 3)) (then (return (local.get $count))))
        (br_if $inside (i32.ne (local.get $kind) (i32.const 2))))
      (suspend $emits (local.get $from) (local.get $place))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (br $outside))
    (unreachable)))
