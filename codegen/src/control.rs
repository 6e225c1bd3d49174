//! Blocks, branches, calls, traps, variables and stack slots.

use crate::generated::kind;
use crate::replay::{BlockState, Head, State};
use crate::words::{value_type, Result, Words};
use cranelift_codegen::ir::{types, InstBuilder, JumpTableData, Opcode, SourceLoc, StackSlotData, StackSlotKind};

/// Most bytes of stack slots in a function: far more than a stack holds.
const MAX_SLOT_BYTES: u32 = 1 << 24;
/// Largest alignment of a stack slot, as a power of two.
const MAX_SLOT_ALIGN: u8 = 4;

impl State<'_, '_> {
    /// Adds the instruction of this head.
    pub fn control_instruction(&mut self, head: Head, words: &mut Words<'_>) -> Result<()> {
        match head.kind {
            kind::USE_VAR => {
                let variable = self.variable(words)?;
                let value = self.builder.use_var(variable);
                self.values.push(value);
            }
            kind::DEF_VAR => {
                let variable = self.variable(words)?;
                let value = self.value(words)?;
                self.builder.try_def_var(variable, value).map_err(|e| e.to_string())?;
            }
            kind::DECLARE_VAR => self.variables.push(self.builder.declare_var(head.given()?)),
            kind::BLOCK => {
                let block = self.builder.create_block();
                if head.flags & 1 != 0 {
                    self.builder.set_cold_block(block);
                }
                for _ in 0..words.count()? {
                    let param = value_type(words.index()?)?;
                    self.builder.append_block_param(block, param);
                }
                self.blocks.push(BlockState { block, begun: false, sealed: false, branched_to: false });
            }
            kind::SWITCH_TO => {
                let number = self.block(words)?;
                let state = &mut self.blocks[number];
                if state.begun || self.open {
                    return Err(format!("block {number} begins twice, or before the end of the block before it"));
                }
                state.begun = true;
                self.open = true;
                let block = state.block;
                self.builder.switch_to_block(block);
                self.values.extend_from_slice(self.builder.block_params(block));
            }
            kind::SEAL => {
                let number = self.block(words)?;
                let state = &mut self.blocks[number];
                if state.sealed {
                    return Err(format!("block {number} is sealed twice"));
                }
                state.sealed = true;
                let block = state.block;
                self.builder.seal_block(block);
            }
            kind::JUMP => {
                let call = self.block_call(words, false)?;
                self.builder.ins().Jump(Opcode::Jump, types::INVALID, call);
                self.open = false;
            }
            kind::BRIF => {
                let condition = self.value(words)?;
                let (then, otherwise) = (self.block_call(words, false)?, self.block_call(words, false)?);
                let control = self.type_of(condition);
                self.builder.ins().Brif(Opcode::Brif, control, then, otherwise, condition);
                self.open = false;
            }
            kind::BR_TABLE => {
                let index = self.value(words)?;
                let default = self.block_call(words, false)?;
                let mut targets = Vec::new();
                for _ in 0..words.count()? {
                    targets.push(self.block_call(words, false)?);
                }
                let table = self.builder.create_jump_table(JumpTableData::new(default, &targets));
                self.builder.ins().br_table(index, table);
                self.open = false;
            }
            kind::RETURN => {
                let values = self.values(words)?;
                self.builder.ins().return_(&values);
                self.open = false;
            }
            kind::CALL | kind::RETURN_CALL => {
                let callee = words.index()?;
                let callee = self.function(callee)?;
                let arguments = self.values(words)?;
                if head.kind == kind::CALL {
                    let inst = self.builder.ins().call(callee, &arguments);
                    self.results(inst);
                } else {
                    self.builder.ins().return_call(callee, &arguments);
                    self.open = false;
                }
            }
            kind::CALL_INDIRECT | kind::RETURN_CALL_INDIRECT => {
                let signature = words.index()?;
                let signature = self.signature(signature)?;
                let callee = self.value(words)?;
                let arguments = self.values(words)?;
                if head.kind == kind::CALL_INDIRECT {
                    let inst = self.builder.ins().call_indirect(signature, callee, &arguments);
                    self.results(inst);
                } else {
                    self.builder.ins().return_call_indirect(signature, callee, &arguments);
                    self.open = false;
                }
            }
            kind::TRY_CALL => {
                let callee = words.index()?;
                let callee = self.function(callee)?;
                let arguments = self.values(words)?;
                let signature = self.builder.func.dfg.ext_funcs[callee].signature;
                let table = self.exception_table(words, signature)?;
                self.builder.ins().try_call(callee, &arguments, table);
                self.open = false;
            }
            kind::TRY_CALL_INDIRECT => {
                let signature = words.index()?;
                let signature = self.signature(signature)?;
                let callee = self.value(words)?;
                let arguments = self.values(words)?;
                let table = self.exception_table(words, signature)?;
                self.builder.ins().try_call_indirect(callee, &arguments, table);
                self.open = false;
            }
            kind::TRAP => {
                self.builder.ins().trap(head.trap_code()?);
                self.open = false;
            }
            kind::TRAPNZ | kind::TRAPZ => {
                let condition = self.value(words)?;
                let code = head.trap_code()?;
                if head.kind == kind::TRAPNZ {
                    self.builder.ins().trapnz(condition, code);
                } else {
                    self.builder.ins().trapz(condition, code);
                }
            }
            kind::SRCLOC => {
                let location = words.next()? as u32;
                self.builder.set_srcloc(SourceLoc::new(location));
            }
            kind::STACK_SLOT => {
                let (size, align) = (words.index()? as u32, words.index()? as u8);
                self.slot_bytes = self.slot_bytes.saturating_add(size);
                if self.slot_bytes > MAX_SLOT_BYTES || align > MAX_SLOT_ALIGN {
                    return Err(format!("stack slots of {} bytes, the last aligned to 2^{align}", self.slot_bytes));
                }
                let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, align);
                self.slots.push((self.builder.create_sized_stack_slot(slot), size));
            }
            kind::STACK_ADDR => {
                let number = words.index()?;
                let (slot, size) = *self.slots.get(number).ok_or_else(|| format!("stack slot {number} is not declared"))?;
                let offset = words.next()?;
                if offset < 0 || offset as u32 > size {
                    return Err(format!("offset {offset} in stack slot {number} of {size} bytes"));
                }
                let value = self.builder.ins().stack_addr(types::I64, slot, offset);
                self.values.push(value);
            }
            kind::FUNC_ADDR => {
                let callee = words.index()?;
                let callee = self.function(callee)?;
                let value = self.builder.ins().func_addr(types::I64, callee);
                self.values.push(value);
            }
            kind::STACK_MAP => {
                let value = self.value(words)?;
                self.mapped.insert(value);
                self.builder.declare_value_needs_stack_map(value);
            }
            _ => return Err(format!("instruction kind {} is not known", head.kind)),
        }
        Ok(())
    }
}
