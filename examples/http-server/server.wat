;; A server in blocking style: one coroutine for each request. It reads the body as from a file, sleeps until the host lets it go on, and
;; answers with the sum of the bytes. Nothing here knows of callbacks: `read` and `pause` are imports that may wait.
(module
  (import "http" "read" (func $read (param externref) (result i32)))      ;; the next byte of the body, -1 at its end; may wait
  (import "http" "pause" (func $pause (param externref)))                 ;; waits for what the host decides
  (import "http" "respond" (func $respond (param externref i32)))

  (func (export "serve") (param $request externref)
    (local $byte i32) (local $sum i32)
    (loop $next
      (local.set $byte (call $read (local.get $request)))
      (if (i32.ge_s (local.get $byte) (i32.const 0))
        (then
          (local.set $sum (i32.add (local.get $sum) (local.get $byte)))
          (br $next))))
    (call $pause (local.get $request))
    (call $respond (local.get $request) (local.get $sum))))
