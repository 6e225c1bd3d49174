;; A frame on the shadow stack: what the stack pointer is set to stays within the bounds behind it in its cell.
(module
  (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
  (func (export "frame") (local $frame i32)
    (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 32))))
    (global.set $sp (i32.add (local.get $frame) (i32.const 32)))))
