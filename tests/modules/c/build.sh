#!/bin/sh
# Builds the modules of this folder, which are committed, from their C. Needs clang and wasm-ld (apt-get install clang lld): CLANG names another clang.
set -eu
cd "$(dirname "$0")"
build() { # output, source, flags
  out=$1 source=$2
  shift 2
  "${CLANG:-clang}" --target=wasm32 -O2 -nostdlib -Wl,--no-entry -Wl,--stack-first "$@" -o "$out.wasm" "$source.c"
  chmod 644 "$out.wasm"
}
# The stack pointer is exported, the stack has 1 MiB; there are no names and no such export, it has 64 KiB.
build locals locals -mmutable-globals -Wl,--export=__stack_pointer -Wl,-z,stack-size=1048576
build locals_bare locals -Wl,--strip-all -Wl,-z,stack-size=65536
