//! The text formats: modules and the specification's scripts (contract/formats.md, section 7).

use serde_json::{json, Value};
use wasm_bindgen::prelude::*;
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Const, V128Pattern, WastArgCore, WastRetCore};
use wast::parser::{self, ParseBuffer};
use wast::token::{Id, Span};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

fn text_error(text: &str, error: &wast::Error) -> JsError {
    let (line, column) = error.span().linecol_in(text);
    JsError::new(&json!({ "message": error.message(), "line": line + 1, "column": column + 1 }).to_string())
}

/// Text to binary. Errors: JSON with message, line and column from 1.
#[wasm_bindgen]
pub fn parse_wat(text: &str) -> Result<Vec<u8>, JsError> {
    let buffer = ParseBuffer::new(text).map_err(|e| text_error(text, &e))?;
    let mut wat = parser::parse::<Wat<'_>>(&buffer).map_err(|e| text_error(text, &e))?;
    wat.encode().map_err(|e| text_error(text, &e))
}

/// A script: directives as JSON, and the modules' bytes they point into.
#[wasm_bindgen]
pub struct Script {
    json: String,
    binaries: Vec<u8>,
}

#[wasm_bindgen]
impl Script {
    #[wasm_bindgen(getter)]
    pub fn json(&self) -> String {
        self.json.clone()
    }
    #[wasm_bindgen(getter)]
    pub fn binaries(&self) -> Vec<u8> {
        self.binaries.clone()
    }
}

/// Parses a script. Errors as `parse_wat`.
#[wasm_bindgen]
pub fn parse_wast(text: &str) -> Result<Script, JsError> {
    let mut lexer = wast::lexer::Lexer::new(text);
    // The annotations script has identifiers that look confusing on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|e| text_error(text, &e))?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(|e| text_error(text, &e))?;
    let mut writer = Writer { text, binaries: Vec::new() };
    let directives: Vec<Value> = script.directives.into_iter().map(|d| writer.directive(d)).collect();
    Ok(Script { json: Value::Array(directives).to_string(), binaries: writer.binaries })
}

struct Writer<'t> {
    text: &'t str,
    binaries: Vec<u8>,
}

fn id(id: Option<Id<'_>>) -> Value {
    id.map_or(Value::Null, |id| json!(id.name()))
}

