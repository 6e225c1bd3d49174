//! Programs to machine code.

use crate::js_error;
use crate::object::Output;
use crate::replay::{opcode, Replay, LAST_OPCODE};
use crate::settings::target;
use crate::signatures::parse_signatures;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::print_errors::pretty_error;
use cranelift_codegen::Context;
use cranelift_frontend::FunctionBuilderContext;
use std::fmt::Write;
use wasm_bindgen::prelude::*;

/// Compiles the functions of one module for one target.
#[wasm_bindgen]
pub struct Compiler {
    isa: OwnedTargetIsa,
    signatures: Vec<Signature>,
    function_signatures: Vec<u32>,
    context: Context,
    builder: FunctionBuilderContext,
}

enum Print {
    Nothing,
    Clif,
    Assembly,
}

#[wasm_bindgen]
impl Compiler {
    /// `settings`: `name=value,…`; `signatures` and `function_signatures` as in contract/formats.md, section 4.
    #[wasm_bindgen(constructor)]
    pub fn new(triple: &str, settings: &str, signatures: &[i32], function_signatures: Vec<u32>) -> Result<Compiler, JsError> {
        Ok(Compiler {
            isa: target(triple, settings)?,
            signatures: parse_signatures(signatures).map_err(js_error)?,
            function_signatures,
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
        })
    }

    /// Compiles every function of the program.
    pub fn compile(&mut self, program: &[i32]) -> Result<Output, JsError> {
        self.run(program, &Print::Nothing, &mut String::new())
    }

    /// The program as CLIF text.
    pub fn clif(&mut self, program: &[i32]) -> Result<String, JsError> {
        let mut text = String::new();
        self.run(program, &Print::Clif, &mut text)?;
        Ok(text)
    }

    /// The compiled program as Cranelift prints machine code.
    pub fn asm(&mut self, program: &[i32]) -> Result<String, JsError> {
        let mut text = String::new();
        self.run(program, &Print::Assembly, &mut text)?;
        Ok(text)
    }
}

impl Compiler {
    fn run(&mut self, program: &[i32], print: &Print, text: &mut String) -> Result<Output, JsError> {
        let mut output = Output::default();
        let mut rest = program;
        while let Some((&length, tail)) = rest.split_first() {
            let length = length as u32 as usize;
            if length > tail.len() {
                return Err(JsError::new(&format!("a function of {length} words does not fit the program's {}", tail.len())));
            }
            let (body, next) = tail.split_at(length);
            rest = next;
            self.context.clear();
            let replay = Replay::new(&self.signatures, &self.function_signatures, self.isa.frontend_config());
            let number = match replay.function(body, &mut self.context.func, &mut self.builder) {
                Ok(number) => number,
                Err(message) => {
                    // A function left half built would poison the builder for the next one.
                    self.builder = FunctionBuilderContext::new();
                    return Err(JsError::new(&message));
                }
            };
            if matches!(print, Print::Clif) {
                let _ = writeln!(text, "{}", self.context.func.display());
                continue;
            }
            self.context.set_disasm(matches!(print, Print::Assembly));
            if let Err(error) = self.context.compile(&*self.isa, &mut ControlPlane::default()) {
                return Err(JsError::new(&format!("function {number}: {}", pretty_error(error.func, error.inner))));
            }
            let compiled =
                self.context.compiled_code().ok_or_else(|| JsError::new(&format!("function {number} was not compiled")))?;
            if let Some(code) = &compiled.vcode {
                let _ = writeln!(text, "function {number}:\n{code}");
            }
            output.add(number, &self.context.func, compiled).map_err(js_error)?;
        }
        Ok(output)
    }
}

/// Machine code of the functions in a CLIF text, one after another as `Compiler.compile` places them: tests compare bytes.
#[wasm_bindgen]
pub fn compile_text(triple: &str, settings: &str, clif: &str) -> Result<Vec<u8>, JsError> {
    let isa = target(triple, settings)?;
    let mut code: Vec<u8> = Vec::new();
    for function in cranelift_reader::parse_functions(clif).map_err(js_error)? {
        let mut context = Context::for_function(function);
        let compiled = context
            .compile(&*isa, &mut ControlPlane::default())
            .map_err(|error| JsError::new(&pretty_error(error.func, error.inner)))?;
        code.resize(code.len().next_multiple_of(32), 0);
        code.extend_from_slice(compiled.buffer.data());
    }
    Ok(code)
}

/// JSON of Cranelift's opcode numbers and condition codes by name: what ts/generated/clif.ts is made from.
#[wasm_bindgen]
pub fn tables() -> String {
    use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
    let opcodes: serde_json::Map<String, serde_json::Value> =
        (1..=LAST_OPCODE).filter_map(opcode).map(|op| (op.to_string(), serde_json::json!(op as u8))).collect();
    let integer: Vec<String> = IntCC::all().iter().map(ToString::to_string).collect();
    let float: Vec<String> = FloatCC::all().iter().map(ToString::to_string).collect();
    serde_json::json!({ "opcodes": opcodes, "integer": integer, "float": float }).to_string()
}
