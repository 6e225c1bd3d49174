//! Cranelift's settings and target.

use crate::js_error;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use std::str::FromStr;
use target_lexicon::Triple;
use wasm_bindgen::JsError;

/// Settings that Heddle's unwinder and code cache rely on; `settings` may add to them.
const BASE: [(&str, &str); 5] = [
    ("opt_level", "speed"),
    ("preserve_frame_pointers", "true"),
    ("unwind_info", "false"),
    ("enable_verifier", "false"),
    ("enable_probestack", "false"),
];

/// A target from a triple and `name=value,…`: shared settings first, names that are not among them are the ISA's own.
/// Errors name the triple or the setting that is not known.
pub fn target(triple: &str, settings: &str) -> Result<OwnedTargetIsa, JsError> {
    let mut shared = settings::builder();
    for (name, value) in BASE {
        shared.set(name, value).map_err(js_error)?;
    }
    let mut isa_settings = Vec::new();
    for setting in settings.split(',').filter(|s| !s.is_empty()) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, "true"));
        match shared.set(name, value) {
            Ok(()) => {}
            Err(settings::SetError::BadName(_)) => isa_settings.push((name, value)),
            Err(error) => return Err(JsError::new(&format!("setting {setting}: {error}"))),
        }
    }
    let parsed = Triple::from_str(triple).map_err(|e| JsError::new(&format!("target {triple}: {e}")))?;
    let mut builder = isa::lookup(parsed).map_err(|e| JsError::new(&format!("target {triple}: {e}")))?;
    for (name, value) in isa_settings {
        builder.set(name, value).map_err(|e| JsError::new(&format!("setting {name}={value}: {e}")))?;
    }
    builder.finish(settings::Flags::new(shared)).map_err(js_error)
}
