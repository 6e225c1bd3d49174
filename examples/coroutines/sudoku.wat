;; Sudoku: each empty cell gets one of the digits that are left for it, whichever makes the rest come out.
(module
  (import "host" "chooses" (tag $chooses (param i32) (result i32)))
  ;; 81 cells, row by row; 0 is empty. JavaScript has it put back at each choice.
  (memory (export "board") 1)

  (func $at (param $row i32) (param $column i32) (result i32)
    (i32.load8_u (i32.add (i32.mul (local.get $row) (i32.const 9)) (local.get $column))))

  ;; A bit for each digit that stands in the row, the column or the box of a cell.
  (func $taken (param $cell i32) (result i32) (local $row i32) (local $column i32) (local $i i32) (local $bits i32)
    (local.set $row (i32.div_u (local.get $cell) (i32.const 9)))
    (local.set $column (i32.rem_u (local.get $cell) (i32.const 9)))
    (loop $next
      (local.set $bits (i32.or (local.get $bits)
        (i32.or
          (i32.shl (i32.const 1) (call $at (local.get $row) (local.get $i)))
          (i32.or
            (i32.shl (i32.const 1) (call $at (local.get $i) (local.get $column)))
            (i32.shl (i32.const 1)
              (call $at
                (i32.add
                  (i32.sub (local.get $row) (i32.rem_u (local.get $row) (i32.const 3)))
                  (i32.div_u (local.get $i) (i32.const 3)))
                (i32.add
                  (i32.sub (local.get $column) (i32.rem_u (local.get $column) (i32.const 3)))
                  (i32.rem_u (local.get $i) (i32.const 3)))))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 9))))
    (local.get $bits))

  (func (export "solve") (local $cell i32) (local $free i32) (local $skip i32)
    (loop $next
      (if (i32.eqz (i32.load8_u (local.get $cell)))
        (then
          (local.set $free (i32.and (i32.const 0x3fe) (i32.xor (i32.const -1) (call $taken (local.get $cell)))))
          ;; As many outcomes as there are digits; then the digit with that number.
          (local.set $skip (suspend $chooses (i32.popcnt (local.get $free))))
          (block $found
            (loop $another
              (br_if $found (i32.eqz (local.get $skip)))
              (local.set $free (i32.and (local.get $free) (i32.sub (local.get $free) (i32.const 1))))
              (local.set $skip (i32.sub (local.get $skip) (i32.const 1)))
              (br $another)))
          (i32.store8 (local.get $cell) (i32.ctz (local.get $free)))))
      (local.set $cell (i32.add (local.get $cell) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $cell) (i32.const 81))))))
