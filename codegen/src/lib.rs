//! What Heddle needs of Rust, as pure functions without policy: WebAssembly's text formats, its validator, and Cranelift.
//! The formats of every buffer are in `contract/formats.md`; numbers are in `contract/clif.ts`.

mod compiler;
mod control;
mod describe;
mod generated;
mod module;
mod object;
mod replay;
mod settings;
mod signatures;
mod stream;
mod text;
mod types;
mod values;
mod words;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

/// Makes a panic say what it was before the instance aborts; the caller then makes a fresh instance.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|info| console_error(&format!("heddle codegen: {info}"))));
}

/// Any displayable error as a JavaScript one.
pub(crate) fn js_error<E: std::fmt::Display>(error: E) -> JsError {
    JsError::new(&error.to_string())
}