impl Writer<'_> {
    fn line(&self, span: Span) -> usize {
        span.linecol_in(self.text).0 + 1
    }

    /// Appends bytes, or says why there are none.
    fn place(&mut self, encoded: Result<Vec<u8>, wast::Error>, mut value: Value) -> Value {
        match encoded {
            Ok(bytes) => {
                value["start"] = json!(self.binaries.len());
                value["length"] = json!(bytes.len());
                self.binaries.extend(bytes);
            }
            Err(error) => value["error"] = json!(error.message()),
        }
        value
    }

    fn module(&mut self, kind: &str, mut module: QuoteWat<'_>) -> Value {
        let value = json!({ "type": kind, "line": self.line(module.span()), "name": id(module.name()) });
        let encoded = module.encode();
        self.place(encoded, value)
    }

    fn rejected(&mut self, kind: &str, span: Span, mut module: QuoteWat<'_>, message: &str) -> Value {
        let value = json!({ "type": kind, "line": self.line(span), "text": message });
        let encoded = module.encode();
        self.place(encoded, value)
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Value {
        match directive {
            WastDirective::Module(module) => self.module("module", module),
            WastDirective::ModuleDefinition(module) => self.module("module_definition", module),
            WastDirective::ModuleInstance { span, instance, module } => {
                json!({ "type": "module_instance", "line": self.line(span), "name": id(instance), "module": id(module) })
            }
            WastDirective::AssertMalformed { span, module, message } => self.rejected("assert_malformed", span, module, message),
            WastDirective::AssertInvalid { span, module, message } => self.rejected("assert_invalid", span, module, message),
            WastDirective::AssertMalformedCustom { span, module, message } => {
                self.rejected("assert_malformed_custom", span, module, message)
            }
            WastDirective::AssertInvalidCustom { span, module, message } => {
                self.rejected("assert_invalid_custom", span, module, message)
            }
            WastDirective::AssertUnlinkable { span, module, message } => {
                self.rejected("assert_unlinkable", span, QuoteWat::Wat(module), message)
            }
            WastDirective::Register { span, name, module } => {
                json!({ "type": "register", "line": self.line(span), "as": name, "name": id(module) })
            }
            WastDirective::Invoke(invoke) => {
                json!({ "type": "action", "line": self.line(invoke.span), "action": invoke_json(&invoke) })
            }
            WastDirective::AssertTrap { span, exec, message } => self.executed("assert_trap", span, exec, json!(message)),
            WastDirective::AssertException { span, exec } => self.executed("assert_exception", span, exec, Value::Null),
            WastDirective::AssertSuspension { span, exec, message } => {
                self.executed("assert_suspension", span, exec, json!(message))
            }
            WastDirective::AssertReturn { span, exec, results } => {
                let mut value = self.executed("assert_return", span, exec, Value::Null);
                value["expected"] = results.iter().map(expected).collect();
                value
            }
            WastDirective::AssertExhaustion { span, call, message } => {
                json!({ "type": "assert_exhaustion", "line": self.line(span), "text": message, "action": invoke_json(&call) })
            }
            WastDirective::Thread(thread) => {
                let (line, name) = (self.line(thread.span), thread.name.name());
                let shared = id(thread.shared_module);
                let directives: Vec<Value> = thread.directives.into_iter().map(|d| self.directive(d)).collect();
                json!({ "type": "thread", "line": line, "name": name, "shared": shared, "directives": directives })
            }
            WastDirective::Wait { span, thread } => json!({ "type": "wait", "line": self.line(span), "thread": thread.name() }),
        }
    }

    fn executed(&mut self, kind: &str, span: Span, exec: WastExecute<'_>, message: Value) -> Value {
        let mut value = json!({ "type": kind, "line": self.line(span), "text": message });
        match exec {
            WastExecute::Invoke(invoke) => value["action"] = invoke_json(&invoke),
            WastExecute::Get { module, global, .. } => {
                value["action"] = json!({ "type": "get", "module": id(module), "field": global });
            }
            WastExecute::Wat(mut module) => {
                let encoded = module.encode();
                value = self.place(encoded, value);
            }
        }
        value
    }
}

fn invoke_json(invoke: &WastInvoke<'_>) -> Value {
    json!({
        "type": "invoke", "module": id(invoke.module), "field": invoke.name,
        "args": invoke.args.iter().map(argument).collect::<Vec<_>>(),
    })
}

