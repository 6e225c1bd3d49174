;; a tag's values, and everything as a reference
(module
  (tag $e (param i32))
  (func $f (import "" "f") (param i32))
  (func (param i32) (result i32)
    (block $all (result exnref)
      (block $e (result i32)
        (try_table (catch $e $e) (catch_all_ref $all)
          (call $f (local.get 0)))
        (return (i32.const 0)))
      (return))
    (throw_ref)))
