;; async/await: `await` is a tag. It suspends with what is to be waited for, and is answered with the result, or an error is thrown there.
(module
  (import "host" "awaits" (tag $awaits (param externref) (result i32)))
  (import "host" "fetch" (func $fetch (param i32) (result externref)))
  (import "host" "error" (tag $error (param externref)))

  (func $await-one (param $number i32) (result i32)
    (suspend $awaits (call $fetch (local.get $number))))

  ;; One after the other.
  (func (export "sum") (param $to i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (if (i32.lt_s (local.get $i) (local.get $to))
        (then
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (local.set $sum (i32.add (local.get $sum) (call $await-one (local.get $i))))
          (br $next))))
    (local.get $sum))

  ;; Both are fetched before the first is awaited.
  (func (export "both") (param $one i32) (param $other i32) (result i32)
    (local $first externref) (local $second externref)
    (local.set $first (call $fetch (local.get $one)))
    (local.set $second (call $fetch (local.get $other)))
    (i32.add (suspend $awaits (local.get $first)) (suspend $awaits (local.get $second))))

  ;; try { return await … } catch { return -1; }
  (func (export "careful") (param $number i32) (result i32)
    (block $caught (result externref)
      (try_table (catch $error $caught) (return (call $await-one (local.get $number))))
      (unreachable))
    (drop)
    (i32.const -1)))
