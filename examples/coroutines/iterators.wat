;; Iterators: a tree is walked by a plain recursive function, which suspends with each key however deep it is.
(module
  (import "host" "yields" (tag $yields (param i32)))

  ;; A node is its key, and the addresses of its two subtrees; 0 is no node.
  (memory 16)
  (global $free (mut i32) (i32.const 12))

  ;; Puts a key into a tree, and gives the tree.
  (func $insert (export "insert") (param $tree i32) (param $key i32) (result i32)
    (local $side i32)
    (if (i32.eqz (local.get $tree))
      (then
        (i32.store (global.get $free) (local.get $key))
        (global.set $free (i32.add (global.get $free) (i32.const 12)))
        (return (i32.sub (global.get $free) (i32.const 12)))))
    (local.set $side
      (i32.add (local.get $tree)
        (select (i32.const 4) (i32.const 8) (i32.lt_s (local.get $key) (i32.load (local.get $tree))))))
    (i32.store (local.get $side) (call $insert (i32.load (local.get $side)) (local.get $key)))
    (local.get $tree))

  ;; All keys in order; returns how many there were.
  (func $walk (export "walk") (param $tree i32) (result i32)
    (local $count i32)
    (if (i32.eqz (local.get $tree)) (then (return (i32.const 0))))
    (local.set $count (call $walk (i32.load offset=4 (local.get $tree))))
    (suspend $yields (i32.load (local.get $tree)))
    (i32.add
      (i32.add (local.get $count) (i32.const 1))
      (call $walk (i32.load offset=8 (local.get $tree))))))
