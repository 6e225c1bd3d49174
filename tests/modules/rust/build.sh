#!/bin/sh
# Builds the module of this folder, which is committed, from its Rust. Needs a rustc with the target wasm32-unknown-unknown: RUSTC names another, LINKER a wasm-ld.
set -eu
cd "$(dirname "$0")"
"${RUSTC:-rustc}" --edition 2024 --target wasm32-unknown-unknown --crate-type cdylib -O -C panic=abort -C strip=symbols -C linker="${LINKER:-rust-lld}" -o locals.wasm locals.rs
chmod 644 locals.wasm
