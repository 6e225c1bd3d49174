// Modules that the sequences use: small ones, which together have every way between JavaScript and WebAssembly. Imports are named by what they
// are given (world.mjs).

/** An import that is a function: its name says its type, and whether it may wait. */
export const FUNCTIONS = {
  nothing: '(func)',
  i32: '(func (param i32) (result i32))',
  i64: '(func (param i64) (result i64))',
  f64: '(func (param f64) (result f64))',
  extern: '(func (param externref) (result externref))',
  funcs: '(func (param funcref) (result funcref))',
  many: '(func (param i32 i64 f32 f64 externref) (result f64 externref i32 i64))',
  wait: '(func)',
  wait_i32: '(func (param i32) (result i32))',
  wait_extern: '(func (param externref) (result externref))',
  wait_two: '(func (param i32) (result i32 i64))',
};

const imported = (...names) =>
  names.map((name) => `(import "env" "${name}" (func $${name} ${FUNCTIONS[name].slice('(func'.length, -1)}))`).join('\n  ');

/** Text by name. */
export const PROGRAMS = {
  calls: `(module $calls
  ${imported('nothing', 'i32', 'i64', 'f64', 'extern', 'funcs', 'many')}
  (type $void (func))
  (table $t (export "table") 4 8 funcref)
  (elem declare func $nothing $i32 $inside)
  (func $inside (export "inside") (call $nothing))
  (func (export "nothing") (call $nothing) (call $nothing))
  (func (export "i32") (param i32) (result i32) (call $i32 (local.get 0)))
  (func (export "i64") (param i64) (result i64) (call $i64 (local.get 0)))
  (func (export "f64") (param f64) (result f64) (call $f64 (local.get 0)))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "extern") (param externref) (result externref) (call $extern (local.get 0)))
  (func (export "funcs") (param funcref) (result funcref) (call $funcs (local.get 0)))
  (func (export "many") (param i32 i64 f32 f64 externref) (result f64 externref i32 i64)
    (call $many (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
  (func (export "twice") (param externref) (result externref) (call $extern (call $extern (local.get 0))))
  (func (export "indirect") (param i32) (call_indirect (type $void) (local.get 0)))
  (func (export "fill") (param funcref) (table.fill $t (i32.const 0) (local.get 0) (i32.const 4)))
  (func (export "give") (result funcref funcref) (ref.func $nothing) (ref.func $inside))
  (func $down (param i32) (result i32) (if (result i32) (local.get 0)
    (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))) (else (call $i32 (i32.const 0)))))
  (func (export "down") (param i32) (result i32) (call $down (i32.and (local.get 0) (i32.const 0xfff))))
  (func $for_ever (call $for_ever) (call $nothing))
  (func (export "overflow") (call $for_ever))
  (func (export "spin") (param i32) (loop $l (br_if $l (local.get 0)))))`,

  memory: `(module $memory
  ${imported('nothing', 'i32')}
  (memory $m (export "memory") 1 4) (data $d "hello, world")
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (data.drop $d))
  (func (export "around") (param i32) (result i32)
    (i32.store (local.get 0) (i32.const 42)) (call $nothing)
    (i32.store (i32.const 65532) (call $i32 (local.get 0))) (i32.load (local.get 0))))`,

  given: `(module $given
  ${imported('nothing', 'i32')}
  (import "env" "memory" (memory 1 4)) (import "env" "shared" (memory $s 1 4 shared))
  (import "env" "table" (table $t 1 funcref)) (import "env" "externs" (table $x 1 externref))
  (import "env" "global" (global $g (mut i32))) (import "env" "kept" (global $e (mut externref)))
  (type $void (func))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "around") (param i32) (result i32)
    (call $nothing) (i32.store (local.get 0) (i32.const 1)) (call $nothing) (i32.load (local.get 0)))
  (func (export "atomics") (param i32) (result i32)
    (drop (memory.atomic.notify $s (i32.const 8) (i32.const 1)))
    (drop (i32.atomic.rmw.add $s (i32.const 16) (local.get 0)))
    (memory.atomic.wait32 $s (i32.const 8) (i32.const 0) (i64.const 1000)))
  (func (export "shared") (param i32) (result i32) (drop (memory.grow $s (i32.const 1))) (call $nothing) (i32.load $s (local.get 0)))
  (func (export "call") (param i32) (call_indirect $t (type $void) (local.get 0)))
  (func (export "take") (param i32) (result externref)
    (table.set $x (i32.const 0) (global.get $e)) (call $nothing) (table.get $x (local.get 0)))
  (func (export "grow") (param externref i32) (result i32) (table.grow $x (local.get 0) (i32.and (local.get 1) (i32.const 7))))
  (func (export "count") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (call $i32 (global.get $g))))`,

  wide: `(module $wide
  ${imported('nothing', 'i64')}
  (memory (export "memory") i64 1 4) (table $t (export "table") i64 2 8 externref)
  (func (export "load") (param i64) (result i64) (i64.load (local.get 0)))
  (func (export "around") (param i64) (result i64)
    (i64.store (local.get 0) (i64.const 7)) (drop (memory.grow (i64.const 1))) (call $nothing) (i64.load (call $i64 (local.get 0))))
  (func (export "put") (param i64 externref) (result externref)
    (call $nothing) (table.set $t (local.get 0) (local.get 1)) (table.get $t (local.get 0))))`,

  tables: `(module $tables
  ${imported('nothing', 'extern', 'i32')}
  (type $void (func))
  (table $t (export "table") 4 16 funcref) (table $x (export "externs") 2 12 externref) (table $a (export "any") 2 8 anyref)
  (elem $s funcref (ref.func $nothing) (ref.func $one) (ref.null func))
  (func $one (export "one") (call $nothing))
  (func (export "init") (param i32 i32 i32) (table.init $t $s (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop") (elem.drop $s))
  (func (export "copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 externref i32) (table.fill $x (local.get 0) (local.get 1) (local.get 2)))
  (func (export "grow") (param i32 externref) (result i32)
    (table.grow $x (call $extern (local.get 1)) (i32.and (local.get 0) (i32.const 3))))
  (func (export "swap") (param i32 externref) (result externref)
    (table.get $x (local.get 0)) (table.set $x (local.get 0) (call $extern (local.get 1))))
  (func (export "call") (param i32) (call_indirect $t (type $void) (local.get 0)))
  (func (export "set") (param i32) (table.set $t (local.get 0) (ref.func $one))))`,

  errors: `(module $errors
  ${imported('nothing', 'i32', 'extern', 'wait')}
  (import "env" "js" (tag $js (param externref)))
  (import "env" "tag" (tag $other (param i32 externref)))
  (tag $tag (export "tag") (param i32 externref)) (tag $none (export "none"))
  (global $kept (mut exnref) (ref.null exn))
  (func (export "throw") (param i32 externref) (throw $tag (local.get 0) (local.get 1)))
  (func (export "other") (param i32 externref) (throw $other (local.get 0) (local.get 1)))
  (func (export "trap") unreachable)
  (func (export "null") (throw_ref (global.get $kept)))
  (func (export "catch") (result externref)
    (block $h (result externref) (try_table (catch $js $h) (call $nothing)) (ref.null extern)))
  (func (export "pass") (result i32)
    (block $h (result i32 externref) (try_table (catch $tag $h) (call $nothing)) (return (i32.const -1))) (drop))
  (func (export "keep")
    (block $h (result exnref) (try_table (catch_all_ref $h) (call $nothing)) (return)) (global.set $kept))
  (func (export "again") (call $nothing) (throw_ref (global.get $kept)))
  (func (export "finally") (param i32) (result i32)
    (block $h (result exnref) (try_table (catch_all_ref $h) (return (call $i32 (local.get 0)))) (unreachable))
    (call $nothing) (throw_ref))
  (func (export "wait_in_handler")
    (block $h (try_table (catch_all $h) (call $wait)) (return)) (call $wait)))`,

  control: `(module $control
  ${imported('nothing', 'i32', 'extern', 'wait_i32')}
  (type $void (func)) (type $k (cont $void))
  (import "heddle" "cont.clone" (func $clone (param (ref null $k)) (result (ref $k))))
  (type $g (func (param i32 externref) (result i32))) (type $kg (cont $g))
  (type $a (func (param i32) (result i32))) (type $ka (cont $a))
  (tag $t (export "tag") (param externref) (result i32)) (tag $u (export "plain")) (tag $e (export "error") (param i32))
  (tag $s)
  (global $kept (mut (ref null $k)) (ref.null $k)) (global $kept_a (mut (ref null $ka)) (ref.null $ka))
  (table $ks 4 (ref null $k))
  (elem declare func $plain $gives $waits $nothing $calls $nested $caller)
  (func $plain (export "plain_stop") (suspend $u) (call $nothing) (suspend $u))
  (func $gives (export "gives") (param i32 externref) (result i32)
    (i32.add (local.get 0) (suspend $t (call $extern (local.get 1)))))
  (func $waits (export "waits") (param i32) (result i32) (drop (call $wait_i32 (local.get 0)))
    (suspend $u) (call $wait_i32 (i32.const 5)))
  (func $calls (export "calls") (call $nothing))
  (func $nested (export "nested") (block $h (result (ref $k)) (resume $k (on $u $h) (cont.new $k (ref.func $plain))) (return))
    (drop) (suspend $u))
  (func (export "start") (param i32) (table.set $ks (i32.and (local.get 0) (i32.const 3))
    (block $h (result (ref $k)) (resume $k (on $u $h) (cont.new $k (ref.func $plain))) (return))))
  (func (export "go") (param i32) (local $x (ref null $k))
    (local.set $x (table.get $ks (i32.and (local.get 0) (i32.const 3))))
    (table.set $ks (i32.and (local.get 0) (i32.const 3))
      (block $h (result (ref $k)) (resume $k (on $u $h) (local.get $x)) (return))))
  (func (export "copy") (param i32)
    (table.set $ks (i32.and (i32.add (local.get 0) (i32.const 1)) (i32.const 3)) (call $clone (table.get $ks (i32.and (local.get 0) (i32.const 3))))))
  (func (export "throw_in") (param i32) (local $x (ref null $k))
    (local.set $x (table.get $ks (i32.and (local.get 0) (i32.const 3))))
    (block $b (result i32) (try_table (catch $e $b) (resume_throw $k $e (i32.const 3) (local.get $x))) (return)) (drop))
  (func (export "import_cont") (resume $k (cont.new $k (ref.func $nothing))))
  (func $caller (param i32) (result i32) (call $i32 (local.get 0)))
  (func (export "inner") (param i32) (result i32) (resume $ka (local.get 0) (cont.new $ka (ref.func $caller))))
  (func (export "inner_wait") (param i32) (result i32)
    (block $h (result (ref $ka2)) (return (resume $ka (on $u $h) (local.get 0) (cont.new $ka (ref.func $waits)))))
    (resume $ka2))
  (type $r (func (result i32))) (type $ka2 (cont $r))
  (func (export "bound") (param i32) (result i32)
    (resume $ka2 (cont.bind $ka $ka2 (local.get 0) (cont.new $ka (ref.func $caller)))))
  (func (export "forget") (table.fill $ks (i32.const 0) (ref.null $k) (i32.const 4))))`,

  promises: `(module $promises
  ${imported('nothing', 'i32', 'wait', 'wait_i32', 'wait_extern', 'wait_two')}
  (func (export "wait") (call $wait) (call $nothing) (call $wait))
  (func (export "wait_i32") (param i32) (result i32) (call $wait_i32 (call $i32 (call $wait_i32 (local.get 0)))))
  (func (export "wait_extern") (param externref) (result externref) (call $wait_extern (call $wait_extern (local.get 0))))
  (func (export "wait_two") (param i32) (result i32 i64) (call $wait_two (local.get 0)))
  (func (export "caught") (result i32)
    (block $h (try_table (catch_all $h) (call $wait) (return (i32.const 0)))) (i32.const 1))
  (func (export "plain") (result i32) (call $i32 (i32.const 1))))`,

  fibers: `(module $fibers
  ${imported('nothing', 'wait')}
  (import "heddle" "fiber_new" (func $new (param i32) (result i32)))
  (import "heddle" "fiber_resume" (func $resume (param i32 i64) (result i64)))
  (import "heddle" "fiber_yield" (func $yield (param i64) (result i64)))
  (import "heddle" "fiber_free" (func $free (param i32)))
  (import "heddle" "fiber_status" (func $status (param i32) (result i32)))
  (import "heddle" "fiber_clone" (func $clone (param i32) (result i32)))
  (memory (export "memory") 2) (global $sp (mut i32) (i32.const 65536))
  (table 2 funcref) (elem (i32.const 0) $f $w)
  (func $f (param i64) (result i64) (call $nothing) (call $yield (i64.add (call $yield (local.get 0)) (i64.const 1))))
  (func $w (param i64) (result i64) (call $wait) (call $yield (local.get 0)))
  (func (export "new") (param i32) (result i32) (call $new (i32.and (local.get 0) (i32.const 1))))
  (func (export "resume") (param i32 i64) (result i64) (call $resume (local.get 0) (local.get 1)))
  (func (export "free") (param i32) (call $free (local.get 0)))
  (func (export "clone") (param i32) (result i32) (call $clone (local.get 0)))
  (func (export "status") (param i32) (result i32) (call $status (local.get 0)))
  (func (export "run") (result i64) (local $f i32) (local.set $f (call $new (i32.const 0)))
    (drop (call $resume (local.get $f) (i64.const 1))) (call $nothing)
    (drop (call $resume (local.get $f) (i64.const 2))) (call $resume (local.get $f) (i64.const 3))))`,

  shadow: `(module $shadow
  ${imported('nothing', 'wait_i32')}
  (memory (export "memory") 2 4) (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
  (global $next (mut i32) (i32.const 66000))
  (func (export "malloc") (param i32) (result i32) (call $nothing)
    (global.get $next) (global.set $next (i32.add (global.get $next) (local.get 0))))
  (func (export "free") (param i32) (call $nothing))
  (func (export "twice") (param i32) (result i32) (local $fp i32)
    (global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const 16))))
    (i32.store (local.get $fp) (local.get 0))
    (drop (call $wait_i32 (local.get 0)))
    (i32.load (local.get $fp))
    (global.set $sp (i32.add (local.get $fp) (i32.const 16)))))`,

  starts: `(module $starts
  ${imported('nothing', 'i32')}
  (import "env" "externs" (table $x 1 externref)) (import "env" "table" (table $t 1 funcref))
  (memory (export "memory") 1) (data (i32.const 0) "abc") (elem (table $t) (i32.const 0) func $begin)
  (global (export "g") (mut i64) (i64.const 1)) (global (export "e") (mut externref) (ref.null extern))
  (global (export "f") (mut funcref) (ref.func $begin))
  (func $begin (export "begin") (call $nothing) (drop (call $i32 (i32.const 3))))
  (start $begin))`,
};
