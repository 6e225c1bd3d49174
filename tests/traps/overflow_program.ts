/** Functions that recurse without end, each in its own way. All take and give an i32, and count down where they are given a depth. */
export const RECURSIONS: Readonly<Record<string, string>> = {
  direct: `(func $r (type $f)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (i32.add (call $r (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))`,
  mutual: `(func $r (type $f)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (i32.add (call $s (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))
    (func $s (type $f)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (i32.add (call $r (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))`,
  'through a table': `(table funcref (elem $r)) (func $r (type $f)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (i32.add (call_indirect (type $f) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)) (i32.const 1)))))`,
  'through a reference': `(func $r (type $f)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (i32.add (call_ref $f (i32.sub (local.get 0) (i32.const 1)) (ref.func $r)) (i32.const 1)))))`,
  'with large frames': largeFrames(100),
  'with frames of 2,000 values': largeFrames(2000),
  'with 100 results': manyResults(100),
  'with a library call at each level': `(memory 1) (func $r (type $f)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (memory.fill (i32.const 0) (local.get 0) (i32.const 9))
        (i32.add (call $r (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))`,
};

/** Every frame keeps many values across its call. */
function largeFrames(count: number): string {
  const values = Array.from({ length: count }, (_, i) => i);
  return `(func $r (type $f) ${values.map(() => '(local i32)').join('')}
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    ${values.map((i) => `(local.set ${i + 1} (i32.mul (local.get 0) (i32.const ${i + 3})))`).join(' ')}
    (i32.add (call $r (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))
    ${values.map((i) => `(if (i32.ne (local.get ${i + 1}) (i32.mul (local.get 0) (i32.const ${i + 3}))) (then unreachable))`).join(' ')})`;
}

/** Every frame has room for its callee's results. */
function manyResults(count: number): string {
  const values = Array.from({ length: count - 1 }, (_, i) => i);
  return `(func $many (param i32) (result ${'i32 '.repeat(count)})
      (if (i32.eqz (local.get 0)) (then (return (i32.const 0) ${values.map((i) => `(i32.const ${i})`).join(' ')})))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (call $many (local.get 0)) ${'drop '.repeat(count - 1)}
      (i32.const 1) i32.add ${values.map((i) => `(i32.const ${i})`).join(' ')})
    (func $r (type $f) (call $many (local.get 0)) ${'drop '.repeat(count - 1)})`;
}

/** The recursion on the entry's stack, on a continuation's, and on that of a continuation that was suspended meanwhile. */
export function overflowModule(recursion: string): string {
  return `(module (type $f (func (param i32) (result i32))) (type $k (cont $f)) (tag $t) (type $f0 (func (result i32))) (type $k0 (cont $f0))
    ${recursion} (elem declare func $r $later)
    (func $later (type $f) (suspend $t) (call $r (local.get 0)))
    (func (export "entry") (type $f) (call $r (local.get 0)))
    (func (export "continuation") (type $f) (resume $k (local.get 0) (cont.new $k (ref.func $r))))
    (func (export "resumed") (type $f)
      (block $on (result (ref $k0)) (return (resume $k (on $t $on) (local.get 0) (cont.new $k (ref.func $later)))))
      (resume $k0)))`;
}