fn heap_name(heap: &HeapType<'_>) -> &'static str {
    match heap {
        HeapType::Abstract { ty, .. } => match ty {
            AbstractHeapType::Func => "funcref",
            AbstractHeapType::Extern => "externref",
            AbstractHeapType::Exn => "exnref",
            AbstractHeapType::Any => "anyref",
            AbstractHeapType::Eq => "eqref",
            AbstractHeapType::Struct => "structref",
            AbstractHeapType::Array => "arrayref",
            AbstractHeapType::I31 => "i31ref",
            AbstractHeapType::NoFunc => "nullfuncref",
            AbstractHeapType::NoExtern => "nullexternref",
            AbstractHeapType::None => "nullref",
            AbstractHeapType::NoExn => "nullexnref",
            AbstractHeapType::Cont => "contref",
            AbstractHeapType::NoCont => "nullcontref",
        },
        _ => "ref",
    }
}

fn scalar(ty: &str, value: impl ToString) -> Value {
    json!({ "type": ty, "value": value.to_string() })
}

fn vector(lane: &str, values: Vec<String>) -> Value {
    json!({ "type": "v128", "lane": lane, "value": values })
}

fn argument(argument: &WastArg<'_>) -> Value {
    match argument {
        WastArg::Core(core) => match core {
            WastArgCore::I32(x) => scalar("i32", *x as u32),
            WastArgCore::I64(x) => scalar("i64", *x as u64),
            WastArgCore::F32(x) => scalar("f32", x.bits),
            WastArgCore::F64(x) => scalar("f64", x.bits),
            WastArgCore::V128(x) => constant(x),
            WastArgCore::RefNull(heap) => scalar(heap_name(heap), "null"),
            WastArgCore::RefExtern(x) => scalar("externref", x),
            WastArgCore::RefHost(x) => scalar("anyref", x),
        },
        _ => json!({ "type": "unknown" }),
    }
}

fn constant(value: &V128Const) -> Value {
    match value {
        V128Const::I8x16(v) => vector("i8x16", v.iter().map(|x| (*x as u8).to_string()).collect()),
        V128Const::I16x8(v) => vector("i16x8", v.iter().map(|x| (*x as u16).to_string()).collect()),
        V128Const::I32x4(v) => vector("i32x4", v.iter().map(|x| (*x as u32).to_string()).collect()),
        V128Const::I64x2(v) => vector("i64x2", v.iter().map(|x| (*x as u64).to_string()).collect()),
        V128Const::F32x4(v) => vector("f32x4", v.iter().map(|x| x.bits.to_string()).collect()),
        V128Const::F64x2(v) => vector("f64x2", v.iter().map(|x| x.bits.to_string()).collect()),
    }
}

fn nan<T>(pattern: &NanPattern<T>, bits: impl Fn(&T) -> String) -> String {
    match pattern {
        NanPattern::CanonicalNan => "nan:canonical".to_string(),
        NanPattern::ArithmeticNan => "nan:arithmetic".to_string(),
        NanPattern::Value(value) => bits(value),
    }
}

fn expected(result: &WastRet<'_>) -> Value {
    match result {
        WastRet::Core(core) => expected_core(core),
        _ => json!({ "type": "unknown" }),
    }
}

fn expected_core(core: &WastRetCore<'_>) -> Value {
    match core {
        WastRetCore::I32(x) => scalar("i32", *x as u32),
        WastRetCore::I64(x) => scalar("i64", *x as u64),
        WastRetCore::F32(x) => scalar("f32", nan(x, |v| v.bits.to_string())),
        WastRetCore::F64(x) => scalar("f64", nan(x, |v| v.bits.to_string())),
        WastRetCore::V128(pattern) => match pattern {
            V128Pattern::I8x16(v) => vector("i8x16", v.iter().map(|x| (*x as u8).to_string()).collect()),
            V128Pattern::I16x8(v) => vector("i16x8", v.iter().map(|x| (*x as u16).to_string()).collect()),
            V128Pattern::I32x4(v) => vector("i32x4", v.iter().map(|x| (*x as u32).to_string()).collect()),
            V128Pattern::I64x2(v) => vector("i64x2", v.iter().map(|x| (*x as u64).to_string()).collect()),
            V128Pattern::F32x4(v) => vector("f32x4", v.iter().map(|x| nan(x, |f| f.bits.to_string())).collect()),
            V128Pattern::F64x2(v) => vector("f64x2", v.iter().map(|x| nan(x, |f| f.bits.to_string())).collect()),
        },
        WastRetCore::RefNull(heap) => scalar(heap.as_ref().map_or("ref", heap_name), "null"),
        WastRetCore::RefExtern(Some(x)) => scalar("externref", x),
        WastRetCore::RefExtern(None) => json!({ "type": "externref" }),
        WastRetCore::RefHost(x) => scalar("anyref", x),
        WastRetCore::RefFunc(_) => json!({ "type": "funcref" }),
        WastRetCore::RefAny => json!({ "type": "anyref" }),
        WastRetCore::RefEq => json!({ "type": "eqref" }),
        WastRetCore::RefArray => json!({ "type": "arrayref" }),
        WastRetCore::RefStruct => json!({ "type": "structref" }),
        WastRetCore::RefI31 | WastRetCore::RefI31Shared => json!({ "type": "i31ref" }),
        WastRetCore::Either(cases) => json!({ "type": "either", "values": cases.iter().map(expected_core).collect::<Vec<_>>() }),
    }
}
