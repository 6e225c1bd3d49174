;; A generator: `numbers` counts up and yields each number; `sum` asks for n of them and adds them up.
;;
;;   heddle run --invoke sum examples/generator.wat 10        prints 55
(module $generator
  (type $body (func))
  (type $numbers (cont $body))
  (tag $yield (param i32))

  ;; Yields 1, 2, 3 … and never ends: whoever asks stops asking.
  (func $numbers
    (local $n i32)
    (loop $more
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (suspend $yield (local.get $n))
      (br $more)))
  (elem declare func $numbers)

  (func (export "sum") (param $count i32) (result i32)
    (local $sum i32)
    (local $rest (ref null $numbers))
    (local.set $rest (cont.new $numbers (ref.func $numbers)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        ;; The suspend arrives here: the number, and the continuation of the generator.
        (block $yielded (result i32 (ref $numbers))
          (resume $numbers (on $yield $yielded) (local.get $rest))
          (br $done))
        (local.set $rest)
        (local.set $sum (i32.add (local.get $sum)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
