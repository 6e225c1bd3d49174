;; What a Go compiler would make of
;;
;;   func main() {
;;       limit := 10
;;       go func() {                                  // printOdds
;;           for i := 1; i < limit; i += 2 { println(i); runtime.Gosched() }
;;       }()
;;       runtime.Gosched()
;;       for i := 2; i <= limit; i += 2 { println(i); runtime.Gosched() }
;;   }
;;
;; with a stack for every goroutine: prints 1 to 10, one a line. The runtime is the part that such a compiler ships with every program: a queue of
;; runnable tasks, `task.start`, `task.Pause`, the scheduler. No function is rewritten: the stacks are the engine's.
(module $odds
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  ;; A goroutine's function takes a pointer to what it captured. A task that has not begun still wants both of task.entry's parameters; one
  ;; that can be resumed wants nothing.
  (type $goroutine (func (param i32)))
  (type $entry (func (param i32 i32)))
  (type $step (func))
  (type $unstarted (cont $entry))
  (type $task (cont $step))

  (memory (export "memory") 1)
  ;;   0 .. 15    the iovec of println, and how many bytes fd_write wrote
  ;;  16 .. 31    println's digits, from the end
  ;;  1024 ..     the heap
  (global $heap (mut i32) (i32.const 1024))

  ;; Function values are indices in this table, as in any module made by a compiler.
  (table $functions funcref (elem $main $printOdds))

  ;; ---------------------------------------------------------------------------------------------------------------------------------------
  ;; The run queue: a ring of tasks in a table. `first` is where the next one is taken; `count` are in it.

  (table $queue 2 (ref null $task))
  (global $queue.first (mut i32) (i32.const 0))
  (global $queue.count (mut i32) (i32.const 0))

  ;; The table index of the ring's entry number `i`, counted from the first. The table's size is a power of two.
  (func $queue.slot (param $i i32) (result i32)
    (i32.and
      (i32.add (global.get $queue.first) (local.get $i))
      (i32.sub (table.size $queue) (i32.const 1))))

  ;; Doubles the ring. What had wrapped around to the table's front moves behind its old end.
  (func $queue.grow
    (local $size i32)
    (local.set $size (table.size $queue))
    (if (i32.eq (table.grow $queue (ref.null $task) (local.get $size)) (i32.const -1)) (then (unreachable)))
    (table.copy $queue $queue (local.get $size) (i32.const 0) (global.get $queue.first))
    (table.fill $queue (i32.const 0) (ref.null $task) (global.get $queue.first)))

  (func $queue.push (param $task (ref $task))
    (if (i32.eq (global.get $queue.count) (table.size $queue)) (then (call $queue.grow)))
    (table.set $queue (call $queue.slot (global.get $queue.count)) (local.get $task))
    (global.set $queue.count (i32.add (global.get $queue.count) (i32.const 1))))

  (func $queue.pop (result (ref $task))
    (local $slot i32)
    (local.set $slot (call $queue.slot (i32.const 0)))
    (ref.as_non_null (table.get $queue (local.get $slot)))
    (table.set $queue (local.get $slot) (ref.null $task))
    (global.set $queue.first (call $queue.slot (i32.const 1)))
    (global.set $queue.count (i32.sub (global.get $queue.count) (i32.const 1))))

  ;; ---------------------------------------------------------------------------------------------------------------------------------------
  ;; Tasks.

  ;; What a task that pauses hands its scheduler: nothing but itself.
  (tag $pause)

  ;; The bottom of every task's stack: calls function `fn` of the table with what it captured.
  (func $task.entry (param $fn i32) (param $captured i32)
    (call_indirect $functions (type $goroutine) (local.get $captured) (local.get $fn)))
  (elem declare func $task.entry)

  ;; The `go` statement. The function and its argument are bound here and now; nothing runs before the scheduler takes the task.
  (func $task.start (param $fn i32) (param $captured i32)
    (call $queue.push
      (cont.bind $unstarted $task
        (local.get $fn)
        (local.get $captured)
        (cont.new $unstarted (ref.func $task.entry)))))

  ;; runtime.Gosched(): from however deep in calls, the whole stack of the task stays as it is until it is resumed.
  (func $task.Pause
    (suspend $pause))

  (global $mainDone (mut i32) (i32.const 0))

  ;; Runs tasks in turn until main has returned. A task that pauses comes back as a continuation and goes to the end of the queue; one that
  ;; returns is gone, and so is its stack.
  (func $scheduler
    (loop $next
      (if (i32.or (global.get $mainDone) (i32.eqz (global.get $queue.count))) (then (return)))
      (block $paused (result (ref $task))
        (resume $task (on $pause $paused) (call $queue.pop))
        (br $next))
      (call $queue.push)
      (br $next)))

  ;; ---------------------------------------------------------------------------------------------------------------------------------------
  ;; println(int): decimal digits and a newline, through WASI.

  (func $println (param $n i32)
    (local $at i32)
    (local.set $at (i32.const 31))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (br_if $digit (local.get $n)))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 32) (local.get $at)))
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
      (then (call $proc_exit (i32.const 1)))))

  (func $runtime.alloc (param $bytes i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get $bytes))))

  ;; ---------------------------------------------------------------------------------------------------------------------------------------
  ;; The program.

  (func $printOdds (param $captured i32)
    (local $i i32)
    (local.set $i (i32.const 1))
    (block $done
      (loop $for
        (br_if $done (i32.ge_s (local.get $i) (i32.load (local.get $captured))))
        (call $println (local.get $i))
        (call $task.Pause)
        (local.set $i (i32.add (local.get $i) (i32.const 2)))
        (br $for))))

  (func $main (param $captured i32)
    (local $limit i32) (local $i i32)
    ;; limit := 10 is captured, so it lives on the heap.
    (local.set $limit (call $runtime.alloc (i32.const 4)))
    (i32.store (local.get $limit) (i32.const 10))
    (call $task.start (i32.const 1) (local.get $limit))
    (call $task.Pause)
    (local.set $i (i32.const 2))
    (block $done
      (loop $for
        (br_if $done (i32.gt_s (local.get $i) (i32.load (local.get $limit))))
        (call $println (local.get $i))
        (call $task.Pause)
        (local.set $i (i32.add (local.get $i) (i32.const 2)))
        (br $for)))
    (global.set $mainDone (i32.const 1)))

  (func (export "_start")
    (call $task.start (i32.const 0) (i32.const 0))
    (call $scheduler)))
