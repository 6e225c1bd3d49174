//! Machine code and its tables (contract/formats.md, section 6).

use crate::generated::relocation as kinds;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, Function, Opcode, TrapCode};
use cranelift_codegen::{CompiledCode, ExceptionContextLoc, FinalizedMachExceptionHandler, FinalizedRelocTarget};
use wasm_bindgen::prelude::*;

/// Compiled functions, one after another, each at a multiple of 32 bytes.
#[wasm_bindgen]
#[derive(Default)]
pub struct Output {
    code: Vec<u8>,
    functions: Vec<i32>,
    frames: Vec<i32>,
    relocations: Vec<i32>,
    traps: Vec<i32>,
    sources: Vec<i32>,
    calls: Vec<i32>,
    stack_maps: Vec<i32>,
}

#[wasm_bindgen]
impl Output {
    /// Machine code; between functions zeros.
    #[wasm_bindgen(getter)]
    pub fn code(&self) -> Vec<u8> {
        self.code.clone()
    }
    /// number, offset, size
    #[wasm_bindgen(getter)]
    pub fn functions(&self) -> Vec<i32> {
        self.functions.clone()
    }
    /// number, bytes of its frame, 1 where the machine code compares sp with the stack limit
    #[wasm_bindgen(getter)]
    pub fn frames(&self) -> Vec<i32> {
        self.frames.clone()
    }
    /// offset, kind, function number, addend
    #[wasm_bindgen(getter)]
    pub fn relocations(&self) -> Vec<i32> {
        self.relocations.clone()
    }
    /// offset, trap code
    #[wasm_bindgen(getter)]
    pub fn traps(&self) -> Vec<i32> {
        self.traps.clone()
    }
    /// start offset, source location (-1 none)
    #[wasm_bindgen(getter)]
    pub fn sources(&self) -> Vec<i32> {
        self.sources.clone()
    }
    /// return offset, frame offset or -1, context SP offset or -1, n, (tag or -1, handler offset)*
    #[wasm_bindgen(getter)]
    pub fn calls(&self) -> Vec<i32> {
        self.calls.clone()
    }
    /// return offset, frame span, n, SP offsets
    #[wasm_bindgen(getter, js_name = stackMaps)]
    pub fn stack_maps(&self) -> Vec<i32> {
        self.stack_maps.clone()
    }
}

const FUNCTION_ALIGNMENT: usize = 32;
/// Frame pointer and return address, on every ISA: the base settings preserve frame pointers.
const SETUP_AREA: u32 = 16;
/// What an argument takes on the stack, at most.
const ARGUMENT: u32 = 16;

/// Bytes that the function takes of the stack, its own arguments apart. Cranelift says what lies below the frame pointer:
/// saved registers, spilled values, stack slots, arguments of calls. Above are the frame pointer, the return address, and
/// room for the arguments of tail calls that have more of them than the function: Cranelift does not say how much, so
/// all of them are taken to lie on the stack, and none of the function's own.
fn frame_size(function: &Function, compiled: &CompiledCode) -> Option<u32> {
    let tail_arguments = function
        .layout
        .blocks()
        .flat_map(|block| function.layout.block_insts(block))
        .filter(|&inst| matches!(function.dfg.insts[inst].opcode(), Opcode::ReturnCall | Opcode::ReturnCallIndirect))
        .filter_map(|inst| function.dfg.call_signature(inst))
        .map(|signature| function.dfg.signatures[signature].params.len() as u32)
        .max()
        .unwrap_or(0);
    Some(SETUP_AREA + ARGUMENT * tail_arguments + compiled.buffer.frame_layout()?.frame_to_fp_offset)
}

impl Output {
    /// Adds one compiled function. Errors on what the linker does not know, as text.
    pub fn add(&mut self, number: u32, function: &Function, compiled: &CompiledCode) -> Result<(), String> {
        let buffer = &compiled.buffer;
        self.code.resize(self.code.len().next_multiple_of(FUNCTION_ALIGNMENT), 0);
        let base = self.code.len() as i32;
        self.code.extend_from_slice(buffer.data());
        self.functions.extend([number as i32, base, buffer.data().len() as i32]);
        let frame = frame_size(function, compiled).ok_or_else(|| format!("function {number} has no frame layout"))?;
        // Only the check of a prologue has this code.
        let checked = buffer.traps().iter().any(|trap| trap.code == TrapCode::STACK_OVERFLOW);
        self.frames.extend([number as i32, frame as i32, i32::from(checked)]);
        for trap in buffer.traps() {
            self.traps.extend([base + trap.offset as i32, i32::from(trap.code.as_raw().get())]);
        }
        for relocation in buffer.relocs() {
            let kind = match relocation.kind {
                Reloc::X86CallPCRel4 => kinds::X86_CALL,
                Reloc::Arm64Call => kinds::AARCH64_CALL,
                Reloc::Abs8 => kinds::ABSOLUTE64,
                Reloc::X86PCRel4 => kinds::X86_RELATIVE,
                kind => return Err(format!("relocation {kind:?} in function {number} is not known")),
            };
            let target = match &relocation.target {
                FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => function.params.user_named_funcs()[*name].index as i32,
                target => return Err(format!("relocation target {target:?} in function {number} is not known")),
            };
            self.relocations.extend([base + relocation.offset as i32, kind, target, relocation.addend as i32]);
        }
        for source in buffer.get_srclocs_sorted() {
            self.sources.extend([base + source.start as i32, source.loc.bits() as i32]);
        }
        for call in buffer.call_sites() {
            self.call(base, &call);
        }
        for (offset, span, map) in buffer.user_stack_maps() {
            let entries: Vec<i32> = map.entries().map(|(_, at)| at as i32).collect();
            self.stack_maps.extend([base + *offset as i32, *span as i32, entries.len() as i32]);
            self.stack_maps.extend(entries);
        }
        Ok(())
    }

    fn call(&mut self, base: i32, call: &cranelift_codegen::FinalizedMachCallSite<'_>) {
        let mut context = -1;
        let mut handlers = Vec::new();
        for handler in call.exception_handlers {
            match handler {
                FinalizedMachExceptionHandler::Tag(tag, offset) => handlers.extend([tag.as_u32() as i32, base + *offset as i32]),
                FinalizedMachExceptionHandler::Default(offset) => handlers.extend([-1, base + *offset as i32]),
                FinalizedMachExceptionHandler::Context(ExceptionContextLoc::SPOffset(offset)) => context = *offset as i32,
                FinalizedMachExceptionHandler::Context(ExceptionContextLoc::GPR(_)) => {}
            }
        }
        let frame = call.frame_offset.map_or(-1, |offset| offset as i32);
        self.calls.extend([base + call.ret_addr as i32, frame, context, handlers.len() as i32 / 2]);
        self.calls.extend(handlers);
    }
}
