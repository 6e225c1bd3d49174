//! A validated module: its description, and its functions' operator streams on demand.

use crate::describe::Description;
use crate::generated::feature;
use crate::stream;
use crate::types::val_type;
use std::ops::Range;
use wasm_bindgen::prelude::*;
use wasmparser::{
    BinaryReader, BinaryReaderError, FuncToValidate, FuncValidatorAllocations, FunctionBody, Operator, Parser, Payload, ValidPayload, Validator,
    ValidatorResources, WasmFeatures,
};

/// A wasmparser error as JSON with message and byte offset.
pub fn validation_error(error: &BinaryReaderError) -> JsError {
    JsError::new(&serde_json::json!({ "message": error.message(), "offset": error.offset() }).to_string())
}

struct Body {
    resources: ValidatorResources,
    index: u32,
    ty: u32,
    features: WasmFeatures,
    range: Range<usize>,
}

/// The features of the standard, with those that a bit set of `contract/clif.ts` FEATURES turns on, and without those that it turns off.
fn features(bits: u32) -> WasmFeatures {
    let mut set = WasmFeatures::WASM3;
    set.set(WasmFeatures::THREADS, bits & feature::THREADS != 0);
    set.set(WasmFeatures::LEGACY_EXCEPTIONS, bits & feature::LEGACY_EXCEPTIONS != 0);
    set.set(WasmFeatures::CUSTOM_PAGE_SIZES, bits & feature::CUSTOM_PAGE_SIZES != 0);
    set.set(WasmFeatures::STACK_SWITCHING, bits & feature::NO_STACK_SWITCHING == 0);
    set.set(WasmFeatures::MULTI_MEMORY, bits & feature::NO_MULTI_MEMORY == 0);
    set.set(WasmFeatures::REFERENCE_TYPES, bits & feature::NO_REFERENCE_TYPES == 0);
    set
}

/// Validates a module. `section` takes in what is valid, but bodies; `function` does so with those, before they are checked.
fn validate<'a>(
    bytes: &'a [u8],
    features: WasmFeatures,
    check_bodies: bool,
    mut section: impl FnMut(Payload<'a>) -> wasmparser::Result<()>,
    mut function: impl FnMut(&FuncToValidate<ValidatorResources>, Range<u64>),
) -> wasmparser::Result<FuncValidatorAllocations> {
    let mut validator = Validator::new_with_features(features);
    let mut allocations = FuncValidatorAllocations::default();
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        if let ValidPayload::Func(found, body) = validator.payload(&payload)? {
            function(&found, body.range());
            if check_bodies {
                let mut checked = found.into_validator(allocations);
                checked.validate(&body)?;
                allocations = checked.into_allocations();
            }
            continue;
        }
        section(payload)?;
    }
    Ok(allocations)
}

/// A module that is valid, function bodies included.
#[wasm_bindgen]
pub struct ModuleInfo {
    bytes: Vec<u8>,
    description: Description,
    bodies: Vec<Body>,
    allocations: Option<FuncValidatorAllocations>,
}

#[wasm_bindgen]
impl ModuleInfo {
    /// Validates. `check_bodies` false leaves function bodies unchecked: for a worker thread whose parent checked the same bytes.
    /// Errors: JSON with message and offset.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>, feature_bits: u32, check_bodies: bool) -> Result<ModuleInfo, JsError> {
        Self::read(bytes, features(feature_bits), check_bodies).map_err(|e| validation_error(&e))
    }

    /// Validates the whole, and keeps nothing.
    /// Errors: JSON with message and offset.
    pub fn check(bytes: &[u8], feature_bits: u32) -> Result<(), JsError> {
        validate(bytes, features(feature_bits), true, |_| Ok(()), |_, _| ()).map(|_| ()).map_err(|e| validation_error(&e))
    }

    /// JSON of everything but types, functions, elements and data.
    pub fn describe(&self) -> String {
        self.description.json()
    }
    /// The types, flat.
    pub fn types(&self) -> Vec<u32> {
        self.description.types()
    }
    /// Type index of each defined function.
    pub fn functions(&self) -> Vec<u32> {
        self.bodies.iter().map(|b| b.ty).collect()
    }
    /// Start and end of each body, byte offsets in the module.
    pub fn bodies(&self) -> Vec<u32> {
        self.bodies.iter().flat_map(|b| [b.range.start as u32, b.range.end as u32]).collect()
    }
    /// Element segments, flat; to be asked for once: of ten million no second list is made.
    pub fn elements(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.description.elements)
    }
    /// Data segments, flat.
    pub fn data(&self) -> Vec<u32> {
        self.description.data.clone()
    }
    /// JSON of the name section.
    pub fn names(&self) -> String {
        self.description.names_json()
    }
    /// The operator stream of defined function `index`.
    pub fn ops(&mut self, index: u32) -> Result<Vec<u32>, JsError> {
        if index as usize >= self.bodies.len() {
            return Err(JsError::new(&format!("the module has no defined function {index}")));
        }
        self.stream(index as usize).map_err(|e| validation_error(&e))
    }
}

impl ModuleInfo {
    fn read(bytes: Vec<u8>, features: WasmFeatures, check_bodies: bool) -> wasmparser::Result<ModuleInfo> {
        let mut description = Description::default();
        let mut bodies = Vec::new();
        let allocations = validate(
            &bytes,
            features,
            check_bodies,
            |payload| description.payload(&bytes, payload),
            |function, range| {
                bodies.push(Body {
                    resources: function.resources.clone(),
                    index: function.index,
                    ty: function.ty,
                    features,
                    range: range.start as usize..range.end as usize,
                });
            },
        )?;
        Ok(ModuleInfo { bytes, description, bodies, allocations: Some(allocations) })
    }

    fn stream(&mut self, index: usize) -> wasmparser::Result<Vec<u32>> {
        let body = &self.bodies[index];
        let function =
            FuncToValidate { resources: body.resources.clone(), index: body.index, ty: body.ty, features: body.features };
        let mut validator = function.into_validator(self.allocations.take().unwrap_or_default());
        let reader =
            BinaryReader::new_features(&self.bytes[body.range.clone()], body.range.start as u64, body.features);
        let function_body = FunctionBody::new(reader);
        let mut out = Vec::with_capacity(body.range.len() * 3);

        let mut locals = function_body.get_locals_reader()?;
        let runs = locals.get_count();
        out.push(runs);
        for _ in 0..runs {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            validator.define_locals(offset, count, ty)?;
            out.push(count);
            out.push(val_type(ty));
        }

        // While `dead` is a height, operators are dropped until the one that ends the frame of that height.
        let mut dead: Option<u32> = None;
        let mut operators = function_body.get_operators_reader()?;
        while !operators.eof() {
            let offset = operators.original_position();
            let operator = operators.read()?;
            let height = validator.control_stack_height();
            validator.op(offset, &operator)?;
            if let Some(dead_height) = dead {
                let ends = height == dead_height
                    && matches!(
                        operator,
                        Operator::End | Operator::Else | Operator::Catch { .. } | Operator::CatchAll | Operator::Delegate { .. }
                    );
                if !ends {
                    continue;
                }
                dead = None;
            }
            out.push(stream::opcode(&self.bytes, offset as usize)?);
            out.push(offset as u32);
            stream::push_immediates(&operator, &mut out);
            if validator.get_control_frame(0).is_some_and(|frame| frame.unreachable) {
                dead = Some(validator.control_stack_height());
            }
        }
        operators.finish()?;
        self.allocations = Some(validator.into_allocations());
        Ok(out)
    }
}
