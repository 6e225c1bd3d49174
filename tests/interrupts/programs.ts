/** Endless programs, by where they spin. Each calls `host.inside` once, just before it never ends. */
const HEAD = `(import "host" "inside" (func $inside)) (import "host" "spin" (func $call_spin))`;

export const ENDLESS: Readonly<Record<string, string>> = {
  'a loop': `(module ${HEAD}
    (func (export "spin"))
    (func (export "main") (call $inside) (loop $l (br $l))))`,
  'a loop that works on memory': `(module ${HEAD} (memory 1)
    (func (export "spin"))
    (func (export "main") (call $inside)
      (loop $l (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))) (br $l))))`,
  'a loop in a continuation': `(module ${HEAD}
    (type $f (func)) (type $k (cont $f))
    (func (export "spin"))
    (func $body (call $inside) (loop $l (br $l)))
    (elem declare func $body)
    (func (export "main") (resume $k (cont.new $k (ref.func $body)))))`,
  'two fibers that switch for ever': `(module ${HEAD}
    (type $f (func)) (type $k (cont $f)) (tag $yield)
    (func (export "spin"))
    (func $body (loop $l (suspend $yield) (br $l)))
    (elem declare func $body)
    (func (export "main") (local $c (ref null $k))
      (local.set $c (cont.new $k (ref.func $body))) (call $inside)
      (loop $l
        (block $on (result (ref $k)) (resume $k (on $yield $on) (local.get $c)) (return))
        (local.set $c) (br $l))))`,
  'the callee of an import': `(module ${HEAD}
    (func (export "spin") (call $inside) (loop $l (br $l)))
    (func (export "main") (call $call_spin)))`,
  'a loop around handlers that catch everything': `(module ${HEAD}
    (func (export "spin"))
    (func (export "main") (call $inside)
      (loop $again (block $h (try_table (catch_all $h) (loop $l (br $l)))) (br $again))))`,
  'handlers around a callee of an import': `(module ${HEAD}
    (func (export "spin") (block $h (try_table (catch_all $h) (call $inside) (loop $l (br $l)))) (loop $l (br $l)))
    (func (export "main") (loop $again (block $h (try_table (catch_all $h) (call $call_spin))) (br $again))))`,
  'recursion without a loop': `(module ${HEAD}
    (func (export "spin"))
    (func $fib (param $n i32) (result i32)
      (if (result i32) (i32.lt_u (local.get $n) (i32.const 2)) (then (i32.const 1))
        (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
    (func (export "main") (call $inside) (drop (call $fib (i32.const 70)))))`,
};
